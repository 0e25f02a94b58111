"""Floods of frames that are no messages: limits for each person, in the memory of one process.

Each of these frames costs a run of the function, and most of them reads and writes of the table. A limit in the table
would cost as much as the frames that it refuses, so each process counts what it handles itself. Several processes
together let more through, but no person can use up more than this of each of them.
"""

from collections import OrderedDict
from typing import NamedTuple

from msgspec.structs import replace

from parley.adapter import Action, Rejected, Store, SupportsSockets, Tell, Watch

_ROUNDING = 1e-6
_PERSONS = 20_000
"""At most so many persons are remembered. The one who has been silent for the longest time is forgotten first."""


class Pace(NamedTuple):
    """So many at once, and then so many in a second."""

    burst: int
    rate: float


OPENS = Pace(60, 1)
"""A client that connects again opens all of its conversations. Each answer has up to a hundred replies."""
ACKS = Pace(600, 10)
"""A client may acknowledge each of the replies that it gets at once."""
OTHERS = Pace(120, 2)
"""`ping`, and frames that cannot be read or are refused. Above it the connection is closed at once."""
FLOOD = 60
"""Refused `open` and `ack` frames after which the connection is closed. Each one that is accepted makes up for one."""


class Rate:
    """A rate with a burst."""

    __slots__ = ("_at", "_burst", "_credit", "_rate")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate, self._burst, self._credit, self._at = rate, burst, float(burst), now

    def wait(self, now: float) -> float:
        """Seconds until the next one may happen; 0 if it may now."""
        self._credit = min(self._burst, self._credit + max(0.0, now - self._at) * self._rate)
        self._at = max(now, self._at)
        # Rounding may leave the credit a little short at the very moment that was promised.
        return (1 - self._credit) / self._rate if self._credit < 1 - _ROUNDING else 0.0

    def take(self, now: float) -> float:
        """Let one happen. Returns 0, or the seconds until it may, and then it has not."""
        wait = self.wait(now)
        if not wait:
            self._credit -= 1
        return wait


class _Sender:
    """What one person sends. `refused`: frames that were refused and not made up for."""

    __slots__ = ("acks", "opens", "others", "refused")

    def __init__(self, now: float) -> None:
        self.opens, self.acks, self.others = (Rate(pace.rate, pace.burst, now) for pace in (OPENS, ACKS, OTHERS))
        self.refused = 0


class Floods:
    """The limits of all persons in one process. `sockets` makes the frames of errors."""

    def __init__(self, sockets: SupportsSockets, most: int = _PERSONS) -> None:
        self._sockets, self._most = sockets, most
        self._senders: OrderedDict[str, _Sender] = OrderedDict()

    def checked(self, action: Action, person: str, now: float) -> Action:
        """`action`, which a frame of the person with that key asks for; the error in its place if there are too many.

        The error is the last frame of a connection that goes on sending. Messages are not counted here: they have a
        limit in the table.
        """
        if isinstance(action, Store):
            return action
        sender = self._sender(person, now)
        if isinstance(action, Tell):
            wait = sender.others.take(now)
            return action if not wait else replace(self._sockets.refused(_too_many(wait)), closes=True)
        wait = (sender.opens if isinstance(action, Watch) else sender.acks).take(now)
        if not wait:
            sender.refused = max(0, sender.refused - 1)
            return action
        sender.refused += 1
        tell = self._sockets.refused(_too_many(wait), action)
        if sender.refused < FLOOD:
            return tell
        sender.refused = 0
        return replace(tell, closes=True)

    def _sender(self, person: str, now: float) -> _Sender:
        found = self._senders.pop(person, None) or _Sender(now)
        self._senders[person] = found
        if len(self._senders) > self._most:
            self._senders.popitem(last=False)
        return found


def _too_many(wait: float) -> Rejected:
    return Rejected(429, "too_many", "too many frames of this kind", retry_after=wait)
