"""The journal's state machine. It knows no AWS; the store knows no bot.

    message   RECEIVED ──▶ DECIDED ──▶ DONE            reply   PENDING ──▶ SENDING ──▶ SENT
                                                                  ▲           │  ├────▶ FAILED
                                                                  └───────────┘  └────▶ UNKNOWN

A message is RECEIVED while it is in the queue and no decision is recorded, DECIDED once one transaction holds the
conversation's new state and the replies, and DONE when none of its replies waits any more. Only the decision is
written: the other two are read off, so they can never disagree with what is there.

A reply is SENDING under a lease. `unknown_since` says since when a call may have left whose outcome nobody recorded;
it is set with the lease and cleared by any definite outcome, so a worker that dies leaves it behind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from parley.adapter import Call, Sent
from parley.errors import RetryAfter
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
"""States that a worker never leaves; an operator may send a FAILED or UNKNOWN reply again."""

TRANSITIONS: dict[ReplyState, frozenset[ReplyState]] = {
    ReplyState.PENDING: frozenset({ReplyState.SENDING}),
    ReplyState.SENDING: frozenset({ReplyState.SENDING, ReplyState.PENDING, *FINAL}),
    ReplyState.SENT: frozenset(),
    ReplyState.FAILED: frozenset({ReplyState.PENDING}),
    ReplyState.UNKNOWN: frozenset({ReplyState.PENDING}),
}
"""From SENDING to SENDING: the next call of the same reply, or a worker that takes over an expired lease."""


@dataclass(frozen=True, slots=True)
class Replies:
    """The replies to one message: its key and how many there are."""

    key: str
    count: int


NONE = Replies("", 0)


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided on a message: how many replies it got, and those that its conversation was given `before` it.
    What is said within callbacks has to come after these, for no queue keeps it in order.
    """

    replies: int
    before: Replies = NONE


@dataclass(frozen=True, slots=True)
class Row:
    """A reply in the journal. `turn` and the reply's ordinal tell the order of what one conversation is told, where the
    journal needs it; clocks do not.
    """

    out: Outgoing
    state: ReplyState = ReplyState.PENDING
    attempts: int = 0
    owner: str = ""
    lease_until: float = 0
    unknown_since: float | None = None
    attempted_since: float = 0
    """When it was first taken; 0 before. Time spent waiting for a turn does not count against it."""
    receipts: tuple[Sent, ...] = ()
    """One for each call that is known to be done, in order."""
    reason: str = ""
    updated: float = 0
    stored: str = ""
    """`out` as JSON, as it is stored: a newer version may have written more into it than this one knows."""
    turn: int = 0

    @property
    def place(self) -> tuple[int, float, int]:
        """Where it stands among what its conversation is told. The moment tells it apart from what was written before
        turns were, or outside any.
        """
        return self.turn, self.out.created, self.out.ordinal


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing is left to do."""

    state: ReplyState


def refusal(row: Row, now: float) -> RetryAfter | Finished | None:
    """Why `row` cannot be taken at `now`; None if it can."""
    if row.state in FINAL:
        return Finished(row.state)
    if row.state is ReplyState.SENDING and row.lease_until > now:
        return RetryAfter(row.lease_until - now)
    return None


def is_safe_to_repeat(call: Call, unknown_since: float | None, now: float) -> bool:
    """Whether making `call` now cannot say it twice, although an attempt since `unknown_since` may have succeeded."""
    return unknown_since is None or now - unknown_since < call.idempotent_for


def reply_token_expired_since(out: Outgoing, unknown_since: float | None, now: float) -> bool:
    """Whether the grant of `out` has ended since an attempt that may have succeeded with it: no key of that attempt
    covers the other way in which it would be said now.
    """
    ended = unknown_since is not None and unknown_since < out.to.reply_token_expires <= now
    return ended and out.reply.op == "send"


def message_state(*, decided: bool, replies: Iterable[ReplyState]) -> MessageState:
    """The state of a message with these replies."""
    if not decided:
        return MessageState.RECEIVED
    return MessageState.DECIDED if any(state is ReplyState.PENDING for state in replies) else MessageState.DONE
