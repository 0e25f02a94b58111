"""Handles: a reply that edits or recalls an earlier one, or reacts to it, before the platform's id of it is known."""

from msgspec.structs import replace

from parley.adapter import fallback
from parley.journal.outbox import PASSIVE_RECEIPTS
from parley.journal.states import FINAL, ReplyState, Row
from parley.model import Outgoing, handled


class UnresolvedHandleError(Exception):
    """The target of a reply is a handle. `reply_id`: the reply whose handle it is."""

    def __init__(self, reply_id: str) -> None:
        super().__init__("the target is a handle")
        self.reply_id = reply_id


def check_resolved(out: Outgoing) -> None:
    """Raise UnresolvedHandleError if the target of `out` is a handle."""
    if changed := handled(out.reply.target):
        raise UnresolvedHandleError(changed)


def is_delivered(changed: Row | None) -> bool:
    """Whether the reply in the row `changed` is final, or has no row any more."""
    return changed is None or changed.state in FINAL


def resolved(out: Outgoing, changed: Row | None) -> Outgoing | None:
    """`out` with the platform's id of the message that it changes. `changed`: the row of that reply, if there is one.

    If there is no id of it, an edit becomes a new message, and None stands for a recall or a reaction.
    """
    if changed is not None and out.reply.to is None:
        out = replace(out, to=changed.out.to)
    receipts = changed.receipts if changed is not None and changed.state is ReplyState.SENT else ()
    ids = [receipt.id for receipt in receipts if receipt.id and receipt not in PASSIVE_RECEIPTS]
    return replace(out, reply=replace(out.reply, target=ids[-1])) if ids else fallback(out, "target")
