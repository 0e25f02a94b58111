"""The simulated platforms of one stack, and the notifications of their changes."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from playground.hub import Hub
from playground.platforms import simulated_platforms
from playground.platforms.base import NotFoundError, Platform
from playground.platforms.model import Call, Delivery, Message
from playground.stack import Stack
from playground.views import call_summary, message_view
from playground.webhooks import WebhookSender

KEEP_CALLS = 50_000
"""Recorded calls of each platform."""


class World:
    """The simulated platforms of one stack. All methods may be called from any thread."""

    def __init__(self, stack: Stack, types: Mapping[str, type[Platform]] | None = None, **options: Any) -> None:
        self.stack = stack
        self.hub = Hub()
        found = simulated_platforms() if types is None else types
        self.platforms = {name: kind(keep_calls=KEEP_CALLS, **options) for name, kind in found.items()}
        self.webhooks = WebhookSender(stack.callback_url, time.time)
        self._configs: dict[tuple[str, str], Mapping[str, Any]] = {}
        for platform in self.platforms.values():
            platform.discover = partial(stack.apps, now=True)
            platform.listeners.append(self._listener(platform))

    def platform(self, name: object) -> Platform:
        """The platform `name`. Raises NotFoundError."""
        found = self.platforms.get(str(name))
        if found is None:
            raise NotFoundError(f"there is no platform {name!r}; there are: {', '.join(self.platforms)}")
        return found

    def refresh(self) -> bool:
        """Register the apps whose configuration is new or has changed. True if there are any."""
        changed = False
        for name, platform in self.platforms.items():
            for app, config in self.stack.apps(name).items():
                if self._configs.get((name, app)) != config:
                    self._configs[name, app] = config
                    platform.add_app(app, config)
                    changed = True
        return changed

    def tick(self) -> None:
        """Let the platforms do what they do by themselves."""
        for platform in self.platforms.values():
            platform.tick()

    def find(self, message_id: str) -> tuple[Platform, Message | None, Delivery | None]:
        """The message or event with that id: its platform, the message, its delivery. Raises NotFoundError."""
        for platform in self.platforms.values():
            message = platform.messages.get(message_id)
            delivery = self.delivery_of(platform, message_id)
            if message or delivery:
                return platform, message, delivery
        raise NotFoundError(f"there is no message or event {message_id!r}")

    @staticmethod
    def delivery_of(platform: Platform, message_id: str) -> Delivery | None:
        """The delivery of the message or event with that id; None if the platform does not deliver it."""
        with platform.lock:
            return platform.deliveries.get(platform.delivery_ids.get(message_id, message_id))

    def _listener(self, platform: Platform) -> Any:
        """A listener that delivers new events and publishes every change to the open pages."""

        def listen(kind: str, value: Any) -> None:
            update: dict[str, Any] = {"platform": platform.name}
            if isinstance(value, Message):
                update |= {"room": value.room, "message": message_view(platform, value)}
            elif isinstance(value, Call):
                update |= {"call": call_summary(value)}
            elif isinstance(value, Delivery):
                if value.state == "waiting" and not value.attempts:
                    self.webhooks.send(platform)
                update |= {"room": value.room, "message_id": value.journal_id, "state": value.state}
            else:
                update |= value
            self.hub.publish(kind, update)

        return listen
