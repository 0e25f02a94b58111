"""Delivery at once: the processor delivers the replies to the conversation whose message it handles.

A reply goes through the outbound queue if something has to wait: an earlier reply of the conversation is in the queue,
a rate limit is reached, a call fails, the reply takes several calls, or too little time is left. So do replies to other
conversations, and those that a callback may carry. The delivery itself is that of `parley.engine.delivery`.

1. `prepare`, before the decision is stored: the token, the rate limits. Nothing of it is visible to people.
2. The transaction of the decision stores these replies under leases of this worker. They are in no index: nobody else
   may take a later one first.
3. `deliver` makes the calls and records the results. It returns the replies that are left for the queue.

If the worker dies, SQS delivers the message again, and what is not final goes into the outbound queue. The leases have
ended then, because they end with the invocation. The next message of the conversation is not handled before.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from parley.adapter import App, SupportsDrafts, SupportsTyping, Unknown
from parley.engine import telemetry
from parley.engine.apps import AppsUnavailableError, UnknownAppError
from parley.engine.aws import AwsError, error_code
from parley.engine.calls import CallContext
from parley.engine.delivery import Deliverer, Prepared, deliverer
from parley.engine.telemetry import log
from parley.errors import RetryAfter
from parley.journal.inbox import Snapshot
from parley.journal.outbox import LeaseLostError
from parley.journal.states import Lease
from parley.model import Conversation, Destination, Message, Outgoing, Reply, message_key, reply_id
from parley.platforms import outbound

if TYPE_CHECKING:
    from parley.engine.drafts import Draft, Typing
    from parley.engine.polled_drafts import PolledDraft

_TO_RECORD = 5.0
"""Seconds that are left after a call, to record its result or to enqueue the reply."""
_SHORTEST = 10.0
"""Seconds of the shortest time limit of a call."""
_RESTORES = 4
"""Attempts to show an answer again."""
_MARGIN = 1.0
"""Seconds from the end of the invocation to the end of its leases: then the worker is certainly dead."""


class Held(msgspec.Struct, frozen=True):
    """The replies that this worker stores under its own leases, in order. The first one is `prepared` for its call."""

    prepared: Prepared
    leases: Mapping[str, Lease]
    """By the id of the reply."""


class Direct(msgspec.Struct):
    """Delivers at once. `ends`: the unix second at which Lambda ends this invocation."""

    deliverer: Deliverer
    clock: Callable[[], float] = time.time
    ends: float = 0

    def ends_in(self, seconds: float) -> None:
        """Lambda ends this invocation in `seconds`."""
        self.ends = self.clock() + seconds
        self.deliverer.calls.http.ends_in(seconds)

    def prepare(self, message: Message, snapshot: Snapshot, replies: Sequence[Outgoing]) -> Held | None:
        """The replies to the conversation of `message`, if the first of them can be delivered at once; else None.

        `snapshot`: the conversation before the decision. A failure of AWS never keeps the decision from being stored.
        """
        here = [reply for reply in replies if reply.to.key == Conversation.of(message).key]
        app = self._app(message) if here and not message.context.awaits_reply else None
        if app is None or self._is_waiting(snapshot):
            return None
        prepared = self._prepare(here[0], app)
        if prepared is None:
            return None
        owner, until = uuid4().hex, self.ends + _MARGIN
        return Held(prepared, {out.id: Lease(owner, until, begins=out is here[0]) for out in here})

    def draft(
        self,
        message: Message,
        snapshot: Snapshot,
        is_late: Callable[[], bool],
        ids: tuple[str, ...],
        keep: Callable[[tuple[str, ...]], None],
    ) -> "Draft | Typing | PolledDraft | None":
        """What people see of the answer to `message` while it grows; see `parley.engine.drafts`. None if they cannot
        see anything yet: the platform shows nothing, or an earlier reply is still in the outbound queue.
        """
        if message.context.awaits_reply:
            from parley.engine.polled_drafts import polled_draft  # noqa: PLC0415  # few platforms poll

            return polled_draft(message, is_late, self.clock)
        app = self._app(message)
        if app is None or self._is_waiting(snapshot):
            return None
        from parley.engine.drafts import Draft, Typing  # noqa: PLC0415  # few answers grow

        platform, calls = outbound(app.platform), self.deliverer.calls
        context = CallContext(_beginning(message), app, platform)
        if isinstance(platform, SupportsDrafts):
            return Draft(context, platform, calls, keep, ids, is_late, partial(self._restore, context), self.clock)
        if isinstance(platform, SupportsTyping):
            return Typing(context, platform, calls, is_late, self.clock)
        return None

    def _restore(self, draft: CallContext) -> None:
        """Make the call again with which the answer to a message has replaced its draft, if it is decided.

        An answer that is not sent yet is sent again afterwards, which changes nothing.
        """
        key, outbox = draft.out.message_key, self.deliverer.outbox
        found = (outbox.find(reply_id(key, ordinal)) for ordinal in (0, "apology"))
        row = next(filter(None, found), None)
        call = next(draft.platform.deliver(row.out, draft.app, self.clock()), None) if row is not None else None
        if row is None or call is None or not call.edits or call.upload is not None:
            return
        calls = self.deliverer.calls
        for _ in range(_RESTORES):
            outcome = calls.make(replace(draft, out=row.out), call)
            if not isinstance(outcome, RetryAfter | Unknown):
                return
            calls.rate_limiter.sleep(outcome.seconds if isinstance(outcome, RetryAfter) else 1)

    def deliver(self, held: Held, replies: Sequence[Outgoing]) -> list[Outgoing]:
        """Deliver the replies that are held, in order. Returns those of `replies` that are left for the outbound queue.

        Raises AwsError.
        """
        left: list[Outgoing] = []
        later: RetryAfter | None = None
        for out in replies:
            lease = held.leases.get(out.id)
            if lease is not None and later is None:
                later = self._deliver(held, out, lease)
            elif lease is not None and later is not None:
                # As long as the reply that it follows: the sweeper must not find it first.
                self._release(out, lease, "an earlier reply waits", wait=later.seconds)
            if lease is None or later is not None:
                left.append(out)
        return left

    def give_back(self, held: Held, replies: Sequence[Outgoing]) -> None:
        """Release the replies: it is unknown whether the decision is stored, and no call was made."""
        try:
            for out in replies:
                if out.id in held.leases:
                    self._release(out, held.leases[out.id], "it is unknown whether the decision is stored")
        except AwsError as error:
            log.warning("replies not released", extra={"error": error_code(error)})

    def _deliver(self, held: Held, out: Outgoing, lease: Lease) -> RetryAfter | None:
        """Deliver one reply. Returns when and why it needs a further attempt, if it does; it is PENDING then."""
        prepared = held.prepared
        if not lease.begins:
            following = self._prepare(out, prepared.context.app)
            if following is None:
                self._release(out, lease, "it cannot be delivered at once")
                return RetryAfter(0, "it cannot be delivered at once")
            prepared = following
        try:
            self.deliverer.deliver_prepared(prepared, lease)
        except RetryAfter as later:
            log.info("reply enqueued", extra={**telemetry.ids_of_reply(out), "reason": str(later)})
            return later
        return None

    def _prepare(self, out: Outgoing, app: App) -> Prepared | None:
        """Prepare the call of a reply. None if there is no time for it, or if the reply has to wait."""
        if not self._has_time(_SHORTEST):
            return None
        try:
            prepared = self.deliverer.prepare(CallContext(out, app, outbound(app.platform)))
        except AwsError as error:
            log.warning("not delivered at once", extra={**telemetry.ids_of_reply(out), "error": error_code(error)})
            return None
        call = prepared.sequence.call if prepared is not None else None
        return prepared if call is not None and self._has_time(call.timeout) else None

    def _has_time(self, seconds: float) -> bool:
        """Whether `seconds` are left for a call."""
        return self.clock() + seconds + _TO_RECORD <= self.ends

    def _release(self, out: Outgoing, lease: Lease, reason: str, wait: float = 0) -> None:
        """Release a reply of which nothing was sent, unless another worker has taken it over. Raises AwsError."""
        try:
            now, outbox = self.clock(), self.deliverer.outbox
            outbox.release(out, lease.owner, (), now, wait=wait, reason=reason, unknown_since=None)
        except LeaseLostError:
            log.warning("lease lost", extra={**telemetry.ids_of_reply(out)})

    def _app(self, message: Message) -> App | None:
        """The app of `message`. None if its replies go through the queue: passive replies, or no configuration yet."""
        try:
            app = self.deliverer.apps.get(message.platform, message.app)
        except (UnknownAppError, AppsUnavailableError):
            return None
        return None if app.config.replies_passively else app

    def _is_waiting(self, snapshot: Snapshot) -> bool:
        """Whether an earlier reply of the conversation is in the outbound queue and not final, as far as is known."""
        try:
            return not all(map(self.deliverer.outbox.is_finished, snapshot.queued))
        except AwsError:
            return True


def _beginning(message: Message) -> Outgoing:
    """The reply whose text grows. Its time is that of the message: it is the same in every run."""
    key = message_key(message)
    return Outgoing(
        id=reply_id(key, "draft"),
        message_key=key,
        ordinal=0,
        to=Destination.answering(message),
        reply=Reply(),
        created=message.timestamp,
    )


def direct() -> Direct:
    """The direct delivery of this process."""
    return Direct(deliverer())
