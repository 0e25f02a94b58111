"""The processor: claim ▸ load conversation ▸ run the bot ▸ commit (one transaction) ▸ deliver the replies, or enqueue
them.
"""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from parley.bot import Bot
from parley.bot.turn import Download, FindQuote, Unseal
from parley.engine import queues, services, telemetry
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.batch import Record, describe, hide, received, run
from parley.engine.bot_run import BotRun, HandlerError, named
from parley.engine.outgoing import apology_of, draft_in, is_awaited, outgoing_of, with_lag
from parley.engine.snapshot import reseed_after_restore
from parley.engine.telemetry import log
from parley.errors import RetryAfter
from parley.journal.inbox import (
    AlreadyDecidedError,
    DecisionTooLargeError,
    Inbox,
    Snapshot,
    VersionConflictError,
)
from parley.journal.runs import Runs
from parley.model import Message, Outgoing
from parley.model.agenda import MERGE, ending
from parley.model.codec import decode_message

if TYPE_CHECKING:
    from parley.bot.logins import Users
    from parley.engine.direct import Direct, Held
    from parley.engine.heartbeat import Heartbeat
    from parley.engine.stops import Stops
    from parley.engine.tenants import Tenancy
    from parley.journal.names import Person

MAX_ATTEMPTS = 5
"""Starts of the bot on a message before it goes to the dead-letter queue (the parameter `BotAttempts`). Failures of AWS
do not count.
"""

_RUNS = 3
"""Runs of the bot on a message in a row, while other conversations change the state of the person or of the app."""
_TICK = 0.001
"""Seconds that two decisions of a conversation are apart at least."""
_TO_RECORD = 10.0
"""Seconds of the worker's time that the bot does not get: they are for recording the decision or the failure. The
function's timeout is longer than `BotSeconds` of template.yaml by them."""
LONGEST_UNWATCHED = 45.0
"""Seconds that the bot may have without a heartbeat. The queue hides a record for 15 seconds longer: the death of a
worker is noticed within a minute."""
_TO_DELIVER = 30.0
"""Seconds for the deliveries at once after a run with a heartbeat. Their leases end soon after them, so that the next
worker does not wait for the leases of a dead one."""


class Decided(msgspec.Struct, frozen=True):
    """The replies of a decision that is stored. `held`: those that this worker delivers itself, if there are any.

    `due`: messages for other conversations, whose timers are set. What is not sent, the sweeper sends.
    """

    replies: list[Outgoing]
    held: "Held | None"
    due: list[Message]


@dataclass(slots=True)
class Processor:
    """Handles the records of the inbound queue with one bot.

    A message goes to the dead-letter queue after `max_attempts` failures. They are counted in its row, from the first
    failure on: when the bot raises, and before it starts on a message that was delivered before, because a worker that
    dies leaves no other trace. Failures of AWS do not count: an outage may last for hours.

    `direct` delivers replies at once; None leaves all of them to the outbound queue. `until`: the time of
    `time.monotonic` by which the bot has to be done, because the worker ends soon after it. `hide` hides a record for
    some seconds; it keeps the record of a long run hidden while this worker lives.
    """

    bot: Bot
    inbox: Inbox
    max_attempts: int = MAX_ATTEMPTS
    download: Download | None = None
    direct: "Direct | None" = None
    unseal: Unseal | None = None
    person: "Callable[[Message], Person] | None" = None
    quote: FindQuote | None = None
    users: "Callable[[], Users] | None" = None
    tenancy: "Tenancy | None" = None
    clock: Callable[[], float] = time.time
    until: float = math.inf
    hide: Callable[[Record, int], None] | None = None
    repeat: "Callable[..., AbstractContextManager[object]] | None" = None
    """Repeats steps while the bot runs: `parley.engine.repeating` by default."""
    _heartbeat: "Heartbeat | None" = field(default=None, init=False)
    _stops: "Stops | None" = field(default=None, init=False)
    _arrived: float | None = field(default=None, init=False)

    def ends_in(self, seconds: float) -> None:
        """Lambda kills the worker in `seconds`: the bot has to end before."""
        self.until = time.monotonic() + seconds - _TO_RECORD
        if self.direct is not None:
            self.direct.ends_in(seconds)

    def __call__(self, record: Record) -> None:
        """Handle one record. Every exception keeps the record in the queue."""
        if self.hide is None or not LONGEST_UNWATCHED < self.until - time.monotonic() < math.inf:
            self._handle(record)
            return
        from parley.engine.heartbeat import Heartbeat  # noqa: PLC0415  # most bots have no long runs
        from parley.engine.repeating import Repeating  # noqa: PLC0415
        from parley.engine.stops import FIRST, Stops  # noqa: PLC0415

        self._heartbeat = Heartbeat(partial(self.hide, record), self.clock)
        self._stops = Stops(partial(self._go_on, record))
        try:
            with (self.repeat or Repeating)((0, self._heartbeat.beat), (FIRST, self._stops.look)):
                self._handle(record)
        finally:
            self._heartbeat = self._stops = None

    def _is_late(self) -> bool:
        """Whether another worker may have the record."""
        return self._heartbeat is not None and self._heartbeat.is_late

    def _is_stopped(self) -> bool:
        """Whether a person wants the run to stop."""
        return self._stops is not None and self._stops.is_stopped

    def _go_on(self, record: Record) -> bool:
        """Record that the run goes on. False if it has to stop. Raises AwsError."""
        return Runs(self.inbox.client, self.inbox.table).go_on(decode_message(record["body"]), self.clock())

    def _handle(self, record: Record) -> None:
        try:
            message = decode_message(record["body"])
            telemetry.tell(telemetry.ids_of(message))
            snapshot = self.inbox.open(message) if message.context.authorisation is UNSET else None
        except ValueError as error:  # msgspec's errors are ValueErrors; another version may have written it
            if received(record) < self.max_attempts:
                raise
            self._give_up(record, describe(error))
            return
        if snapshot is None:
            self._authorise(record, message)
        elif self._is_ready(record, message, snapshot):
            self._handle_message(record, decode_message(snapshot.joined) if snapshot.joined else message, snapshot)

    def _authorise(self, record: Record, message: Message) -> None:
        """Handle what an organisation did with the app. One that is lost is for the operator."""
        from parley.engine.tenants import InstallationLostError, tenancy  # noqa: PLC0415  # few apps have tenants

        try:
            (self.tenancy or tenancy())(message)
        except InstallationLostError as error:
            if message.context.authorisation == "claimed" and received(record) == 1:
                # Everybody can invent a code. One that was good has been tried before, by a worker that died.
                telemetry.count("InstallationsRefused", platform=message.platform)
                log.warning("installation refused", extra={**telemetry.ids_of(message), "reason": str(error)})
                return
            telemetry.count("InstallationsLost", platform=message.platform)
            self._give_up(record, str(error))

    def _is_ready(self, record: Record, message: Message, snapshot: Snapshot) -> bool:
        """See `parley.engine.merging`."""
        if not self.bot.merge and message.event != MERGE:
            return True
        from parley.engine.merging import Merging  # noqa: PLC0415  # most bots handle each message alone

        return Merging(self.inbox, self.bot.merge, self.clock, self._handle_message).is_ready(record, message, snapshot)

    def _handle_message(self, record: Record, message: Message, snapshot: Snapshot) -> None:
        if snapshot.decided is not None:
            self._enqueue_again(message, snapshot)
            return
        self._arrived = queues.arrival(record)
        # A first delivery of this record: an operator may have sent the message back, and expects a new count.
        again = received(record) > 1
        attempt = snapshot.attempts + 1 if again else 1
        try:
            if message.kind == "event":
                from parley.engine import installations  # noqa: PLC0415  # most messages are no events

                installations.note(message, self.tenancy)
            decision = self._start(message, snapshot, attempt, again=again)
        except AlreadyDecidedError:
            self._enqueue_again(message, self.inbox.open(message))
            return
        except (RetryAfter, *AwsError):
            if again and not self._is_late():
                self._uncount(message, attempt)
            raise
        except Exception as error:
            if self._is_late():
                raise RetryAfter(1, "another worker may have the record") from error
            reason = str(error) if isinstance(error, HandlerError) else describe(error)
            self._log_failure(message, reason, attempt, error)
            self._failed(message, snapshot, reason, attempt)
            if attempt < self.max_attempts:
                raise
            self._give_up(record, reason)
            return
        self._deliver(message, decision)

    def _start(self, message: Message, snapshot: Snapshot, attempt: int, *, again: bool) -> Decided:
        if attempt > self.max_attempts:
            raise HandlerError(snapshot.reason or "the worker died in each attempt")
        if again:
            self.inbox.attempted(message, attempt, self.clock())
        for _ in range(_RUNS):
            started = time.monotonic()
            try:
                return self._decide(message, snapshot, is_last=attempt >= self.max_attempts)
            except VersionConflictError:
                # Another conversation has changed the state of the person or of the app. The bot runs on the new one.
                snapshot = self.inbox.open(message)
                if snapshot.decided is not None:
                    raise AlreadyDecidedError from None
            if 2 * time.monotonic() - started > self.until:
                break  # there is no time for another run as long as this one
        raise RetryAfter(1, "the state changed meanwhile")

    def _deliver(self, message: Message, decision: Decided) -> None:
        """Deliver what can be delivered at once, and enqueue the other replies.

        A failure here is not the bot's. The decision is stored, and the next delivery of the message goes on from it.
        """
        left = decision.replies
        if self.direct is not None and decision.held is not None:
            left = self.direct.deliver(decision.held, left)
        self._enqueue(message, left)
        queues.send_messages(decision.due)
        log.info("message decided", extra={**telemetry.ids_of(message), "enqueued": len(left)})

    def _enqueue_again(self, message: Message, snapshot: Snapshot) -> None:
        """Enqueue the replies that were decided before and are not final, under the same ids."""
        telemetry.count("MessagesRedelivered", platform=message.platform)
        waiting = self.inbox.waiting(message, snapshot.decided or 0)
        self._enqueue(message, waiting)
        log.info("message redelivered", extra={**telemetry.ids_of(message), "enqueued": len(waiting)})

    def _enqueue(self, message: Message, replies: list[Outgoing]) -> None:
        self.inbox.queued(message, replies, self.clock())
        queues.send_replies(replies)

    def _uncount(self, message: Message, attempt: int) -> None:
        """Uncount an attempt that failed because of AWS. If that fails as well, the attempt counts."""
        try:
            self.inbox.attempted(message, attempt - 1, self.clock())
        except AwsError as error:
            log.warning("attempt not uncounted", extra={**telemetry.ids_of(message), "error": error_code(error)})

    def _give_up(self, record: Record, reason: str) -> None:
        """Move `record` to the dead-letter queue. SQS itself would do it after a thousand receives only."""
        queues.move_to_dead_letters(record)
        log.error("message moved to the dead-letter queue", extra={"record": record["messageId"], "error": reason})

    def _decide(self, message: Message, snapshot: Snapshot, *, is_last: bool) -> Decided:
        """Run the bot, prepare what can be delivered at once, and store the decision. `is_last`: see `Turn`.

        Raises AlreadyDecidedError, VersionConflictError.
        """
        bot = self._run_of(message, snapshot)
        bot.turn.is_last = is_last
        started = self.clock()
        replies = bot.replies()
        if self.direct is not None and self._heartbeat is not None:
            self.direct.ends_in(min(_TO_DELIVER, self.until + _TO_RECORD - time.monotonic()))
        now = self._now_after(snapshot)
        rows = with_lag(outgoing_of(message, replies, bot.draft, now), self._arrived, now - started)
        held = self.direct.prepare(message, snapshot, rows) if self.direct is not None else None
        decision = bot.decision(rows, held.leases if held else {})
        try:
            self.inbox.decide(message, snapshot, decision, self.clock())
        except DecisionTooLargeError as error:
            raise HandlerError(str(error)) from error
        except AwsError:
            if self.direct is not None and held is not None:
                self.direct.give_back(held, rows)
            raise
        telemetry.duration("BotTime", now - started, platform=message.platform)
        telemetry.duration("DecisionTime", now - message.timestamp, platform=message.platform)
        return Decided(rows, held, [timer.due for timer in decision.timers if timer.at <= now])

    def _run_of(self, message: Message, snapshot: Snapshot) -> BotRun:
        direct, is_late = self.direct, self._is_late
        run = BotRun(
            self.bot,
            self.inbox,
            named(message, self.person),
            snapshot,
            self.clock,
            self.until,
            self.download,
            self.unseal,
            partial(direct.draft, message, snapshot, is_late) if direct is not None else None,
            is_late,
            self._is_stopped,
            self.users,
        )
        run.turn.find_heard = lambda count: [named(each, self.person) for each in run.heard(count)]
        if self.quote is not None:
            run.turn.find_quote = self.quote
        return run

    def _now_after(self, snapshot: Snapshot) -> float:
        """The time of a decision: after the one whose reply is the last in the queue, also if clocks disagree."""
        return max(self.clock(), snapshot.latest + _TICK)

    def _log_failure(self, message: Message, reason: str, attempt: int, error: Exception) -> None:
        from parley.engine.failures import traceback_of  # noqa: PLC0415  # most messages do not fail

        telemetry.count("HandlerErrors", platform=message.platform)
        shown = {"attempt": attempt, "error": reason, "traceback": traceback_of(error.__cause__ or error)}
        log.error("handler failed", extra={**telemetry.ids_of(message), **shown})

    def _failed(self, message: Message, snapshot: Snapshot, reason: str, attempt: int) -> None:
        """Record the reason for the operator. After the last attempt, send the person an apology, once; or end the
        dialogue that the message has brought on, with a message for the person whose dialogue it is.
        """
        now = self._now_after(snapshot)
        self.inbox.failed(message, reason, attempt, now)
        if attempt < self.max_attempts:
            return
        from parley.bot.open_dialogues import failure_of  # noqa: PLC0415  # most messages do not fail

        failure = failure_of(message, snapshot.memory.agenda)
        if failure is not None:
            queues.send_messages([ending(message, message.id, failure, now)])
        text = self.bot.apology_for(message) if failure is None and is_awaited(message) else ""
        draft = draft_in(self.inbox.open(message).results, message)
        for apology in apology_of(message, text, draft, now):
            self._enqueue(message, self.inbox.add(apology, now))


def processor_handler(bot: Bot) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The `lambda_handler` of the processor that runs `bot`.

    `PARLEY_DELIVER_AT_ONCE=false` leaves all replies to the deliverer.
    """
    processor: Processor | None = None
    reseed_after_restore()
    direct = _direct()

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        nonlocal processor
        processor = processor or Processor(
            bot=bot,
            inbox=Inbox(dynamodb(), setting("TABLE"), float(setting("RETENTION_DAYS", "30")) * 86_400),
            max_attempts=int(setting("BOT_ATTEMPTS", str(MAX_ATTEMPTS))),
            download=services.download,
            direct=direct() if direct is not None else None,
            unseal=services.unseal,
            person=services.person,
            hide=partial(hide, setting("INBOUND_URL")),
            quote=services.quote,
            users=services.users,
        )
        processor.ends_in(context.get_remaining_time_in_millis() / 1000)
        return run(event, setting("INBOUND_URL"), processor)

    return handler


def _direct() -> "Callable[[], Direct] | None":
    """The maker of the direct delivery; None if it is switched off. The import takes long, so it is done while the
    function starts, and not while the first message waits.
    """
    if setting("DELIVER_AT_ONCE", "true") != "true":
        return None
    from parley.engine.direct import direct  # noqa: PLC0415

    return direct
