"""The journal's state machine. It knows no AWS, and the store that uses it knows no bot.

    message   RECEIVED ──▶ DECIDED ──▶ DONE            reply   PENDING ──▶ SENDING ──▶ SENT
                                                                  ▲           │  ├────▶ FAILED
                                                                  └───────────┘  └────▶ UNKNOWN

A message is RECEIVED while it is in the queue and no decision is stored, DECIDED once one transaction holds the
conversation's new state and the replies, and DONE when all of its replies are final. Only the decision is written; the
other two states are derived from the rows.

A reply is SENDING under a lease. `unknown_since` is the time of a call whose outcome is not recorded yet. It is set
with the lease and cleared by every definite outcome, so it remains if the worker dies.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from parley.adapter import Call, Sent
from parley.errors import ParleyError, RetryAfter
from parley.model import Outgoing


class MessageState(StrEnum):
    """States of an inbound message."""

    RECEIVED = "RECEIVED"
    DECIDED = "DECIDED"
    DONE = "DONE"


class ReplyState(StrEnum):
    """States of a reply."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


FINAL = frozenset({ReplyState.SENT, ReplyState.FAILED, ReplyState.UNKNOWN})
"""States that a reply never leaves."""

TRANSITIONS: dict[ReplyState, frozenset[ReplyState]] = {
    ReplyState.PENDING: frozenset({ReplyState.SENDING}),
    ReplyState.SENDING: frozenset({ReplyState.SENDING, ReplyState.PENDING, *FINAL}),
    **{state: frozenset[ReplyState]() for state in FINAL},
}
"""The allowed transitions; `parley.journal.outbox` enforces them. SENDING to SENDING: the next call of the same reply,
or a worker that takes over an expired lease."""


class IllegalTransitionError(ParleyError):
    """A change that `TRANSITIONS` does not allow: a defect in this package."""


def check_transition(before: ReplyState, after: ReplyState) -> None:
    """Raise IllegalTransitionError unless a reply may go from `before` to `after`."""
    if after not in TRANSITIONS[before]:
        raise IllegalTransitionError(f"{before} to {after}")


class Decided(msgspec.Struct, frozen=True):
    """A decision on the message with the key `message`: the number of its replies, and the ids of those that directly
    precede them. `forwarded`: the id of the message of the same conversation that brings it on (`Decision.forwarded`).

    Passive replies have to keep that order; for all others the queue keeps it.
    """

    message: str
    replies: int
    before: frozenset[str] = frozenset()
    forwarded: str = ""


class Row(msgspec.Struct, frozen=True):
    """A reply in the journal."""

    out: Outgoing
    state: ReplyState = ReplyState.PENDING
    attempts: int = 0
    owner: str = ""
    lease_until: float = 0
    not_before: float = 0
    """Unix second of the next attempt, after one that has to be repeated."""
    unknown_since: float | None = None
    attempted_since: float = 0
    """Unix seconds of the first attempt; 0 before it. Time in a queue does not count against the deadline."""
    receipts: tuple[Sent, ...] = ()
    """One for each call that is known to be done, in order."""
    reason: str = ""
    updated: float = 0
    boxed: int = 0
    """Its number in the mailbox of its conversation; 0 if it is in none."""
    stored: str = ""
    """`out` as JSON, as it is stored: a newer version may have added fields that this version does not know."""

    @property
    def position(self) -> tuple[float, str, int]:
        """Its position among the replies to its conversation: by the time of its decision."""
        return self.out.created, self.out.message_key, self.out.ordinal


class Lease(msgspec.Struct, frozen=True):
    """The right of the worker `owner` to deliver a reply until the unix second `until`.

    `begins`: its first call follows at once, so its outcome is unknown if the worker dies (`Row.unknown_since`).
    """

    owner: str
    until: float
    begins: bool


class Finished(msgspec.Struct, frozen=True):
    """The reply is final; nothing is left to do."""

    state: ReplyState


def refusal(row: Row, now: float) -> RetryAfter | Finished | None:
    """Why `row` cannot be taken at `now`; None if it can."""
    if row.state in FINAL:
        return Finished(row.state)
    if row.state is ReplyState.SENDING and row.lease_until > now:
        return RetryAfter(row.lease_until - now)
    if row.state is ReplyState.PENDING and row.not_before > now:
        return RetryAfter(row.not_before - now)
    return None


def is_safe_to_repeat(call: Call, unknown_since: float | None, latest: float) -> bool:
    """Whether `call` can be made without a second effect, although an attempt at `unknown_since` may have succeeded.

    `latest`: the last moment at which the repeat can reach the platform. The worker may stall before the call leaves,
    and may make it twice because of a refused token; it is dead when its lease ends. The platform has to know the
    idempotency key until then.
    """
    return unknown_since is None or latest - unknown_since < call.idempotent_for


def reply_token_expired_since(out: Outgoing, call: Call, unknown_since: float | None, now: float) -> bool:
    """Whether the reply token of `out` has expired since an attempt that may have succeeded with it. The reply would
    now go out in another way, which the idempotency key of that attempt does not cover.

    An edit, a recall or a reaction has the same effect in both ways.
    """
    expired = unknown_since is not None and unknown_since < out.to.reply_token_expires <= now
    return expired and out.reply.op not in ("recall", "react") and not call.edits


def message_state(*, decided: bool, replies: Iterable[ReplyState]) -> MessageState:
    """The state of a message with these replies."""
    if not decided:
        return MessageState.RECEIVED
    return MessageState.DONE if all(state in FINAL for state in replies) else MessageState.DECIDED
