"""Sample events for `sam local invoke`: what API Gateway, SQS and the scheduler hand to each function, byte for byte.

`events(now)` makes them all for one moment. Callbacks are signed with other people's cryptography, as in the
playground, so that an accepted sample proves something. A platform has a module here, by its name, with two functions:
`app(playground)` and `events(now)`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from parley.platforms import NAMES
from tools.samples import domain, workers

_PLATFORMS = {name: import_module(f"{__name__}.{name}") for name in NAMES}
Event = dict[str, Any]

FUNCTIONS: dict[str, Callable[[int], dict[str, Event]]] = {
    **{name: module.events for name, module in _PLATFORMS.items()},
    "domain": domain.events,
    "processor": workers.processor,
    "deliverer": workers.deliverer,
    "sweeper": workers.sweeper,
}
"""By the folder of the function under functions/: its events by the name of the case."""

APPS: dict[str, Callable[[str], dict[str, Any]]] = {name: module.app for name, module in _PLATFORMS.items()}
"""By platform: the configuration of the app `sample` that the events belong to, for a playground at the given address.
Its credentials are public and protect nothing."""


def events(now: int) -> dict[str, Event]:
    """All events by their path under events/. Of one `now`, a unix second, they are always the same."""
    return {
        f"{function}/{case}.json": event for function, make in FUNCTIONS.items() for case, event in make(now).items()
    }
