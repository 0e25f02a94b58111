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
        message = accepted.messages[0]
        try:
            arrival = self.passive.arrived(message, self.clock())
            if arrival.answered is not None:
                return msgspec.json.decode(arrival.answered, type=_Given).response()
            count = self._wait(message, started + accepted.answer_within)
            if count is None:
                return _AGAIN if arrival.number < _LAST_DELIVERY else accepted.response
            return self._answer(request, app, message, count) or accepted.response
        except AwsError as error:
            # The message is safe in the queue; its answer goes the other way, or with the next delivery.
            log.warning("no answer within the callback", extra={"app": app.name, "error": error_code(error)})
            return accepted.response

    def _wait(self, message: Message, until: float) -> int | None:
        """The number of replies as soon as the message is decided; None if that is not before `until`."""
        while True:
            count = self.passive.decided(message)
            if count is not None or self.clock() >= until:
                return count
            self.sleep(min(_POLL, max(0.0, until - self.clock())))

    def _answer(self, request: Request, app: App, message: Message, count: int) -> Response | None:
        """Say what can be said. None where there is nothing, or another worker is already saying it."""
        owner, taken = uuid4().hex, list[Row]()
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
        telemetry.count("RepliesSent", answered.said, platform=app.platform)
        return answered.response

    def _take(self, rows: list[Row], owner: str, taken: list[Row]) -> None:
        """Add to `taken` those of `rows`, from the first, that nobody else is saying or has begun to say."""
        for row in rows[:MOST_PARTS]:
            if row.state in FINAL:
                continue
            old = self.outbox.take(row.out.id, owner, self.clock()) if _untouched(row) else None
            if not isinstance(old, Row):
                break
            taken.append(old)

    def _give_back(self, taken: list[Row], owner: str, reason: str) -> None:
        """Nothing of `taken` was said: without this their lease would end in doubt, and they in UNKNOWN."""
        for row in taken:
            try:
                self.outbox.release(
                    row.out, owner, row.receipts, self.clock(), wait=0, reason=reason, unclear_since=None
                )
            except (LeaseLost, *AwsError) as error:
                log.warning("reply not given back", extra={"reply_id": row.out.id, "error": error_code(error)})


def _untouched(row: Row) -> bool:
    return row.state is ReplyState.PENDING and not row.receipts and row.unclear_since is None


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


def answers(inbound: Answering) -> Answers:
    """The answers of this process."""
    table, keep_for = setting("TABLE"), float(setting("RETENTION_DAYS", "30")) * 86_400
    return Answers(
        inbound,
        Inbox(dynamodb(), table, keep_for),
        Outbox(dynamodb(), table, float(setting("LEASE_SECONDS", "26"))),
        Passive(dynamodb(), table, keep_for),
    )
