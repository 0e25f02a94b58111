"""The outcomes of the messages of a room."""

import time
from typing import Any

from playground.outcome import FINAL, outcome_of
from playground.platforms.base import Platform
from playground.platforms.model import Message
from playground.trace import journal_or_error
from playground.world import World

_NEWEST = 30
"""Messages of a room whose outcomes are read."""


class Outcomes:
    """The outcomes of messages by their ids. One that does not change any more is read once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._final: dict[str, dict[str, Any]] = {}

    def of_room(self, platform: Platform, room: str) -> dict[str, dict[str, Any]]:
        """The outcomes of the newest messages of persons in a room, by message."""
        with platform.lock:
            messages = [m for m in platform.messages.values() if m.room == room and m.sender_kind == "user"]
        return {message.id: self._of(platform, message) for message in messages[-_NEWEST:]}

    def _of(self, platform: Platform, message: Message) -> dict[str, Any]:
        if message.id in self._final:
            return self._final[message.id]
        delivery = self._world.delivery_of(platform, message.id)
        record = journal_or_error(self._world, message.id)[0] if delivery else {}
        found = outcome_of(delivery, record, time.time())
        if found["kind"] in FINAL:
            self._final[message.id] = found
        return found
