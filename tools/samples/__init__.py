"""Sample events for `sam local invoke`: those of API Gateway, SQS, the scheduler, EventBridge and SNS, byte for byte.

`events(now)` makes all of them for one time. Independent implementations sign the callbacks, as in the playground. A
platform has a module here, by its name, with two functions: `app(playground)` and `events(now)`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from parley.platforms import NAMES
from tools.samples import domain, incoming, oauth, socket, workers

_PLATFORMS = {name: import_module(f"{__name__}.{name}") for name in NAMES}
Event = dict[str, Any]

FUNCTIONS: dict[str, Callable[[int], dict[str, Event]]] = {
    **{name: module.events for name, module in _PLATFORMS.items()},
    "domain": domain.events,
    "incoming": incoming.events,
    "oauth": oauth.events,
    "socket": socket.events,
    "processor": workers.processor,
    "deliverer": workers.deliverer,
    "sweeper": workers.sweeper,
}
"""By the folder of the function in functions/: a function that makes its events, by the name of the case."""

APPS: dict[str, Callable[[str], dict[str, Any]]] = {name: module.app for name, module in _PLATFORMS.items()}
"""By platform: a function that makes the configuration of the app `sample`, for a playground at the given address. The
events belong to this app. Its credentials are public."""


def events(now: int) -> dict[str, Event]:
    """All events by their path in events/. The same `now`, a unix second, gives the same events."""
    return {
        f"{function}/{case}.json": event for function, make in FUNCTIONS.items() for case, event in make(now).items()
    }
