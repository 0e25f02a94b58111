"""The decisions about passive replies, as pure functions of rows. See the package's docstring for the whole flow."""

from collections.abc import Iterable
from itertools import takewhile

import msgspec

from parley.adapter import PassiveReply
from parley.journal.rows import rewritten
from parley.journal.states import FINAL, ReplyState, Row
from parley.model import Conversation, Message, Outgoing

LAST_DELIVERY = 3
"""The delivery that is answered in any case. The platforms' documents do not say whether they deliver a message three
or four times; after a response there is no fourth delivery."""
LEASE = 6.0
"""Seconds that a callback holds replies: longer than it waits, and over before the platform's next delivery ends. The
response is stored before it is given, so an expired lease leaves no unknown outcome."""
GRACE = 0.3
"""Seconds after the waiting time in which a response may still be stored and given."""
MAX_CARRIED = 98
"""Replies that one response may concern. A transaction has at most 100 items."""
MAX_DEFERRED = 20
"""Deferred replies of one conversation. They are read one by one while the platform waits for the response."""
OWNER_PREFIX = "callback-"
"""Begins the name of a callback as the owner of a lease."""


class Part(msgspec.Struct, frozen=True):
    """A reply that a callback holds, and its new state: carried in full, or left for the API or the next response.

    `body`: the remainder of a reply whose beginning is carried (`rows.rewritten`); empty if the reply is unchanged.
    """

    out: Outgoing
    carried: bool
    body: str = ""


def waiting_before(before: Iterable[Row]) -> set[str]:
    """Ids of the earlier replies that a response may not overtake, unless it carries them itself.

    `before`: the replies that directly precede (`Decided.before`). This rule, or the queue, has already kept the order
    of those before them.
    """
    return {row.out.id for row in before if row.state not in FINAL}


def can_be_taken(row: Row) -> bool:
    """Whether a callback may take the reply: no call was made for it, and no deliverer holds it. A reply that another
    callback holds can be taken when its lease has expired.
    """
    by_callback = row.state is ReplyState.SENDING and row.owner.startswith(OWNER_PREFIX)
    return (by_callback or row.state is ReplyState.PENDING) and not row.receipts and row.unknown_since is None


def free(rows: list[Row]) -> list[Row]:
    """The rows, from the first one that is not final, that no other worker holds or has begun to deliver."""
    return list(takewhile(can_be_taken, (row for row in rows[:MAX_CARRIED] if row.state not in FINAL)))


def in_order(rows: Iterable[Row]) -> list[Row]:
    """`rows` without repetition, in the order of their conversation."""
    return sorted({row.out.id: row for row in rows}.values(), key=lambda row: row.position)


def replies_to(message: Message, rows: Iterable[Row]) -> tuple[Outgoing, ...]:
    """The replies in `rows`. One that names the conversation of `message` as its destination is a plain reply to it."""
    here = Conversation.of(message).key
    return tuple(_without_destination(row.out) if row.out.to.key == here else row.out for row in rows)


def _without_destination(out: Outgoing) -> Outgoing:
    return msgspec.structs.replace(out, reply=msgspec.structs.replace(out.reply, to=None))


def parts_of(taken: list[Row], response: PassiveReply) -> list[Part]:
    """The new state of each reply in `taken`, of which `response` carries the first ones."""
    parts = [Part(row.out, carried=number < response.sent) for number, row in enumerate(taken)]
    if response.rest is not None:
        cut = taken[response.sent]
        remainder = msgspec.structs.replace(cut.out, reply=response.rest)
        parts[response.sent] = Part(remainder, carried=False, body=rewritten(cut.stored, remainder))
    return parts
