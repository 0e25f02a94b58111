"""Passive replies: a callback waits for the bot's replies and returns them in its response.

`parley.journal.passive` describes the whole flow and holds its rules and rows; this module does the waiting.
"""

import time
from collections.abc import Callable
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from parley.adapter import Accepted, App, PassiveReply, Request, Response, SupportsGrowingReply, SupportsPassiveReply
from parley.engine import telemetry
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.telemetry import log
from parley.errors import ParleyError
from parley.journal.inbox import Inbox
from parley.journal.outbox import LeaseLostError, Outbox
from parley.journal.passive import Callbacks, DeferredReplies, NotCommittedError, rules
from parley.journal.states import Decided, ReplyState, Row
from parley.model import Conversation, Message, reply_id

_POLL = 0.1
"""Seconds between two looks at the journal."""
_POLL_WITHIN = 3.0
"""Seconds in which a poll is answered."""
_NO_RESPONSE = Response(504, b"", "text/plain")
"""The platform delivers the message again, and that callback goes on waiting."""


class _OutcomeUnknownError(ParleyError):
    """It is unknown whether the response is stored."""


class _TooLateError(ParleyError):
    """The platform has stopped waiting for this callback."""


class PassiveReplies(msgspec.Struct):
    """Waits for replies on behalf of one platform's callbacks.

    Every response except `_NO_RESPONSE` is stored before it is given, and a message has one stored response. If it is
    empty, the replies go out through the API, and a callback that wakes up late cannot take them any more.
    """

    inbound: SupportsPassiveReply
    inbox: Inbox
    outbox: Outbox
    callbacks: Callbacks
    deferred: DeferredReplies
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def respond(self, request: Request, app: App, accepted: Accepted, started: float) -> Response:
        """The response to a callback whose message is queued, at the latest `passive_reply_within` after `started`; or
        at once the response to a poll.
        """
        if accepted.polled is not None:
            return self._poll(request, app, accepted.polled, accepted)
        message, until = accepted.messages[0], started + accepted.passive_reply_within
        try:
            delivery = self.callbacks.delivered(message, self.clock())
            if delivery.response is not None:
                return _decoded(delivery.response)
            response = self._wait(request, app, message, until, follows=accepted.comes_once)
            is_last = accepted.comes_once or delivery.number >= rules.LAST_DELIVERY
            if response is None or (response is _NO_RESPONSE and is_last):
                response = self._give_up(message, accepted.response, until)
        except AwsError as error:
            # The message is in the queue. Its replies go with the next delivery, or through the API.
            log.warning("no passive reply", extra={"app": app.name, "error": error_code(error)})
            response = _NO_RESPONSE
        return accepted.response if response is _NO_RESPONSE and accepted.comes_once else response

    def _poll(self, request: Request, app: App, message: Message, accepted: Accepted) -> Response:
        """The response to a poll for the replies to `message`: the answer so far, else `accepted.response`, while a
        later poll may carry them.

        It never waits, as the platform asks again. The last response is stored, and each later poll gets it again.
        """
        now, unfinished = self.clock(), accepted.response
        until = now + _POLL_WITHIN
        try:
            delivery = self.callbacks.delivered(message, now)
            if delivery.response is not None:
                return _decoded(delivery.response)
            if delivery.draft is not None and isinstance(self.inbound, SupportsGrowingReply):
                unfinished = self.inbound.growing_reply(request, app, message, delivery.draft, now)
            decided = self.inbox.decision(message)
            if decided is None and now - delivery.first < accepted.passive_reply_within:
                return unfinished
            response = self._carried(request, app, message, decided, until) if decided else None
            if response is None:
                # No poll carries the replies: they have gone through the API, or there are none. The polls end.
                empty = self.inbound.passive_reply(request, app, message, (), now).response
                response = self._give_up(message, empty, until)
        except AwsError as error:
            log.warning("poll not answered", extra={"app": app.name, "error": error_code(error)})
            return unfinished
        except (_TooLateError, _OutcomeUnknownError):
            return unfinished
        return unfinished if response is _NO_RESPONSE else response

    def _carried(self, request: Request, app: App, message: Message, decided: Decided, until: float) -> Response | None:
        """The response that carries the replies, _NO_RESPONSE if a later poll may get it, None if there is nothing to
        carry.
        """
        if not self._is_turn(message, decided):
            return _NO_RESPONSE
        response = self._respond_now(request, app, message, decided, until) or self._stored(message)
        if response is None and self._is_held(message, decided):
            return _NO_RESPONSE
        return response

    def _wait(self, request: Request, app: App, message: Message, until: float, *, follows: bool) -> Response | None:
        """The response, as soon as there is one. _NO_RESPONSE if a later delivery may get it, None if the replies go
        out through the API. `follows`: also the replies to the message to which the bot has handed this one on.
        """
        decided = self._decision(message, until)
        if follows and decided is not None and decided.forwarded:
            decided = self._decision(replace(message, id=decided.forwarded), until)
        if decided is None:
            return _NO_RESPONSE
        try:
            return self._turn(request, app, message, decided, until)
        except (_TooLateError, _OutcomeUnknownError):
            # A response now might repeat the replies, and dropping it might lose them: the next delivery reads the row.
            return _NO_RESPONSE

    def _decision(self, message: Message, until: float) -> Decided | None:
        """The decision on the message, as soon as it is stored; None if it is not by `until`."""
        while True:
            decided = self.inbox.decision(message)
            if decided is not None or self.clock() >= until:
                return decided
            self.sleep(min(_POLL, max(0.0, until - self.clock())))

    def _turn(self, request: Request, app: App, message: Message, decided: Decided, until: float) -> Response | None:
        """The response of this callback, or the stored one of another: the platform may read either. None if there are
        no replies to carry.
        """
        while True:
            turn = self._is_turn(message, decided)
            response = self._respond_now(request, app, message, decided, until) if turn else None
            response = response or self._stored(message)
            if response is not None or (turn and not self._is_held(message, decided)):
                return response
            if self.clock() >= until:
                return _NO_RESPONSE
            self.sleep(_POLL)

    def _is_turn(self, message: Message, decided: Decided) -> bool:
        """Whether every earlier reply of the conversation is final or, as a deferred reply, part of this response."""
        if decided.replies == 0:
            return True
        waiting = rules.waiting_before(self.inbox.rows(decided.before))
        return not waiting or waiting <= self.deferred.ids(Conversation.of(message).key)

    def _stored(self, message: Message) -> Response | None:
        stored = self.callbacks.response(message)
        return _decoded(stored) if stored else None

    def _give_up(self, message: Message, empty: Response, until: float) -> Response:
        """Respond with `empty`: the replies go out through the API. If another callback has stored a response
        meanwhile, that one is given.
        """
        if self._is_late(until):
            return _NO_RESPONSE
        try:
            self.callbacks.commit(message, (), "", _encoded(empty), self.clock())
        except NotCommittedError:
            return self._stored(message) or _NO_RESPONSE
        return empty

    def _is_late(self, until: float) -> bool:
        return self.clock() > until + rules.GRACE

    def _rows(self, message: Message, decided: Decided) -> list[Row]:
        """The next replies of the conversation of `message`: deferred ones, and those of the decision."""
        deferred = self.deferred.of(Conversation.of(message).key)
        own = self.inbox.rows(reply_id(decided.message, ordinal) for ordinal in range(decided.replies))
        return rules.in_order([*deferred, *own])

    def _is_held(self, message: Message, decided: Decided) -> bool:
        """Whether another worker holds one of the replies: it may deliver the reply, or leave it to this callback."""
        return any(row.state is ReplyState.SENDING for row in self._rows(message, decided))

    def _respond_now(
        self, request: Request, app: App, message: Message, decided: Decided, until: float
    ) -> Response | None:
        """Take the replies that can be carried, and store the response. None if there are none, or another worker holds
        them. Raises _TooLateError, _OutcomeUnknownError.
        """

        def rendered(rows: list[Row]) -> PassiveReply:
            return self.inbound.passive_reply(request, app, message, rules.replies_to(message, rows), self.clock())

        free = rules.free(self._rows(message, decided))
        # The deliverer would wait for the lease of what is taken, also if the response has no form for it.
        if not free or rendered(free).carries_nothing:
            return None
        owner, taken = f"{rules.OWNER_PREFIX}{uuid4().hex}", list[Row]()
        try:
            self._take(free, owner, taken)
            if not taken:
                return None
            reply = rendered(taken)
            if self._is_late(until):
                raise _TooLateError
        except Exception:
            self._give_back(taken, owner, "not sent as a passive reply")
            raise
        try:
            parts = rules.parts_of(taken, reply)
            self.callbacks.commit(message, parts, owner, _encoded(reply.response), self.clock())
        except NotCommittedError as refused:
            self._give_back(taken, owner, str(refused))
            return None
        except AwsError as error:
            log.warning("passive reply not known to be stored", extra={"app": app.name, "error": error_code(error)})
            raise _OutcomeUnknownError from error
        telemetry.count("RepliesSent", reply.sent)
        return reply.response

    def _take(self, rows: list[Row], owner: str, taken: list[Row]) -> None:
        """Add to `taken` the rows, from the first one, that no other worker has taken meanwhile."""
        for row in rows:
            old = self.outbox.take(row.out.id, owner, self.clock(), calls=False)
            if not isinstance(old, Row):
                break
            taken.append(old)

    def _give_back(self, taken: list[Row], owner: str, reason: str) -> None:
        """Release `taken` before the lease expires: nothing of it was sent."""
        for row in taken:
            try:
                self.outbox.release(
                    row.out, owner, row.receipts, self.clock(), wait=0, reason=reason, unknown_since=None
                )
            except (LeaseLostError, *AwsError) as error:
                log.warning("reply not released", extra={**telemetry.ids_of_reply(row.out), "error": error_code(error)})


class _Stored(msgspec.Struct, frozen=True):
    """A response as the journal stores it for later deliveries."""

    status: int
    body: bytes
    content_type: str


def _encoded(response: Response) -> str:
    return msgspec.json.encode(_Stored(response.status, response.body, response.content_type)).decode()


def _decoded(stored: str) -> Response:
    found = msgspec.json.decode(stored, type=_Stored)
    return Response(found.status, found.body, found.content_type)


def passive_replies(inbound: SupportsPassiveReply) -> PassiveReplies:
    """The passive replies of this process."""
    table, keep_for = setting("TABLE"), float(setting("RETENTION_DAYS", "30")) * 86_400
    return PassiveReplies(
        inbound,
        Inbox(dynamodb(), table, keep_for),
        Outbox(dynamodb(), table, rules.LEASE),
        Callbacks(dynamodb(), table, keep_for),
        DeferredReplies(dynamodb(), table, keep_for),
    )
