"""The processor: claim ▸ load conversation ▸ run the bot ▸ commit (one transaction) ▸ enqueue the replies."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from parley.adapter import SupportsSilence
from parley.bot import Bot, Turn
from parley.bot.turn import Download
from parley.engine import queues, telemetry
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.batch import Record, describe, received, run
from parley.engine.deadline import DeadlineExceededError, deadline
from parley.engine.telemetry import log
from parley.errors import RetryAfter
from parley.journal.inbox import (
    AlreadyDecidedError,
    DecisionTooLargeError,
    Inbox,
    Snapshot,
    State,
    VersionConflictError,
)
from parley.model import AnyMedia, Destination, Message, Outgoing, Reply, message_key, reply_id
from parley.model.codec import decode_message, decode_outgoing, encode
from parley.platforms import outbound

MAX_ATTEMPTS = 5
"""How often the bot is started on a message before that is parked. What AWS fails on does not count."""

_TO_RECORD = 5.0
"""Seconds kept back of a worker's time to record what the bot has decided, or that it has not."""


class HandlerError(Exception):
    """The bot raised, took too long, or wants what cannot be stored."""


@dataclass(slots=True)
class Processor:
    """Handles the records of the inbound queue with one bot.

    A message whose handling fails is parked after `max_attempts`. They are counted in its row, and only once something
    went wrong: where the bot raises, and before it is started on what was handed out before, because a worker that dies
    of it leaves no other trace. Failures of AWS do not count: an outage may last.

    `until`: the moment of `time.monotonic` at which the bot has to be done, because the worker ends soon after it.
    """

    bot: Bot
    inbox: Inbox
    max_attempts: int = MAX_ATTEMPTS
    download: Download | None = None
    clock: Callable[[], float] = time.time
    until: float = math.inf

    def ends_in(self, seconds: float) -> None:
        """The worker will be killed in so many seconds: the bot may not take as long."""
        self.until = time.monotonic() + seconds - _TO_RECORD

    def __call__(self, record: Record) -> None:
        """Handle one record; whatever it raises keeps the record in the queue."""
        try:
            message = decode_message(record["body"])
            snapshot = self.inbox.open(message)
        except ValueError as error:  # msgspec's errors are ValueErrors too: of another version, or of nobody we know
            if received(record) < self.max_attempts:
                raise
            self._park(record, describe(error))
            return
        # Handed out for the first time, it may have been sent back by an operator, who wants it to be tried anew.
        attempt = 1 if received(record) == 1 else snapshot.attempts + 1
        try:
            self._handle(message, snapshot, attempt, again=received(record) > 1)
        except (RetryAfter, *AwsError):
            if received(record) > 1:
                self._take_back(message, attempt)
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, HandlerError) else describe(error)
            self._failed(message, reason, attempt, snapshot.version + 1)
            if attempt < self.max_attempts:
                raise
            self._park(record, reason)

    def _handle(self, message: Message, snapshot: Snapshot, attempt: int, *, again: bool) -> None:
        if snapshot.decided is not None:
            waiting = self._waiting(message, snapshot)
        elif attempt > self.max_attempts:
            raise HandlerError("the worker died of it each time")
        else:
            if again:
                self.inbox.attempted(message, attempt, self.clock())
            waiting = self._decide(message, snapshot)
        queues.send_replies(waiting)
        ids = {"platform": message.platform, "app": message.app, "message_id": message.id}
        log.info("message decided", extra={**ids, "key": message_key(message), "replies": len(waiting)})

    def _take_back(self, message: Message, attempt: int) -> None:
        """That attempt was none of the bot's. Where not even this can be noted, it counts."""
        try:
            self.inbox.attempted(message, attempt - 1, self.clock())
        except AwsError as error:
            log.warning("attempt not taken back", extra={"message_id": message.id, "error": error_code(error)})

    def _park(self, record: Record, reason: str) -> None:
        """Put `record` among the dead letters ourselves: SQS would do it only after a thousand times."""
        queues.park(record)
        log.error("message parked", extra={"record": record["messageId"], "error": reason})

    def _decide(self, message: Message, snapshot: Snapshot) -> list[Outgoing]:
        started = self.clock()
        state, replies = self._run_bot(message, snapshot.state)
        now = self.clock()
        replies += _silence(message, replies, now)
        rows = _readable([_outgoing(message, ordinal, reply, now) for ordinal, reply in enumerate(replies)])
        try:
            self.inbox.decide(message, snapshot, state, rows, now)
        except DecisionTooLargeError as error:
            raise HandlerError(str(error)) from error
        except VersionConflictError as error:
            raise RetryAfter(1, "the conversation changed meanwhile") from error
        except AlreadyDecidedError:
            return self._waiting(message, self.inbox.open(message))
        telemetry.duration("BotTime", now - started, platform=message.platform)
        telemetry.duration("DecisionTime", now - message.timestamp, platform=message.platform)
        return rows

    def _waiting(self, message: Message, snapshot: Snapshot) -> list[Outgoing]:
        """What was decided before and is not finished. Enqueued under the same ids, so repeating it is harmless."""
        telemetry.count("MessagesRedelivered", platform=message.platform)
        return self.inbox.waiting(message, snapshot.decided or 0)

    def _run_bot(self, message: Message, state: State) -> tuple[State, list[Reply]]:
        mine = copy.deepcopy(state)
        turn = Turn(message, mine, self.clock())
        if self.download is not None:
            turn.download = self.download
        started = time.monotonic()
        try:
            with deadline(self.until - started):
                replies = self.bot.handle(turn)
                msgspec.json.encode(turn.state)
        except DeadlineExceededError as late:
            raise HandlerError(f"not done after {time.monotonic() - started:.0f} s, at {late}") from late
        except Exception as error:
            raise HandlerError(describe(error)) from error
        return turn.state, replies

    def _failed(self, message: Message, reason: str, attempt: int, turn: int) -> None:
        """Note the reason for whoever is paged, and tell the person once when there are no further attempts."""
        telemetry.count("HandlerErrors", platform=message.platform)
        log.error("handler failed", extra={"message_id": message.id, "error": reason, "attempt": attempt})
        now = self.clock()
        self.inbox.failed(message, reason, attempt, now)
        if attempt >= self.max_attempts and self.bot.apology and message.kind != "event":
            apology = _outgoing(message, "apology", Reply.of(self.bot.apology), now)
            self.inbox.add(apology, now, turn)
            queues.send_replies([apology])


def _silence(message: Message, replies: list[Reply], now: float) -> list[Reply]:
    """What the platform wants done where none of `replies` is for the place of `message`; mostly nothing."""
    if any(reply.to is None for reply in replies):
        return []
    sending = outbound(message.platform)
    taken_back = sending.silence(message, now) if isinstance(sending, SupportsSilence) else None
    return [taken_back] if taken_back is not None else []


def _outgoing(message: Message, ordinal: int | str, reply: Reply, now: float) -> Outgoing:
    key = message_key(message)
    return Outgoing(
        id=reply_id(key, ordinal),
        message_key=key,
        ordinal=ordinal if isinstance(ordinal, int) else -1,
        to=reply.to or Destination.answering(message),
        reply=reply,
        created=now,
    )


def _readable(rows: list[Outgoing]) -> list[Outgoing]:
    """`rows`, unless one of them could not be read by who delivers it: better that its author knows now.

    Raises HandlerError.
    """
    for row in rows:
        try:
            decode_outgoing(encode(row))
        except (ValueError, TypeError) as error:
            # msgspec names the field and the types; the words of a reply are in neither.
            raise HandlerError(f"reply {row.ordinal} is not valid: {_where(error)}") from error
    return rows


def _where(error: Exception) -> str:
    return str(error) if isinstance(error, msgspec.ValidationError) else type(error).__name__


def processor_handler(bot: Bot) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The `lambda_handler` of the processor that runs `bot`."""
    processor: Processor | None = None

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        nonlocal processor
        processor = processor or Processor(
            bot=bot,
            inbox=Inbox(dynamodb(), setting("TABLE"), float(setting("RETENTION_DAYS", "30")) * 86_400),
            download=_download,
        )
        processor.ends_in(context.get_remaining_time_in_millis() / 1000)
        return run(event, setting("INBOUND_URL"), processor)

    return handler


@cache
def _downloads() -> Download:
    # Here and not above: most bots never download, and the HTTP client costs every cold start.
    from parley.engine.download import downloads  # noqa: PLC0415

    return downloads()


def _download(media: AnyMedia, message: Message) -> bytes:
    return _downloads()(media, message)
