"""A client of the HTTP channel's WebSocket. It follows the rules of docs/connect-http.md: it opens a conversation again
when a number is missing, and leaves out what it has.
"""

import json
from typing import Any


class Watched:
    """One conversation, as a client knows it: the replies that it has shown, and the frames that it wants to send."""

    def __init__(self, room: str = "") -> None:
        self.room = room
        self.have: int | None = None
        self.last = 0
        self.more = False
        self.shown: list[tuple[int, dict[str, Any] | None]] = []
        self._asked: int | None = None

    @property
    def texts(self) -> list[str]:
        """The texts of the replies, in the order in which they were shown."""
        return [reply["text"] for _number, reply in self.shown if reply is not None]

    def open(self) -> str:
        """The frame with which it watches the conversation."""
        self._asked = self.have
        after = {} if self.have is None else {"after": str(self.have)}
        return json.dumps({"type": "open", "room": self.room, **after})

    def take(self, frame: dict[str, Any]) -> str | None:
        """Handle one frame. Returns the frame to send, if there is one."""
        if frame.get("room") != self.room:
            return None
        if frame["type"] == "opened":
            return self._opened(frame)
        if frame["type"] != "reply" or self.have is None:
            return None
        number = int(frame["cursor"])
        if number <= self.have:
            return None
        if number > self.have + 1:
            return self.open() if self.have >= self.last else None
        self.have = number
        self.shown.append((number, frame.get("reply")))
        return self.open() if self.more and self.have == self.last else None

    def _opened(self, frame: dict[str, Any]) -> str | None:
        cursor, self.last, self.more = int(frame["cursor"]), int(frame["last"]), frame.get("more", False)
        if self.have is None or cursor != self._asked:
            self.have = cursor
        return self.open() if self.more and self.have >= self.last else None
