"""Every handler of the guide says what it says on every platform: none of them silences a person somewhere."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import boto3
import pytest
from msgspec.structs import asdict, replace

from parley.bot import Bot, Turn
from parley.bot.absent import NoUsers
from parley.bot.reminders import Reminders
from parley.journal.states import ReplyState
from parley.model import Action, Command, Context, Destination, Message, handled, plain_text
from parley.model.agenda import NOTHING
from parley.model.commands import CommandSpec, OptionSpec
from tests.abilities import WRITING_FIRST
from tests.factories import make_message
from tests.unit.conftest import Clock
from tests.unit.engine.scripted import Scripted
from tests.unit.test_docs import REFERENCES, run

pytestmark = pytest.mark.usefixtures("aws")
VALUES: dict[str, Any] = {"int": 2, "float": 2.0, "bool": True, "user": "ann"}
DAY = "2026-12-01"
"""A day, and a text as well."""
INPUTS = {"how": "fine", "size": "small", "day": DAY}
"""The inputs of all forms of the guide."""
ROOMS = {"feishu": "oc_1", "discord": "1037199174008667818"}
"""A room on platforms that have rooms for every bot."""

ALARM = {"detail": {"alarmName": "errors", "state": {"value": "ALARM", "reason": "too many"}}}
"""An event of AWS."""

CARDS = {"feishu": "om_1", "discord": "1037199174008667819"}
"""A card of the bot in that room."""


class Strangers(NoUsers):
    """Nobody has logged in."""

    def address(self, message: Message) -> str:
        return f"https://bot.example.com/oauth/{message.platform}/{message.app}/start"

    def has(self, message: Message, scopes: str) -> bool:
        del message, scopes
        return False

    def forget(self, message: Message, until: float) -> bool:
        del message, until
        return False


def message_of(text: str, platform: str, **more: Any) -> Message:
    context = Context(room_id=ROOMS.get(platform, ""))
    return make_message("1037199174008667820", text, platform=platform, context=context, **more)


def value_of(option: OptionSpec) -> Any:
    return option.choices[0].value if option.choices else VALUES.get(option.kind, DAY)


def command(spec: CommandSpec, platform: str) -> Message:
    """A person uses the command: as a command where the platform has them, and else as text."""
    values = {option.name: value_of(option) for option in spec.options}
    if platform == "discord" or spec.menu:
        return message_of(DAY, platform, command=Command(name=spec.name, options=values))
    return message_of(" ".join([f"/{spec.name}", *map(str, values.values())]), platform)


def messages(bot: Bot, platform: str) -> Iterator[tuple[str, Message]]:
    """One message for each handler, with the handler's name."""
    for spec in bot.specs():
        yield f"/{spec.name}", command(spec, platform)
    for action in bot._actions:
        pressed = Action(id=action, value="1", message_id=CARDS.get(platform, ""), form=INPUTS)
        yield action, message_of("", platform, kind="action", action=pressed)
    for event in bot._events:
        yield event, message_of("", platform, kind="event", event=event, raw=ALARM)
    for text in ("PROJ-7", "hello"):
        yield text, message_of(text, platform)


def turns(bot: Bot, platform: str, now: float) -> Iterator[tuple[str, Turn]]:
    """One turn for each handler, with the handler's name."""
    for name, message in messages(bot, platform):
        yield name, Turn(message, now=now)
    for name in bot._reminders:
        plans = Reminders(message_of("", platform), now, NOTHING)
        plans.add(DAY, name, None, timedelta(hours=1), "", "UTC")
        due = Turn(plans.timers[0].due, now=now)
        due.plans = Reminders(due.message, now, plans.agenda)
        yield name, due


def said(scripted: Scripted) -> str:
    """All texts in the calls that were made."""
    return " ".join(f"{call.json} {call.upload}" for call in scripted.made)


@pytest.mark.parametrize("guide", REFERENCES, ids=lambda path: path.name)
@pytest.mark.parametrize("platform", WRITING_FIRST)
def test_every_handler_of_the_guide_is_heard(
    platform: str, guide: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = '{"api_key": "secret"}'
    boto3.client("ssm").put_parameter(Name="/parley/unit/bot", Type="SecureString", Value=settings)
    bot: Bot = run(guide)["bot"]
    bot.roles = lambda _: {"ops"}  # its approvals need it, as the guide says
    heard, numbers = set[str](), count()
    for name, turn in turns(bot, platform, clock.now):
        message, turn.users = turn.message, Strangers()
        for reply in bot.handle(turn):
            heard.add(name)
            if reply.to is not None and reply.to.platform != platform:
                continue  # it goes to another platform
            if reply.op == "react" and handled(reply.target):
                continue  # this test gives the replies other ids
            scripted = Scripted(platform, clock, monkeypatch, lambda *_: None)
            to = asdict(reply.to or Destination.answering(message))
            del to["platform"], to["app"]
            row = scripted.deliver(replace(reply, to=None), ordinal=next(numbers), **to)
            assert row.state is ReplyState.SENT, (name, row.reason)
            words = re.findall(r"\w+", plain_text(reply.segments))
            assert not words or words[0] in said(scripted), (name, words, said(scripted))
    silent = {name for name, _ in turns(bot, platform, clock.now)} - heard
    # This event is no message, and the guide's bot does not join in the talk of a room.
    assert silent == {"kf_msg_or_event", *(["hello"] if platform in ROOMS else [])}
