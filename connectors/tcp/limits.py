"""The limits of one instance: what a client may use, alone and with all others.

The messages of a person have a rate limit besides, for all channels together: `parley.engine.admission`.
"""

from collections import Counter

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Times are seconds, rates are in a second. A rate of 10 with a burst of 20 takes 20 at once."""

    connections: int = 12_000
    connections_of_address: int = 200
    connections_of_person: int = 20
    hello_within: float = 10
    """From the connection to a whole first frame, TLS included."""
    frame_within: float = 30
    """From the first byte of a frame to its last one."""
    silent_for: float = 90
    """Without a byte from the client. It sends `ping` every 30 seconds."""
    send_within: float = 30
    """Until a client reads what was sent to it."""
    close_within: float = 5
    """Until a closed connection is cut: the time in which the client reads the reason."""
    frames: float = 20
    frames_burst: int = 40
    """Of one connection. What is above it is not read until later."""
    unstored: int = 8
    """Frames of one connection that wait for the queue or the table. While there are as many, it is not read."""
    rooms: int = 50
    """Conversations that one connection has open."""
    held: int = 256 << 20
    """Bytes of all connections: of frames that have arrived and are not stored, and of those that wait to be sent."""


class Places:
    """How many there are of each kind, such as connections by address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._taken)

    def take(self, name: str) -> bool:
        """Take a place of `name`. False if there is none."""
        if self._taken[name] >= self._most:
            return False
        self._taken[name] += 1
        return True

    def give(self, name: str) -> None:
        """Give a place back."""
        self._taken[name] -= 1
        if self._taken[name] <= 0:
            del self._taken[name]
