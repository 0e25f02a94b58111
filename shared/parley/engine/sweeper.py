"""The sweeper: replies that no worker took, or whose worker died, go back to the queue. Idempotent. The same function
sends the reminders that are due (`parley.engine.timekeeper`).

While the outbound queue holds records, a reply most likely waits there for its turn: for a rate limit, for the reply
before it, or for a worker. Another record for each of them would only make the backlog larger.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from parley.engine import queues, telemetry
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.batch import describe
from parley.engine.telemetry import log
from parley.engine.timekeeper import Timekeeper
from parley.journal.outbox import Outbox
from parley.journal.rows import PICKUP_AFTER
from parley.journal.states import Row
from parley.journal.timers import Timers
from parley.model.agenda import Timer

if TYPE_CHECKING:
    from parley.bot import Bot

_BACKLOG_AFTER = 10 * PICKUP_AFTER
"""Seconds after which a reply is swept although the queue holds records. A reply that has no record although its
processor is at work gets one within about two minutes: the message is received again after 45 seconds, and its retries
are a minute apart at most. After ten minutes nobody else will bring it back."""
_AGAIN_AFTER = 10 * PICKUP_AFTER
"""Minimum of seconds before a reply is swept again. It may be waiting in the queue for its turn; another record for it
is harmless, but not free."""

_LONGEST = 20.0
"""Seconds after which a sweep leaves the rest to the next one: reminders wait for it in the same process."""
EVERY = 60.0
"""Seconds between two runs of the function."""


class Sweeper(msgspec.Struct):
    """Sweeps one outbox."""

    outbox: Outbox
    clock: Callable[[], float] = time.time

    def __call__(self) -> int:
        """Enqueue the replies that are due, and return their number. Raises the first refusal after all others are
        swept.
        """
        now = self.clock()
        found = list(self.outbox.due(now if _queue_is_empty() else now + PICKUP_AFTER - _BACKLOG_AFTER))
        for key in (key for key in found if isinstance(key, str)):
            telemetry.count("RowsUnreadable")
            log.error("a reply's row is not readable", extra={"key": key})
        # In the order of their decisions: they may belong to the same conversation.
        due = sorted((row for row in found if isinstance(row, Row)), key=lambda row: row.position)
        swept, refused = 0, dict[str, Exception]()
        for row in due:
            if self.clock() > now + _LONGEST:
                log.warning("sweep ended early", extra={"swept": swept, "due": len(due)})
                break
            if row.out.to.key in refused:
                continue  # a later reply must not overtake a refused one
            try:
                swept += self._sweep(row, now)
            except (ClientError, queues.TooLargeError) as error:
                # One reply that no queue accepts must not keep the others from being swept.
                refused[row.out.to.key] = error
                log.error("reply not swept", extra={**telemetry.ids_of_reply(row.out), "error": error_code(error)})
        telemetry.count("RepliesSwept", swept)
        if refused:
            raise next(iter(refused.values()))
        return swept

    def _sweep(self, row: Row, now: float) -> bool:
        # The queue first: a crash in between sweeps it twice, which is harmless. The other order would lose it.
        queues.send_swept(row.out, row.updated)
        # The wait grows with the age of the reply: more copies of it would not speed it up.
        if not self.outbox.postpone(row, now, now + max(_AGAIN_AFTER, now - row.updated)):
            return False
        log.warning("reply swept", extra={**telemetry.ids_of_reply(row.out), "state": str(row.state)})
        return True


def _queue_is_empty() -> bool:
    """Whether the outbound queue is empty. If SQS does not say, it is taken for one that is not."""
    try:
        return queues.is_outbound_empty()
    except AwsError as error:
        log.warning("outbound queue not counted", extra={"error": error_code(error)})
        return False


def run(sweeper: Sweeper, timekeeper: Timekeeper, until: float) -> dict[str, int]:
    """Sweep, and then send the reminders that are due by the unix second `until`. One that fails does not keep the
    other from its work.
    """
    try:
        swept = sweeper()
    finally:
        sent = timekeeper(until)
    return {"swept": swept, "sent": sent}


@cache
def _sweeper() -> Sweeper:
    return Sweeper(Outbox(dynamodb(), setting("TABLE"), lease=0))


@cache
def _timekeeper() -> Timekeeper:
    return Timekeeper(Timers(dynamodb(), setting("TABLE")), schedules=_schedules)


def _schedules(now: float) -> list[Timer] | None:
    """The schedules of the bot. A bot that cannot be imported keeps no reply and no reminder back."""
    try:
        bot: Bot = import_module("bot").bot
    except Exception as error:  # noqa: BLE001  # the bot's own code
        log.error("bot not loaded", extra={"error": describe(error)})
        return None
    return bot.timers(now)


def lambda_handler(_event: Mapping[str, Any], _context: object) -> dict[str, int]:
    """The `lambda_handler` of the sweeper. It waits for the reminders that are due before its next run."""
    return run(_sweeper(), _timekeeper(), time.time() + EVERY)
