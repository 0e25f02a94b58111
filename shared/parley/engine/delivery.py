"""The deliverer: wait for the rate limit ▸ take the reply ▸ call the platform ▸ record the result.

A reply is taken (state SENDING, a lease) just before its first call, and the receipt of each call is stored before the
next one. After a crash or a lost answer, the row says how far the reply got and whether a repeat is safe.
"""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from parley.adapter import Call, Permanent, Sent, Transient
from parley.engine import queues, telemetry
from parley.engine.apps import (
    Apps,
    AppsUnavailableError,
    TenantCancelledError,
    TenantUnknownError,
    UnknownAppError,
)
from parley.engine.attempt import Attempt, Attempts, CallSequence, Completed, Defer, Fallback, Resolved, Result
from parley.engine.aws import dynamodb, setting
from parley.engine.batch import Record, run
from parley.engine.calls import CallContext, Calls
from parley.engine.http import Http, client, media_client
from parley.engine.rate_limiter import RateLimiter, Reserved
from parley.engine.telemetry import log
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.outbox import LeaseLostError, Outbox
from parley.journal.passive import DeferredReplies, TooManyDeferredError
from parley.journal.rows import rewritten
from parley.journal.states import Finished, Lease, ReplyState, Row
from parley.model import Outgoing
from parley.model.codec import decode_outgoing, encode
from parley.platforms import outbound

_APP_GONE_FOR = 86_400.0
"""Seconds after which the replies of a removed app fail. Until then somebody may restore its configuration."""


class Prepared(msgspec.Struct, frozen=True):
    """A reply whose first call can be made now: there is a token, and the call is `reserved` in its rate limits."""

    context: CallContext
    sequence: CallSequence
    reserved: Reserved


@dataclass(slots=True)
class Deliverer:
    """Delivers the replies of the outbound queue, in order for each conversation."""

    outbox: Outbox
    deferred: DeferredReplies
    calls: Calls
    apps: Apps
    clock: Callable[[], float] = time.time
    attempts: Attempts = field(init=False)

    def __post_init__(self) -> None:
        self.attempts = Attempts(self.outbox, self.calls, self._filled, self.clock)

    def __call__(self, record: Record) -> None:
        """Deliver the reply in one record. Raises RetryAfter if it has to wait."""
        out = decode_outgoing(record["body"])
        telemetry.tell(telemetry.ids_of_reply(out))
        if queues.is_swept(record) and self.outbox.is_finished(out.id):
            return  # before it counts against the rate limit: copies would use up half of it
        try:
            app = self.apps.get(out.to.platform, out.to.app)
        except UnknownAppError as error:
            self._fail_without_app(out, f"no app {out.to.platform}/{out.to.app}", error)
            return
        except AppsUnavailableError as error:
            # The wait grows: SSM may be down for hours, and SQS hands a record out a thousand times at most. It does
            # not grow with the receives of the record, as most of these are waits for rate limits.
            raise RetryAfter(min(300, 10 + error.failing_for), str(error)) from error
        self.deliver(CallContext(out, app, outbound(out.to.platform)))

    def _fail_without_app(self, out: Outgoing, reason: str, error: UnknownAppError) -> None:
        """Fail a reply whose app was removed a day ago, or whose organisation has removed the app. Raises RetryAfter
        before that: sooner while the installation of the app may not be handled yet.
        """
        age = self.clock() - out.created
        if age < _APP_GONE_FOR and not isinstance(error, TenantCancelledError):
            wait = min(300.0, 10 + age) if isinstance(error, TenantUnknownError) else 300
            raise RetryAfter(wait, reason) from error
        owner = uuid4().hex
        row = self.outbox.take(out.id, owner, self.clock())
        if isinstance(row, RetryAfter):
            raise RetryAfter(row.seconds, reason) from error
        if isinstance(row, Row):
            state = ReplyState.FAILED if row.unknown_since is None else ReplyState.UNKNOWN
            self._record(row.out, owner, row.receipts, Completed(state, reason))

    def deliver(self, context: CallContext) -> None:
        """Deliver one reply. Deferred replies to the same conversation that precede it go first; if one of them cannot
        be sent, this reply is deferred as well.
        """
        sequence = self._begin(context)
        deferred = self.deferred.before(context.out) if context.app.config.replies_passively else []
        for row in deferred:
            earlier = CallContext(row.out, context.app, context.platform)
            if not self._deliver(earlier, self._begin(earlier)):
                self._deliver(context, sequence, blocked_by="an earlier reply is deferred")
                return
            self.deferred.forget(row.out, self.clock())
        self._deliver(context, sequence)

    def _begin(self, context: CallContext) -> CallSequence:
        """The calls of the reply. Raises RetryAfter while the callback that it answers may still carry it."""
        sequence = CallSequence(context, self.clock())
        if isinstance(sequence.error, RetryAfter):
            raise sequence.error
        return sequence

    def prepare(self, context: CallContext) -> Prepared | None:
        """Prepare the delivery of a reply that this worker is about to store under its own lease.

        None if it should not be delivered at once: its calls cannot be made now, or there are several of them. The
        download of received media is one.
        """
        now = self.clock()
        sequence = CallSequence(context, now)
        upload = sequence.call.upload if sequence.call is not None else None
        if sequence.call is None or (upload and upload.source) or _has_further_call(context, now):
            return None
        try:
            reserved = self._prepare(context, sequence.call)
        except RetryAfter:
            return None
        return Prepared(context, sequence, reserved) if isinstance(reserved, Reserved) else None

    def deliver_prepared(self, prepared: Prepared, lease: Lease) -> None:
        """Deliver a reply that is stored under `lease`. Raises RetryAfter if a further attempt is needed; the reply is
        PENDING then.
        """
        out, now = prepared.context.out, self.clock()
        attempt = Attempt(prepared.context, lease.owner, 1, (), None, now, encode(out).decode())
        with _lease(attempt):
            if not lease.begins:
                self.outbox.begin(out, lease.owner, now)
            self._apply(attempt, self.attempts.run(attempt, prepared.sequence, prepared.reserved))

    def _deliver(self, context: CallContext, sequence: CallSequence, blocked_by: str = "") -> bool:
        """Deliver one reply; False if it is deferred. `blocked_by`: why it may not be sent now, if it may not."""
        prepared = Reserved() if blocked_by or sequence.call is None else self._prepare(context, sequence.call)
        owner = uuid4().hex
        row = self.outbox.take(context.out.id, owner, self.clock())
        match row:
            case Finished():
                return True
            case RetryAfter(seconds=seconds):
                raise RetryAfter(seconds, "another worker is sending it")
            case Row():
                attempt = self._attempt(row, context, owner)
        if row.out != sequence.out:
            # The form has changed since the record was enqueued. The row holds the newer one.
            sequence = CallSequence(attempt.context, self.clock())
        with _lease(attempt):
            return self._apply(attempt, self._result(attempt, sequence, row, blocked_by, prepared))

    def _prepare(self, context: CallContext, call: Call) -> Reserved | Transient | Permanent:
        """Fetch the token and wait for the rate limits, before the reply is taken: waiting then costs no write, and a
        crash leaves no unknown outcome.

        Raises RetryAfter. If the call cannot be made, because there is no token or the platform's own code raises,
        returns its outcome.
        """
        token = self.calls.token_or_outcome(context) if call.auth is not None else None
        if isinstance(token, RetryAfter):
            raise token
        if isinstance(token, Transient | Permanent):
            return token
        return self.calls.reserve(context, call)

    def _attempt(self, row: Row, context: CallContext, owner: str) -> Attempt:
        return Attempt(
            CallContext(row.out, context.app, context.platform),
            owner,
            row.attempts + 1,
            row.receipts,
            row.unknown_since,
            row.attempted_since or self.clock(),
            row.stored,
        )

    def _result(
        self,
        attempt: Attempt,
        sequence: CallSequence,
        row: Row,
        blocked_by: str,
        prepared: Reserved | Transient | Permanent,
    ) -> Result:
        """The result of the attempt that begins with taking `row`. `prepared`: the result of `_prepare`."""
        if self._workers_die(row, attempt.context):
            reason = f"gave up: {row.attempts} attempts, and the last ones ended with their worker"
            return Completed(ReplyState.UNKNOWN, reason)
        if blocked_by and attempt.can_be_deferred:
            return Defer(blocked_by)
        if isinstance(prepared, Reserved):
            return self.attempts.run(attempt, sequence, prepared)
        if sequence.call is None:
            return self.attempts.run(attempt, sequence, Reserved())
        return self.attempts.consequence(attempt, sequence.call, prepared)

    def _workers_die(self, row: Row, context: CallContext) -> bool:
        """Whether workers have died over this reply until its deadline. No attempt would ever record an end."""
        died_since = row.unknown_since if row.state is ReplyState.SENDING else None
        return died_since is not None and self.clock() - died_since >= context.platform.PROFILE.retry_for

    def _filled(self, call: Call) -> Call | Permanent | Transient:
        """`call`, with the bytes of received media that it uploads. Its outcome if they are not available: it has not
        left then.
        """
        upload = call.upload
        if upload is None or upload.source is None:
            return call
        from parley.engine.download import Downloads  # noqa: PLC0415  # most replies pass nothing on

        content = Downloads(self.calls, self.apps).content(upload, upload.source)
        return replace(call, upload=replace(upload, content=content)) if isinstance(content, bytes) else content

    def _apply(self, attempt: Attempt, result: Result) -> bool:
        """Record `result`: True for a final state, False for a deferred reply. Raises RetryAfter for a new attempt."""
        match result:
            case Completed():
                self._record(attempt.out, attempt.owner, attempt.receipts, result)
                return True
            case Defer(reason=reason):
                return self._defer(attempt, reason)
            case Fallback(out=out, receipts=receipts, reason=reason):
                telemetry.count("RepliesFallback", platform=attempt.context.app.platform)
                self._rewrite(attempt, out, receipts, reason)
                raise RetryAfter(0, f"refused, another form is next: {reason}")
            case Resolved(out=out):
                self._rewrite(attempt, out, attempt.receipts, "")
                raise RetryAfter(0, "its target or a copy of its media is there")
            case RetryAfter(seconds=seconds, reason=reason):
                self.outbox.release(
                    attempt.out,
                    attempt.owner,
                    attempt.receipts,
                    self.clock(),
                    wait=seconds,
                    reason=reason,
                    unknown_since=attempt.unknown_since,
                )
                raise result

    def _rewrite(self, attempt: Attempt, out: Outgoing, receipts: tuple[Any, ...], reason: str) -> None:
        """Give the reply back as `out`, to be tried at once."""
        self.outbox.release(
            out,
            attempt.owner,
            receipts,
            self.clock(),
            wait=0,
            reason=reason,
            unknown_since=attempt.unknown_since,
            body=rewritten(attempt.stored, out),
        )

    def _defer(self, attempt: Attempt, reason: str) -> bool:
        """Keep the reply for the person's next message; True if it failed because too many are deferred."""
        try:
            self.deferred.defer(attempt.out, attempt.owner, reason, self.clock())
        except TooManyDeferredError as error:
            failed = Completed(ReplyState.FAILED, f"{reason}; {error}")
            self._record(attempt.out, attempt.owner, attempt.receipts, failed)
            return True
        telemetry.count("RepliesDeferred", platform=attempt.context.app.platform)
        return False

    def _record(self, out: Outgoing, owner: str, receipts: tuple[Any, ...], result: Completed) -> None:
        now, state = self.clock(), result.state
        if state is ReplyState.FAILED:
            from parley.engine.undelivered import end_approval  # noqa: PLC0415  # most replies do not fail

            # The queue first: a crash in between sends it twice, which is harmless. The other order would lose it.
            end_approval(out, self.outbox, now)
        self.outbox.finish(out, owner, state, receipts, result.reason, now)
        with telemetry.about(telemetry.ids_of_reply(out)):
            self._report(out, result, now)

    def _report(self, out: Outgoing, result: Completed, now: float) -> None:
        state, platform = result.state, out.to.platform
        telemetry.count(_METRICS[state], platform=platform)
        if state is ReplyState.SENT:
            telemetry.duration("DeliveryTime", now - out.created, platform=platform)
            if out.lag is not UNSET:
                telemetry.message_time(now - out.created + out.lag, platform)
        is_partial = state is ReplyState.SENT and bool(result.reason)
        if is_partial:
            telemetry.count("RepliesPartial", platform=platform)
        level = log.error if state is not ReplyState.SENT else log.warning if is_partial else log.info
        level("reply finished", extra={"state": str(state), "reason": result.reason})


@contextmanager
def _lease(attempt: Attempt) -> Generator[None]:
    """Work under the lease of `attempt`. Raises RetryAfter if it is lost."""
    try:
        yield
    except LeaseLostError as error:
        telemetry.count("LeasesLost", platform=attempt.context.app.platform)
        log.warning("lease lost", extra=telemetry.ids_of_reply(attempt.out))
        # The new owner may still be at work, and later replies must not overtake this one.
        raise RetryAfter(1, "another worker has taken it over") from error


def _has_further_call(context: CallContext, now: float) -> bool:
    """Whether the reply takes more than one call."""
    sequence = CallSequence(context, now)
    sequence.advance(Sent())
    return sequence.call is not None


_METRICS = {
    ReplyState.SENT: "RepliesSent",
    ReplyState.FAILED: "RepliesFailed",
    ReplyState.UNKNOWN: "RepliesUnknown",
}


@cache
def deliverer() -> Deliverer:
    """The deliverer of this process."""
    table = setting("TABLE")
    return Deliverer(
        outbox=Outbox(dynamodb(), table, float(setting("LEASE_SECONDS", "21"))),
        deferred=DeferredReplies(dynamodb(), table, float(setting("RETENTION_DAYS", "30")) * 86_400),
        calls=Calls(
            Http(client(), media_client()), Tokens(dynamodb(), table), RateLimiter(dynamodb(), table), dynamodb(), table
        ),
        apps=Apps(),
    )


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """The `lambda_handler` of the deliverer. `context`: Lambda's."""
    deliverer().calls.http.ends_in(context.get_remaining_time_in_millis() / 1000)
    return run(event, setting("OUTBOUND_URL"), deliverer())
