"""Registers the bot's commands with Discord: the differences between the two lists, and the calls that make them."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from parley.adapter import Answer, App, Call, Sent
from parley.engine.http import Http
from parley.errors import RetryAfter
from parley.model.commands import CommandSpec
from parley.platforms.discord.commands import definitions
from parley.platforms.discord.outbound import outcome
from parley.platforms.discord.registration import calls, listing, plan

_LONGEST_WAIT = 60.0
"""The longest rate-limit pause in seconds. Longer ones are errors."""


class RegistrationError(Exception):
    """Discord rejects a request. The text has the reason."""


def register(
    specs: Iterable[CommandSpec],
    app: App,
    guild: str,
    http: Http,
    *,
    apply: bool,
    sleep: Callable[[float], None] = time.sleep,
    report: Callable[[str], None] = print,
) -> None:
    """Report the differences in `guild`, or globally if it is empty. Make the changes if `apply`.

    Raises RegistrationError.
    """
    wanted = definitions(specs)
    answer = _make(listing(app, guild), app, http, sleep)
    existing: Any = msgspec.json.decode(answer.body)
    changes = plan(existing, wanted, guild=bool(guild))
    lines = [*changes.lines()]
    report(f"{f'guild {guild}' if guild else 'everywhere'}: {len(lines) or 'nothing'} to change")
    for line in lines:
        report(f"  {line}")
    if apply:
        for call in calls(changes, app, guild):
            _make(call, app, http, sleep)
            report(f"  done: {call.name} {call.json['name'] if call.json else call.url.rpartition('/')[2]}")
    elif lines:
        report("  nothing was changed: add --apply")


def _make(call: Call, app: App, http: Http, sleep: Callable[[float], None]) -> Answer:
    while True:
        answer = http.perform(call, app.config.bot_token)
        match outcome(call, answer):
            case Sent():
                return answer
            case RetryAfter(seconds=after) if after <= _LONGEST_WAIT:
                sleep(after)
            case refused:
                about = answer.json()
                raise RegistrationError(
                    f"{call.name}: {refused.reason} {about.get('message', '')} {about.get('errors', '')}".rstrip()
                )
