"""Sample events for `sam local invoke`: what API Gateway, SQS and the scheduler hand to each function, byte for byte.

`events(now)` makes them all for one moment. Whoever signs callbacks does it with other people's cryptography, as in the
playground, so that a sample that is accepted says something. A further platform is a module here and a row in each
table.
"""

from collections.abc import Callable
from typing import Any

from tools.samples import discord, domain, feishu, wechat, wecom, workers

Event = dict[str, Any]

FUNCTIONS: dict[str, Callable[[int], dict[str, Event]]] = {
    "feishu": feishu.events,
    "wecom": wecom.events,
    "wechat": wechat.events,
    "discord": discord.events,
    "domain": domain.events,
    "processor": workers.processor,
    "deliverer": workers.deliverer,
    "sweeper": workers.sweeper,
}
"""By the folder of the function under functions/: its events by the name of the case."""

APPS: dict[str, Callable[[str], dict[str, Any]]] = {
    "feishu": feishu.app,
    "wecom": wecom.app,
    "wechat": wechat.app,
    "discord": discord.app,
}
"""By platform: the configuration of the app `sample` that the events belong to, for a playground at the given address.
Its credentials are public and protect nothing."""


def events(now: int) -> dict[str, Event]:
    """All events by their path under events/. Of one `now`, a unix second, they are always the same."""
    return {
        f"{function}/{case}.json": event for function, make in FUNCTIONS.items() for case, event in make(now).items()
    }
