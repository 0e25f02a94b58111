"""Everything the playground has: the imitated platforms, the stack, and who is told of what."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from playground.courier import Courier
from playground.hub import Hub
from playground.platforms import simulated_platforms
from playground.platforms.base import Platform, Unknown
from playground.platforms.model import Call, Delivery, Message
from playground.shown import call_brief, message_shown
from playground.stack import Stack

KEEP_CALLS = 50_000
"""Calls of each platform that are kept."""


class World:
    """The imitated platforms of one stack. Everything here may be called from any thread."""

    def __init__(self, stack: Stack, types: Mapping[str, type[Platform]] | None = None, **options: Any) -> None:
        self.stack = stack
        self.hub = Hub()
        found = simulated_platforms() if types is None else types
        self.platforms = {name: kind(keep_calls=KEEP_CALLS, **options) for name, kind in found.items()}
        self.courier = Courier(stack.callback_url, time.time)
        self._configs: dict[tuple[str, str], Mapping[str, Any]] = {}
        for platform in self.platforms.values():
            platform.discover = partial(stack.apps, now=True)
            platform.listeners.append(self._listener(platform))

    def platform(self, name: object) -> Platform:
        """The platform `name`. Raises Unknown."""
        found = self.platforms.get(str(name))
        if found is None:
            raise Unknown(f"there is no platform {name!r}; there are: {', '.join(self.platforms)}")
        return found

    def refresh(self) -> bool:
        """Take in the apps that are new or configured anew since the last time; whether there were any."""
        changed = False
        for name, platform in self.platforms.items():
            for app, config in self.stack.apps(name).items():
                if self._configs.get((name, app)) != config:
                    self._configs[name, app] = config
                    platform.add_app(app, config)
                    changed = True
        return changed

    def find(self, message_id: str) -> tuple[Platform, Message | None, Delivery | None]:
        """The message or event with that id: its platform, what it is, how it was delivered. Raises Unknown."""
        for platform in self.platforms.values():
            message = platform.messages.get(message_id)
            delivery = self.delivery_of(platform, message_id)
            if message or delivery:
                return platform, message, delivery
        raise Unknown(f"there is no message or event {message_id!r}")

    @staticmethod
    def delivery_of(platform: Platform, message_id: str) -> Delivery | None:
        """The delivery of the message or event with that id; None where the platform told nobody."""
        with platform.lock:
            return platform.deliveries.get(platform.delivery_ids.get(message_id, message_id))

    def _listener(self, platform: Platform) -> Any:
        def listen(kind: str, value: Any) -> None:
            shown: dict[str, Any] = {"platform": platform.name}
            if isinstance(value, Message):
                shown |= {"room": value.room, "message": message_shown(platform, value)}
            elif isinstance(value, Call):
                shown |= {"call": call_brief(value)}
            elif isinstance(value, Delivery):
                if value.state == "waiting" and not value.attempts:
                    self.courier.collect(platform)
                shown |= {"room": value.room, "message_id": value.journal_id, "state": value.state}
            else:
                shown |= value
            self.hub.publish(kind, shown)

        return listen
