"""A reply's row as a DynamoDB item, both ways."""

from typing import Any, cast

import msgspec

from parley.adapter import Sent
from parley.journal.states import ReplyState, Row
from parley.journal.table import Item, due_shard, get_number, get_text, number, reply_pk, text
from parley.model import Outgoing
from parley.model.codec import decode_outgoing, encode

PICKUP_AFTER = 60.0
"""Seconds after which a reply that no worker took is due for the sweeper."""
_decode_receipts = msgspec.json.Decoder(tuple[Sent, ...]).decode


def encoded_receipts(receipts: tuple[Sent, ...]) -> str:
    """The receipts as JSON, for one string attribute."""
    return encode(receipts).decode()


def item_of(row: Row, *, ttl: int) -> Item:
    """The item of a new `row`. `ttl`: unix second of its deletion.

    A reply that a worker holds is not in the index `due`: the message that it answers is in the inbound queue until the
    worker is done.
    """
    item: Item = {
        "pk": text(reply_pk(row.out.id)),
        "state": text(row.state),
        "body": text(encode(row.out).decode()),
        "message": text(row.out.message_key),
        "attempts": number(row.attempts),
        "updated": number(row.updated),
        "ttl": number(ttl),
    }
    if row.state is ReplyState.PENDING:
        item |= {"due_shard": text(due_shard(row.out.id)), "due_at": number(row.updated + PICKUP_AFTER)}
    if row.state is ReplyState.SENDING:
        item |= {"owner": text(row.owner), "lease_until": number(row.lease_until)}
        item |= {"attempted_since": number(row.attempted_since)}
    if row.unknown_since is not None:
        item["unknown_since"] = number(row.unknown_since)
    return item


def row_of(item: Item) -> Row:
    """The row in `item`. Raises `msgspec.ValidationError` if this version cannot read its body."""
    receipts = get_text(item, "receipts")
    return Row(
        out=decode_outgoing(get_text(item, "body")),
        state=ReplyState(get_text(item, "state")),
        attempts=int(get_number(item, "attempts") or 0),
        owner=get_text(item, "owner"),
        lease_until=get_number(item, "lease_until") or 0,
        not_before=get_number(item, "not_before") or 0,
        unknown_since=get_number(item, "unknown_since"),
        attempted_since=get_number(item, "attempted_since") or 0,
        receipts=_decode_receipts(receipts) if receipts else (),
        reason=get_text(item, "reason"),
        updated=get_number(item, "updated") or 0,
        boxed=int(get_number(item, "boxed") or 0),
        stored=get_text(item, "body"),
    )


def rewritten(stored: str, out: Outgoing) -> str:
    """The body `stored` changed to hold `out`. Fields that this version does not know stay."""
    return patched(stored, decode_outgoing(stored), out)


def patched(stored: str, before: Any, after: Any) -> str:
    """The JSON `stored`, which this version reads as `before`, changed to hold `after`. Fields that this version does
    not know stay.
    """
    known, new = (msgspec.to_builtins(each) for each in (before, after))
    return encode(_patched(msgspec.json.decode(stored), known, new)).decode()


def _patched(stored: Any, before: Any, after: Any) -> Any:
    """`stored`, which this version reads as `before`, changed so that it reads as `after`."""
    forms = (stored, before, after)
    if not all(isinstance(form, dict) for form in forms):
        return stored if before == after else after
    old, known, new = cast("tuple[dict[str, Any], dict[str, Any], dict[str, Any]]", forms)
    unknown = {key: value for key, value in old.items() if key not in known and key not in new}
    return {key: _patched(old.get(key), known.get(key), value) for key, value in new.items()} | unknown
