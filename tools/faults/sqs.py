"""Fake SQS FIFO queues with the features that matter for order and loss: groups, visibility timeouts, receive counts,
five-minute deduplication per group, dead-letter queues. They use the virtual clock.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

DEDUPLICATION = 300.0
"""Seconds for which SQS remembers a deduplication id."""
LONGEST_VISIBILITY = 43_200.0
"""Seconds for which a message can stay hidden at most, counted from its receive."""


class VisibilityTooLongError(Exception):
    """The message would be hidden for more than twelve hours from its receive."""


class NotInFlightError(Exception):
    """The receipt is invalid: the message has become visible again, or was deleted, or the receipt never existed."""


@dataclass(slots=True)
class Message:
    """A message in a queue. `receipt` is empty while the message is visible."""

    id: str
    body: str
    group: str
    dedup: str
    sent: float
    receives: int = 0
    visible_at: float = 0
    received_at: float = 0
    receipt: str = ""


@dataclass(slots=True)
class Queue:
    """One FIFO queue. After `max_receives` receives, a message moves to the dead-letter queue `dead`."""

    name: str
    clock: Callable[[], float]
    visibility: float
    max_receives: int = 0
    dead: "Queue | None" = None
    groups: dict[str, deque[Message]] = field(default_factory=dict[str, "deque[Message]"])
    in_flight: dict[str, Message] = field(default_factory=dict[str, Message])
    accepted: list[Message] = field(default_factory=list[Message])
    """All messages that were ever accepted, in order."""
    _recent: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict[tuple[str, str], tuple[float, str]])
    _ready: list[str] = field(default_factory=list[str])
    """Groups with a visible message and none in flight."""
    _hidden: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    _count: int = 0

    @property
    def url(self) -> str:
        """The URL of the queue."""
        return f"https://sqs.local/{self.name}"

    def __len__(self) -> int:
        return sum(map(len, self.groups.values()))

    def counts(self) -> dict[str, str]:
        """The approximate numbers of messages, as SQS returns them. No message of these queues is delayed."""
        self.refresh()
        hidden = len(self.in_flight)
        return {
            "ApproximateNumberOfMessages": str(len(self) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
            "ApproximateNumberOfMessagesDelayed": "0",
        }

    def send(self, body: str, group: str, dedup: str) -> str:
        """Accept a message, unless it is a duplicate. Returns its id, or the id of the first one."""
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
        """The first message of a group that `random` chooses; None if no message is visible. The batch size is 1, as
        in template.yaml.
        """
        self.refresh()
        while self._ready:
            at = random.randrange(len(self._ready))
            group = self._ready[at]
            self._ready[at] = self._ready[-1]
            self._ready.pop()
            message = self.groups[group][0]
            if self.max_receives and message.receives >= self.max_receives and self.dead is not None:
                self._move_to_dead_letters(message)
                continue
            message.receives += 1
            message.received_at = self.clock()
            message.receipt = f"{message.id}/{message.receives}"
            self.in_flight[message.receipt] = message
            self._hide(message, self.visibility)
            return message
        return None

    def delete(self, receipt: str) -> None:
        """Delete a message. Raises NotInFlightError."""
        self.refresh()
        self._remove(self._received(receipt))

    def change_visibility(self, receipt: str, seconds: float) -> None:
        """Hide a message for `seconds` from now on. Raises NotInFlightError, VisibilityTooLongError."""
        self.refresh()
        message = self._received(receipt)
        if self.clock() + seconds > message.received_at + LONGEST_VISIBILITY:
            raise VisibilityTooLongError(receipt)
        self._hide(message, seconds)

    def refresh(self) -> None:
        """Make messages visible whose visibility timeout is over."""
        now = self.clock()
        while self._hidden and self._hidden[0][0] <= now:
            _, receipt = heappop(self._hidden)
            message = self.in_flight.get(receipt)
            if message is not None and message.visible_at <= now:
                del self.in_flight[receipt]
                message.receipt = ""
                self._ready.append(message.group)

    def next_change(self) -> float | None:
        """The time at which the next message becomes visible: now if one is visible, None if the queue is empty."""
        self.refresh()
        if self._ready:
            return self.clock()
        return min((message.visible_at for message in self.in_flight.values()), default=None)

    def _received(self, receipt: str) -> Message:
        message = self.in_flight.get(receipt)
        if message is None:
            raise NotInFlightError(receipt)
        return message

    def _hide(self, message: Message, seconds: float) -> None:
        message.visible_at = self.clock() + seconds
        heappush(self._hidden, (message.visible_at, message.receipt))

    def _move_to_dead_letters(self, message: Message) -> None:
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
