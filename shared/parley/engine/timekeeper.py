"""The timekeeper: puts the messages of timers whose time has come into the inbound queue. Idempotent.

A message has the same id however often it is sent. The inbox recognises it, and SQS drops a repetition within minutes.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from parley.cron import next_time
from parley.engine import queues, telemetry
from parley.engine.telemetry import log
from parley.journal.timers import Set, Timers
from parley.model import Conversation
from parley.model.agenda import SCHEDULED, Timer

_AGAIN_AFTER = 1.0
"""Seconds until the next try if nothing could be sent."""
_RECORDED = 100
"""Timers that are recorded together: as many as a transaction takes. If a run is killed, the next one sends at most so
many again, however long the backlog is."""


class Timekeeper(msgspec.Struct):
    """Sends the messages of `timers`. `schedules` returns those of the bot; None if the bot cannot be loaded."""

    timers: Timers
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    schedules: Callable[[float], Sequence[Timer] | None] = lambda _now: None
    _known: frozenset[str] = frozenset()
    """The ids of the bot's schedules, which are set."""
    _ready_at: float | None = None
    """The unix second at which they were set."""

    def __call__(self, until: float) -> int:
        """Send the messages of all timers that are due by the unix second `until`, each at its time. Returns their
        number. Raises AwsError.
        """
        self.set_schedules()
        sent, unreadable = 0, set[str]()
        while self.clock() <= until and (following := self.timers.next(until)) is not None:
            self.sleep(max(0.0, following - self.clock()))
            now = self._send_due(unreadable)
            sent += now
            if not now:
                # The queue has refused it, or the index still shows one that was sent.
                self.sleep(_AGAIN_AFTER)
        return sent

    def set_schedules(self) -> None:
        """Set the bot's schedules, once in this process. Raises AwsError."""
        if self._ready_at is not None:
            return
        now = self.clock()
        timers = self.schedules(now)
        if timers is None:
            return  # the next run tries again
        for timer in timers:
            self.timers.ensure(timer)
        self._known = frozenset(timer.message.id for timer in timers)
        self._ready_at = now

    def _is_over(self, timer: Timer) -> bool:
        """Whether `timer` is a schedule that the bot no longer has. One that was set later than those of this process
        is of a newer version, which has been deployed meanwhile.
        """
        is_unknown = timer.message.event == SCHEDULED and timer.message.id not in self._known
        return is_unknown and self._ready_at is not None and timer.since < self._ready_at

    def _send_due(self, unreadable: set[str]) -> int:
        """Send what is due now. Rows that cannot be read are reported once, and added to `unreadable`."""
        now, total = self.clock(), 0
        sent, refused = list[Set](), set[str]()
        for batch in _batches(self._due(now, unreadable)):
            accepted = [each for each in batch if _conversation(each) not in refused]
            wrong = queues.send_together([each.timer.due for each in accepted]) if accepted else {}
            for number, each in enumerate(accepted):
                if number in wrong:
                    refused.add(_conversation(each))  # a later message of the conversation must not overtake it
                    log.error("reminder not sent", extra={**telemetry.ids_of(each.timer.due), "error": wrong[number]})
                else:
                    sent.append(each)
            if len(sent) >= _RECORDED:
                total += self._record(sent, now)
                sent = []
        return total + self._record(sent, now)

    def _due(self, now: float, unreadable: set[str]) -> Iterator[Set]:
        for found in self.timers.due(now):
            if isinstance(found, Set) and self._is_over(found.timer):
                self.timers.sent([(found, None)])
            elif isinstance(found, Set):
                yield found
            elif found not in unreadable:
                unreadable.add(found)
                telemetry.count("RowsUnreadable")
                log.error("a timer's row is not readable", extra={"key": found})

    def _record(self, sent: list[Set], now: float) -> int:
        """Record that timers were sent. Returns their number. Raises AwsError."""
        # The queue first: a crash in between sends them again, which is harmless. The other order would lose them.
        self.timers.sent([(each, _following(each.timer, now)) for each in sent])
        if sent:
            telemetry.count("RemindersSent", len(sent))
        return len(sent)


def _batches(due: Iterable[Set]) -> Iterator[list[Set]]:
    """`due` in requests to SQS. No request has two messages of a conversation: SQS could refuse the first of them."""
    batch, here = list[Set](), set[str]()
    for each in due:
        key = _conversation(each)
        if key in here or len(batch) == queues.MAX_TOGETHER:
            yield batch
            batch, here = [], set[str]()
        batch.append(each)
        here.add(key)
    if batch:
        yield batch


def _conversation(each: Set) -> str:
    return Conversation.of(each.timer.message).key


def _following(timer: Timer, now: float) -> Timer | None:
    """`timer` with its next time; None if it does not come again. Times that have passed meanwhile are left out."""
    if not timer.cron:
        return None
    try:
        return msgspec.structs.replace(timer, at=next_time(timer.cron, timer.zone, max(timer.at, now)))
    except ValueError as error:  # a time zone that this version does not know any more
        log.error("reminder has no next time", extra={**telemetry.ids_of(timer.message), "error": str(error)})
        return None
