"""One attempt at one reply: its API calls in order, and the result.

Nothing here decides what happens to the reply's row afterwards: `run` returns a result, and the deliverer acts on it.
"""

import time
from collections.abc import Callable

import msgspec

from parley.adapter import (
    IDEMPOTENT,
    NOTHING,
    Call,
    Outcome,
    Permanent,
    Sent,
    Steps,
    SupportsDeferral,
    TokenRejected,
    Transient,
    UndeliverableError,
    Unknown,
    fallback,
)
from parley.engine.batch import describe
from parley.engine.calls import CallContext, Calls, backoff
from parley.engine.copies import UncopiedMediaError, check_copied, with_addresses
from parley.engine.handles import UnresolvedHandleError, check_resolved, is_delivered, resolved
from parley.engine.rate_limiter import Reserved
from parley.engine.unsent import unsent
from parley.errors import RetryAfter
from parley.journal.outbox import Outbox
from parley.journal.states import ReplyState, is_safe_to_repeat, reply_token_expired_since
from parley.model import AnyMedia, Outgoing

_PATIENCE = 60.0
"""Seconds of attempts after which a reply goes out without `Transient.part`."""
_WINDOW_RETRY = 20.0
"""Minimum of seconds between attempts while the API delivers no message to this person."""


class Completed(msgspec.Struct, frozen=True):
    """The reply has reached the final state `state`: SENT, FAILED or UNKNOWN."""

    state: ReplyState
    reason: str = ""


class Defer(msgspec.Struct, frozen=True):
    """The person cannot be written to. The reply goes out with the passive reply to their next message."""

    reason: str


class Fallback(msgspec.Struct, frozen=True):
    """The platform refused this form. `out` is the reply in the next form, `receipts` the calls of it already made."""

    out: Outgoing
    receipts: tuple[Sent, ...]
    reason: str


class Resolved(msgspec.Struct, frozen=True):
    """Something that the reply needs is there now. `out` has the platform's id of its target in place of a handle, or
    names a copy of its media.
    """

    out: Outgoing


Result = Completed | RetryAfter | Defer | Fallback | Resolved


class CallSequence:
    """The calls that deliver one reply, from the platform's generator. The generator is started once.

    `call` is the next call, None after the last one. `error` is the exception that ended the sequence early; every
    exception of the platform's code is caught here, at whichever point it is raised.
    """

    __slots__ = ("_steps", "call", "error", "now", "out")

    def __init__(self, context: CallContext, now: float) -> None:
        self.out, self.now = context.out, now
        self.call: Call | None = None
        self.error: Exception | None = None
        self._steps: Steps | None = None
        if is_left_out(context):
            return
        try:
            check_resolved(context.out)
            check_copied(context.out, context.platform)
            # Addresses end soon, so what is stored has none.
            self._steps = context.platform.deliver(with_addresses(context.out, context.platform), context.app, now)
            self.call = next(self._steps, None)
        except Exception as error:  # noqa: BLE001  # `Attempts` turns it into the reply's result
            self.error = error

    def advance(self, receipt: Sent) -> None:
        """Go to the next call, given the receipt of the current one."""
        if self._steps is None:
            return
        try:
            self.call = self._steps.send(receipt)
        except StopIteration:
            self.call = None
        except Exception as error:  # noqa: BLE001  # as above
            self.call, self.error = None, error


class Attempt(msgspec.Struct):
    """A reply that this worker holds under a lease.

    `owner` is the lease's owner, `number` counts attempts from 1. `receipts` are the calls that are done.
    `unknown_since` is the time of the first call whose outcome was not recorded, None if every outcome is known.
    `attempted_since` is the time of the first attempt. `stored` is the reply's JSON in the journal. `visible` says
    whether a call is done whose message another form of the reply would repeat. `now` is the time for which the
    platform made the calls.
    """

    context: CallContext
    owner: str
    number: int
    receipts: tuple[Sent, ...]
    unknown_since: float | None
    attempted_since: float
    stored: str
    visible: bool = False
    now: float = 0

    @property
    def out(self) -> Outgoing:
        """The reply."""
        return self.context.out

    @property
    def can_be_deferred(self) -> bool:
        """Whether a passive reply could carry it: nothing of it was sent, and it is a new message."""
        return not self.receipts and self.unknown_since is None and self.out.reply.op == "send"

    @property
    def may_be_there(self) -> bool:
        """Whether the current call may have been done, and must not be repeated in another form."""
        return self.unknown_since is not None and self.context.app.config.on_unknown == "report"

    @property
    def undelivered(self) -> ReplyState:
        """The final state if no further attempt is made."""
        return ReplyState.FAILED if self.unknown_since is None else ReplyState.UNKNOWN


class Attempts(msgspec.Struct):
    """Makes attempts. Records receipts between the calls of one reply, and nothing else."""

    outbox: Outbox
    calls: Calls
    fill: Callable[[Call], Call | Permanent | Transient]
    """Returns a call with the bytes that it uploads, or its outcome if they are not available."""
    clock: Callable[[], float] = time.time

    def run(self, attempt: Attempt, sequence: CallSequence, reserved: Reserved) -> Result:
        """Make the calls of `sequence` that are not done yet. `reserved`: the first one's reservation, if it has one.

        Raises LeaseLostError if another worker took the reply over, and AwsError.
        """
        call, attempt.now = sequence.call, sequence.now
        for receipt in attempt.receipts:
            call = _next_call(attempt, sequence, receipt)
        while call is not None:
            result = self._make(attempt, call, reserved)
            if not isinstance(result, Sent):
                return result
            attempt.receipts = (*attempt.receipts, result)
            call = _next_call(attempt, sequence, result)
            if call is None:
                break
            self.outbox.progress(attempt.out, attempt.owner, attempt.receipts, self.clock())
            reserved = Reserved()
        return self._end(attempt, sequence.error)

    def _end(self, attempt: Attempt, error: Exception | None) -> Result:
        """The result after the last call, or after the platform's code raised `error`."""
        if error is None:
            # A call may succeed although it did not reach every receiver.
            unreached = [receipt.data["unreached"] for receipt in attempt.receipts if "unreached" in receipt.data]
            return Completed(
                ReplyState.SENT, f"not reached: {'; '.join(dict.fromkeys(unreached))}" if unreached else ""
            )
        if isinstance(error, UnresolvedHandleError):
            return self._resolve(attempt, error.reply_id)
        if isinstance(error, UncopiedMediaError):
            return self._copy(attempt, error)
        if isinstance(error, UndeliverableError):
            refused = Permanent(str(error), part=error.part)
            return fallback_of(attempt, refused, None) or Completed(attempt.undelivered, str(error))
        # A defect of ours: retries leave time to mend it, then a final state lets the conversation go on.
        return self._retry(attempt, describe(error))

    def _resolve(self, attempt: Attempt, reply_id: str) -> Result:
        """The reply with the id of the message that the reply `reply_id` has become."""
        changed = self.outbox.find(reply_id)
        if not is_delivered(changed) and not attempt.context.app.config.replies_passively:
            return self._retry(attempt, "the reply that it changes is not delivered yet")
        out = resolved(attempt.out, changed)
        if out is not None:
            return Resolved(out)
        if changed is not None and changed.state is ReplyState.FAILED:
            return Completed(ReplyState.SENT)  # nobody has seen what it recalls or reacts to
        return Completed(attempt.undelivered, "the platform's id of the message is not known")

    def _copy(self, attempt: Attempt, uncopied: UncopiedMediaError) -> Result:
        """The reply with a copy of media in the bucket. Without one after a minute, it goes out without the media."""
        call = self.fill(uncopied.call)
        outcome = call
        if isinstance(call, Call):
            outcome = self._outcome(attempt.context, uncopied.addressed(call), Reserved())
        if isinstance(outcome, Sent):
            return Resolved(uncopied.copied(attempt.out))
        if not isinstance(outcome, Permanent):
            # Nobody has seen anything, so a copy whose outcome is unknown is made again.
            reason = outcome.reason if isinstance(outcome, Transient | Unknown) else "media not copied"
            outcome = Transient(reason, part="media")
        return self.consequence(attempt, uncopied.call, outcome)

    def _make(self, attempt: Attempt, call: Call, reserved: Reserved) -> Sent | Result:
        """Make `call`. Keeps `attempt.unknown_since` up to date."""
        if not isinstance(filled := self.fill(call), Call):
            return self._unfilled(attempt, call, filled)
        call, started, context = filled, self.clock(), attempt.context
        safe = is_safe_to_repeat(call, attempt.unknown_since, started + self.outbox.lease)
        safe = safe and not reply_token_expired_since(attempt.out, call, attempt.unknown_since, started)
        if not safe and context.app.config.on_unknown == "report":
            return Completed(ReplyState.UNKNOWN, "an earlier attempt may have been delivered")
        earlier, attempt.unknown_since = attempt.unknown_since, attempt.unknown_since or started
        outcome = self._outcome(context, call, reserved)
        if not isinstance(outcome, Unknown):
            attempt.unknown_since = earlier
        if isinstance(outcome, Sent):
            attempt.unknown_since = None
            return outcome
        if isinstance(outcome, Permanent) and safe and not outcome.reply_token and outcome.part != "target":
            attempt.unknown_since = None  # a repeat of a delivered call would have been recognised, not refused
        return self.consequence(attempt, call, outcome)

    def _unfilled(self, attempt: Attempt, call: Call, outcome: Permanent | Transient) -> Result:
        """The result if there are no bytes for the upload of `call`. A message that may be there is not repeated."""
        result = self.consequence(attempt, call, outcome)
        may_be_there = call.is_message and attempt.may_be_there and isinstance(result, Fallback)
        return Completed(ReplyState.UNKNOWN, outcome.reason) if may_be_there else result

    def _outcome(self, context: CallContext, call: Call, reserved: Reserved) -> Outcome:
        try:
            return self.calls.make(context, call, reserved)
        except Exception as error:  # noqa: BLE001  # the request may have left: its outcome is unknown
            return Unknown(describe(error))

    def consequence(
        self, attempt: Attempt, call: Call, outcome: RetryAfter | Permanent | TokenRejected | Transient | Unknown
    ) -> Result:
        """The result after a call that was refused, or whose outcome is unknown."""
        match outcome:
            case RetryAfter(seconds=seconds, reason=reason):
                return RetryAfter(max(seconds, 0.1), reason or "limited by the platform")
            case Permanent(reason=reason, window_closed=True):
                return self._window_closed(attempt, reason)
            case Permanent(reason=reason):
                media = call.upload.media if call.upload else None
                return fallback_of(attempt, outcome, media) or Completed(attempt.undelivered, reason)
            case TokenRejected(reason=reason):
                return self._retry(attempt, f"token refused twice: {reason}")
            case Transient(reason=reason, after=after, part=part):
                if part and self.clock() - attempt.attempted_since >= _PATIENCE:
                    return self.consequence(attempt, call, Permanent(reason, part=part))
                return self._retry(attempt, reason, after)
            case Unknown(reason=reason):
                if call.idempotent_for or attempt.context.app.config.on_unknown == "resend":
                    return self._retry(attempt, reason)
                return Completed(ReplyState.UNKNOWN, reason)

    def _window_closed(self, attempt: Attempt, reason: str) -> Result:
        """The result if the API delivers no message to this person now."""
        context = attempt.context
        if not context.app.config.replies_passively or attempt.unknown_since is not None:
            return self._retry(attempt, reason, _WINDOW_RETRY)
        if attempt.visible:
            rest = unsent(context, attempt.receipts, attempt.now)
            return Fallback(rest, (), reason) if rest else self._retry(attempt, reason, _WINDOW_RETRY)
        form = attempt.out
        if isinstance(context.platform, SupportsDeferral):
            try:
                form = context.platform.passive_form(attempt.out, context.app, attempt.receipts)
            except Exception as error:  # noqa: BLE001  # it becomes the reason of the reply's result
                return self._retry(attempt, describe(error))
        if form is None:
            return Completed(attempt.undelivered, reason)
        if form != attempt.out:
            return Fallback(form, (), reason)
        return Defer(reason) if attempt.can_be_deferred else self._retry(attempt, reason, _WINDOW_RETRY)

    def _retry(self, attempt: Attempt, reason: str, after: float = 0) -> RetryAfter | Completed:
        """Another attempt after a back-off, in `after` seconds at the earliest; a final state after the deadline."""
        if self.clock() - attempt.attempted_since < attempt.context.platform.PROFILE.retry_for:
            return RetryAfter(max(after, backoff(attempt.number)), reason)
        return Completed(attempt.undelivered, f"gave up after {attempt.number} attempts: {reason}")


def is_left_out(context: CallContext) -> bool:
    """Whether the reply is a reaction, and the platform has none."""
    return context.out.reply.op == "react" and not context.platform.PROFILE.reacts


def fallback_of(attempt: Attempt, refused: Permanent, media: AnyMedia | None) -> Fallback | None:
    """The reply in another form after a call was refused: without its reply token, or without the refused part.

    After the first messages are sent, it is the rest of the reply. If the rest cannot be sent on its own, but messages
    were only edited, it is the whole reply: the edits are made again.

    `media`: those of the refused call. None if the refusal is about neither, or if people already see a message of the
    reply that would be sent again, or might see one.
    """
    out = attempt.out
    is_new_message = refused.part == "target" or (refused.reply_token and out.reply.op == "send")
    if is_new_message and attempt.may_be_there:
        return None
    if refused.reply_token and out.to.reply_token_expires:
        # Expired, not removed: properties that came with the token (only one person sees the reply) still hold.
        expired = msgspec.structs.replace(out.to, reply_token_expires=0)
        return Fallback(msgspec.structs.replace(out, to=expired), attempt.receipts, refused.reason)
    form = fallback(out, refused.part, media)
    keeps_calls = attempt.visible or refused.part == "target"
    if keeps_calls and form is not None and form.reply.segments == out.reply.segments:
        return Fallback(form, attempt.receipts, refused.reason)
    rest = unsent(attempt.context, attempt.receipts, attempt.now) if refused.part else None
    if rest is not None:
        # Without a part to leave out it is tried once: on its own it may have another form, as a text after markdown.
        form = fallback(rest, refused.part, media) or rest
    elif attempt.visible:
        return None
    # The receipts are those of calls that the new form does not repeat, or of uploads for the refused form.
    return None if form is None else Fallback(form, (), refused.reason)


def _next_call(attempt: Attempt, sequence: CallSequence, receipt: Sent) -> Call | None:
    """The call after the current one, which is done with `receipt`."""
    if sequence.call is not None and sequence.call.idempotent_for != IDEMPOTENT and receipt.data != NOTHING:
        attempt.visible = True
    sequence.advance(receipt)
    return sequence.call
