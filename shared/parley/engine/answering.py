"""Answers within the callback: wait on the journal for the bot's replies and give back what the platform takes so."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import msgspec

from parley.engine import telemetry
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.telemetry import log
from parley.journal.inbox import Inbox
from parley.journal.outbox import LeaseLost, Outbox
from parley.journal.passive import MOST_PARTS, NotCommitted, Part, Passive
from parley.journal.rows import rewritten
from parley.journal.states import FINAL, ReplyState, Row
from parley.model import Message
from parley.platform import Accepted, Answering, App, Request, Response

_POLL = 0.1
_LAST_DELIVERY = 3
"""Deliveries that are waited on. The platforms' documents do not say whether they deliver three or four times: the
third is answered, and a fourth then never comes."""
_AGAIN = Response(504, b"", "text/plain")
"""No answer: the platform delivers the message once more, and that delivery goes on waiting."""
LEASE = 6.0
"""Seconds for which a callback holds replies: longer than it waits, and over before the platform's next delivery of the
message is. What it says is recorded first, so that a lease that ends leaves no doubt."""
_OWNER = "callback-"


class _Unsure(Exception):
    """Nobody knows whether the answer is recorded."""


@dataclass(slots=True)
class Answers:
    """Waits for answers on behalf of one platform's callbacks."""

    inbound: Answering
    inbox: Inbox
    outbox: Outbox
    passive: Passive
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def respond(self, request: Request, app: App, accepted: Accepted, started: float) -> Response:
        """The response to a callback whose message is queued, at most `accepted.answer_within` after `started`."""
        message, until = accepted.messages[0], started + accepted.answer_within
        number = _LAST_DELIVERY
        try:
            arrival = self.passive.arrived(message, self.clock())
            number = arrival.number
            response = self._waited(request, app, message, until) if arrival.answered is None else arrival.answered
        except AwsError as error:
            # The message is safe in the queue; its answer goes with the next delivery, or the other way.
            log.warning("no answer within the callback", extra={"app": app.name, "error": error_code(error)})
            response = _AGAIN
        if isinstance(response, str):
            return _read(response)
        return accepted.response if response is None or (response is _AGAIN and number >= _LAST_DELIVERY) else response

    def _waited(self, request: Request, app: App, message: Message, until: float) -> Response | None:
        """The answer, once there is one; _AGAIN if it may come later, None if it goes another way."""
        count = self._wait(message, until)
        if count is None:
            return _AGAIN
        try:
            return self._settled(request, app, message, count, until)
        except _Unsure:
            # Given now it might be said twice, and kept to ourselves it might be lost: the next delivery finds out.
            return _AGAIN

    def _settled(self, request: Request, app: App, message: Message, count: int, until: float) -> Response | None:
        """The answer that this delivery of `message` gives, or that another one of it has given meanwhile: the platform
        may look at either. None where there is none.
        """
        while True:
            response = self._answer(request, app, message, count)
            if response is None:
                given = self.passive.answered(message)
                response = _read(given) if given else None
            if response is not None or not self._is_being_said(message, count):
                return response
            if self.clock() >= until:
                return _AGAIN
            self.sleep(_POLL)

    def _is_being_said(self, message: Message, count: int) -> bool:
        """Whether another callback holds a reply to `message`."""
        rows = self.inbox.replies(message, count) if count else []
        return any(row.state is ReplyState.SENDING and row.owner.startswith(_OWNER) for row in rows)

    def _wait(self, message: Message, until: float) -> int | None:
        """The number of replies as soon as the message is decided; None if that is not before `until`."""
        while True:
            count = self.passive.decided(message)
            if count is not None or self.clock() >= until:
                return count
            self.sleep(min(_POLL, max(0.0, until - self.clock())))

    def _answer(self, request: Request, app: App, message: Message, count: int) -> Response | None:
        """Say what can be said. None where there is nothing, or another worker is already saying it."""
        owner, taken = f"{_OWNER}{uuid4().hex}", list[Row]()
        try:
            self._take([*self.passive.owed(message), *self.inbox.replies(message, count)], owner, taken)
            if not taken:
                return None
            answered = self.inbound.answer(request, app, message, tuple(row.out.reply for row in taken), self.clock())
        except Exception:
            self._give_back(taken, owner, "not said within the callback")
            raise
        parts = [Part(row.out, said=number < answered.said) for number, row in enumerate(taken)]
        if answered.rest is not None:
            cut = taken[answered.said]
            left = msgspec.structs.replace(cut.out, reply=answered.rest)
            parts[answered.said] = Part(left, said=False, body=rewritten(cut.stored, left))
        given = msgspec.json.encode(_Given.of(answered.response)).decode()
        try:
            self.passive.commit(message, parts, owner, given, self.clock())
        except NotCommitted as refused:
            self._give_back(taken, owner, str(refused))
            return None
        except AwsError as error:
            log.warning("answer not known to be recorded", extra={"app": app.name, "error": error_code(error)})
            raise _Unsure from error
        telemetry.count("RepliesSent", answered.said, platform=app.platform)
        return answered.response

    def _take(self, rows: list[Row], owner: str, taken: list[Row]) -> None:
        """Add to `taken` those of `rows`, from the first, that nobody else is saying or has begun to say."""
        for row in rows[:MOST_PARTS]:
            if row.state in FINAL:
                continue
            old = self.outbox.take(row.out.id, owner, self.clock(), calls=False) if _untouched(row) else None
            if not isinstance(old, Row):
                break
            taken.append(old)

    def _give_back(self, taken: list[Row], owner: str, reason: str) -> None:
        """Nothing of `taken` was said: others need not wait for the lease to end."""
        for row in taken:
            try:
                self.outbox.release(
                    row.out, owner, row.receipts, self.clock(), wait=0, reason=reason, unclear_since=None
                )
            except (LeaseLost, *AwsError) as error:
                log.warning("reply not given back", extra={"reply_id": row.out.id, "error": error_code(error)})


def _untouched(row: Row) -> bool:
    """Nobody has begun to say it. One that a callback holds can be taken when its lease is over."""
    held = row.state is ReplyState.SENDING and row.owner.startswith(_OWNER)
    return (held or row.state is ReplyState.PENDING) and not row.receipts and row.unclear_since is None


class _Given(msgspec.Struct, frozen=True):
    """An answer as it is kept for a delivery that comes again."""

    status: int
    body: bytes
    content_type: str

    @classmethod
    def of(cls, response: Response) -> "_Given":
        return cls(response.status, response.body, response.content_type)

    def response(self) -> Response:
        return Response(self.status, self.body, self.content_type)


def _read(given: str) -> Response:
    return msgspec.json.decode(given, type=_Given).response()


def answers(inbound: Answering) -> Answers:
    """The answers of this process."""
    table, keep_for = setting("TABLE"), float(setting("RETENTION_DAYS", "30")) * 86_400
    return Answers(
        inbound,
        Inbox(dynamodb(), table, keep_for),
        Outbox(dynamodb(), table, LEASE),
        Passive(dynamodb(), table, keep_for),
    )
