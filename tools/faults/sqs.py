"""SQS FIFO queues in this process, with what matters for order and loss: groups, visibility, receive counts, the
five-minute deduplication per group, dead letters. Time is the world's.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

DEDUPLICATION = 300.0
"""Seconds for which a deduplication id counts."""


class NotInFlight(Exception):
    """The receipt is none, or no longer: the message has become visible again, or is gone."""


@dataclass(slots=True)
class Message:
    """A message in a queue. `receipt` is empty while nobody has it."""

    id: str
    body: str
    group: str
    dedup: str
    sent: float
    receives: int = 0
    visible_at: float = 0
    receipt: str = ""


@dataclass(slots=True)
class Queue:
    """One FIFO queue. `max_receives`: after so many a message goes to `dead`."""

    name: str
    clock: Callable[[], float]
    visibility: float
    max_receives: int = 0
    dead: "Queue | None" = None
    groups: dict[str, deque[Message]] = field(default_factory=dict[str, "deque[Message]"])
    in_flight: dict[str, Message] = field(default_factory=dict[str, Message])
    accepted: list[Message] = field(default_factory=list[Message])
    """All that was ever taken in, in order."""
    _recent: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict[tuple[str, str], tuple[float, str]])
    _ready: list[str] = field(default_factory=list[str])
    """Groups with a visible message and none in flight."""
    _hidden: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    _count: int = 0

    @property
    def url(self) -> str:
        """What the handlers know it by."""
        return f"https://sqs.local/{self.name}"

    def __len__(self) -> int:
        return sum(map(len, self.groups.values()))

    def send(self, body: str, group: str, dedup: str) -> str:
        """Take a message in, unless it is a repetition; its id, or that of the first."""
        now = self.clock()
        at, known = self._recent.get((group, dedup), (0.0, ""))
        if known and now < at + DEDUPLICATION:
            return known
        self._count += 1
        message = Message(f"{self.name}-{self._count}", body, group, dedup, now)
        self._recent[group, dedup] = now, message.id
        self.accepted.append(message)
        waiting = self.groups.setdefault(group, deque())
        waiting.append(message)
        if len(waiting) == 1:
            self._ready.append(group)
        return message.id

    def receive(self, random: Random) -> Message | None:
        """The first message of a group that `random` chooses; None where none can be had. One at a time, as the
        functions are deployed with batches of one.
        """
        self.refresh()
        while self._ready:
            at = random.randrange(len(self._ready))
            group = self._ready[at]
            self._ready[at] = self._ready[-1]
            self._ready.pop()
            message = self.groups[group][0]
            if self.max_receives and message.receives >= self.max_receives and self.dead is not None:
                self._park(message)
                continue
            message.receives += 1
            message.receipt = f"{message.id}/{message.receives}"
            self.in_flight[message.receipt] = message
            self._hide(message, self.visibility)
            return message
        return None

    def delete(self, receipt: str) -> None:
        """Take a message out for good. Raises NotInFlight."""
        self.refresh()
        self._remove(self._held(receipt))

    def change_visibility(self, receipt: str, seconds: float) -> None:
        """Hide a message for so long from now on. Raises NotInFlight."""
        self.refresh()
        self._hide(self._held(receipt), seconds)

    def refresh(self) -> None:
        """Make visible what is to be visible by now."""
        now = self.clock()
        while self._hidden and self._hidden[0][0] <= now:
            _, receipt = heappop(self._hidden)
            message = self.in_flight.get(receipt)
            if message is not None and message.visible_at <= now:
                del self.in_flight[receipt]
                message.receipt = ""
                self._ready.append(message.group)

    def next_change(self) -> float | None:
        """When the next message becomes visible; None where none is hidden, now where one is visible."""
        self.refresh()
        if self._ready:
            return self.clock()
        return min((message.visible_at for message in self.in_flight.values()), default=None)

    def _held(self, receipt: str) -> Message:
        message = self.in_flight.get(receipt)
        if message is None:
            raise NotInFlight(receipt)
        return message

    def _hide(self, message: Message, seconds: float) -> None:
        message.visible_at = self.clock() + seconds
        heappush(self._hidden, (message.visible_at, message.receipt))

    def _park(self, message: Message) -> None:
        self._remove(message)
        if self.dead is not None:
            self.dead.send(message.body, message.group, message.dedup)

    def _remove(self, message: Message) -> None:
        self.in_flight.pop(message.receipt, None)
        waiting = self.groups[message.group]
        waiting.remove(message)
        if waiting:
            self._ready.append(message.group)
        else:
            del self.groups[message.group]
