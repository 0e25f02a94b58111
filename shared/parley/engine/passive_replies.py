"""Answers within the callback: wait on the journal for the bot's replies and give back what the platform takes so."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import msgspec

from parley.adapter import Accepted, App, PassiveReply, Request, Response, SupportsPassiveReply
from parley.engine import telemetry
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.telemetry import log
from parley.journal.inbox import Inbox
from parley.journal.outbox import LeaseLostError, Outbox
from parley.journal.passive import MOST_PARTS, NotCommittedError, Part, Passive
from parley.journal.rows import rewritten
from parley.journal.states import FINAL, Decided, ReplyState, Row
from parley.model import Conversation, Message, Reply

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
_GRACE = 0.3
"""Seconds that recording and giving an answer may take once the time for waiting is over."""


class _Unsure(Exception):
    """Nobody knows whether the answer is recorded."""


class _Late(Exception):
    """The platform waits no longer: what this delivery says nobody hears."""


@dataclass(slots=True)
class PassiveReplies:
    """Waits for answers on behalf of one platform's callbacks.

    Whatever a delivery is told, but to come again, is recorded before: one answer to each message, by whichever of its
    deliveries comes first. So a callback that stood still while another one told the platform that the replies go
    another way can no longer take them along.
    """

    inbound: SupportsPassiveReply
    inbox: Inbox
    outbox: Outbox
    passive: Passive
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def respond(self, request: Request, app: App, accepted: Accepted, started: float) -> Response:
        """The response to a callback whose message is queued, at most `accepted.passive_reply_within` after `started`."""
        message, until = accepted.messages[0], started + accepted.passive_reply_within
        try:
            arrival = self.passive.arrived(message, self.clock())
            if arrival.answered is not None:
                return _read(arrival.answered)
            response = self._waited(request, app, message, until)
            if response is None or (response is _AGAIN and arrival.number >= _LAST_DELIVERY):
                response = self._close(message, accepted.response, until)
        except AwsError as error:
            # The message is safe in the queue; its answer goes with the next delivery, or the other way.
            log.warning("no answer within the callback", extra={"app": app.name, "error": error_code(error)})
            return _AGAIN
        return response

    def _waited(self, request: Request, app: App, message: Message, until: float) -> Response | None:
        """The answer, once there is one; _AGAIN if it may come later, None if it goes another way."""
        decided = self._wait(message, until)
        if decided is None:
            return _AGAIN
        try:
            return self._settled(request, app, message, decided, until)
        except (_Late, _Unsure):
            # Given now it might be said twice, and kept to ourselves it might be lost: the next delivery finds out.
            return _AGAIN

    def _close(self, message: Message, nothing: Response, until: float) -> Response:
        """Tell the platform `nothing`, unless another delivery was given an answer meanwhile: the replies go another
        way from now on.
        """
        if self._is_late(until):
            return _AGAIN
        try:
            self.passive.commit(message, (), "", _written(nothing), self.clock())
        except NotCommittedError:
            given = self.passive.answered(message)
            return _read(given) if given else _AGAIN
        return nothing

    def _settled(self, request: Request, app: App, message: Message, decided: Decided, until: float) -> Response | None:
        """The answer that this delivery of `message` gives, or that another one of it has given meanwhile: the platform
        may look at either. None where there is none.
        """
        while True:
            turn = self._is_turn(message, decided)
            response = self._answer(request, app, message, decided.replies, until) if turn else None
            if response is None:
                given = self.passive.answered(message)
                response = _read(given) if given else None
            if response is not None or (turn and not self._is_being_said(message, decided.replies)):
                return response
            if self.clock() >= until:
                return _AGAIN
            self.sleep(_POLL)

    def _is_turn(self, message: Message, decided: Decided) -> bool:
        """Whether all that the conversation was told before is said, or comes along with this answer. Of what was told
        before that, nothing is left then: a queue or this very rule has kept it in order.
        """
        here, before = Conversation.of(message).key, self.inbox.rows(decided.before)
        waiting = {row.out.id for row in before if row.state not in FINAL and row.out.to.key == here}
        return decided.replies == 0 or self.passive.all_owed(here, waiting)

    def _is_late(self, until: float) -> bool:
        return self.clock() > until + _GRACE

    def _rows(self, message: Message, count: int) -> list[Row]:
        """All that is to be said to the person of `message` now, in order: what is owed, and the replies to it."""
        rows = [*self.passive.owed(Conversation.of(message).key), *self.inbox.replies(message, count)]
        return sorted({row.out.id: row for row in rows}.values(), key=lambda row: row.place)

    def _is_being_said(self, message: Message, count: int) -> bool:
        """Whether somebody holds some of it: it may be said, or be left to us."""
        return any(row.state is ReplyState.SENDING for row in self._rows(message, count))

    def _wait(self, message: Message, until: float) -> Decided | None:
        """What was decided on the message, as soon as it is; None if that is not before `until`."""
        while True:
            decided = self.passive.decided(message)
            if decided is not None or self.clock() >= until:
                return decided
            self.sleep(min(_POLL, max(0.0, until - self.clock())))

    def _answer(self, request: Request, app: App, message: Message, count: int, until: float) -> Response | None:
        """Say what can be said. None where there is nothing, or another worker is already saying it. Raises _Late,
        _Unsure.
        """
        owner, taken = f"{_OWNER}{uuid4().hex}", list[Row]()
        try:
            self._take(self._rows(message, count), owner, taken)
            if not taken:
                return None
            answered = self.inbound.passive_reply(request, app, message, _replies(message, taken), self.clock())
            if self._is_late(until):
                raise _Late
        except Exception:
            self._give_back(taken, owner, "not said within the callback")
            raise
        try:
            self.passive.commit(message, _parts(taken, answered), owner, _written(answered.response), self.clock())
        except NotCommittedError as refused:
            self._give_back(taken, owner, str(refused))
            return None
        except AwsError as error:
            log.warning("answer not known to be recorded", extra={"app": app.name, "error": error_code(error)})
            raise _Unsure from error
        telemetry.count("RepliesSent", answered.sent, platform=app.platform)
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
                    row.out, owner, row.receipts, self.clock(), wait=0, reason=reason, unknown_since=None
                )
            except (LeaseLostError, *AwsError) as error:
                log.warning("reply not given back", extra={"reply_id": row.out.id, "error": error_code(error)})


def _replies(message: Message, rows: list[Row]) -> tuple[Reply, ...]:
    """What `rows` say; one that names the place of `message` itself is an answer like any other."""
    here = Conversation.of(message).key
    return tuple(
        msgspec.structs.replace(row.out.reply, to=None) if row.out.to.key == here else row.out.reply for row in rows
    )


def _parts(taken: list[Row], answered: PassiveReply) -> list[Part]:
    """What becomes of each reply in `taken`."""
    parts = [Part(row.out, said=number < answered.sent) for number, row in enumerate(taken)]
    if answered.rest is not None:
        cut = taken[answered.sent]
        left = msgspec.structs.replace(cut.out, reply=answered.rest)
        parts[answered.sent] = Part(left, said=False, body=rewritten(cut.stored, left))
    return parts


def _untouched(row: Row) -> bool:
    """Nobody has begun to say it. One that a callback holds can be taken when its lease is over."""
    held = row.state is ReplyState.SENDING and row.owner.startswith(_OWNER)
    return (held or row.state is ReplyState.PENDING) and not row.receipts and row.unknown_since is None


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


def _written(response: Response) -> str:
    return msgspec.json.encode(_Given.of(response)).decode()


def _read(given: str) -> Response:
    return msgspec.json.decode(given, type=_Given).response()


def answers(inbound: SupportsPassiveReply) -> PassiveReplies:
    """The answers of this process."""
    table, keep_for = setting("TABLE"), float(setting("RETENTION_DAYS", "30")) * 86_400
    return PassiveReplies(
        inbound,
        Inbox(dynamodb(), table, keep_for),
        Outbox(dynamodb(), table, LEASE),
        Passive(dynamodb(), table, keep_for),
    )
