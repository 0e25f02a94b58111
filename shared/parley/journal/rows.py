"""The journal's rows as DynamoDB items, both ways."""

from typing import TYPE_CHECKING, Any, cast

import msgspec

from parley.adapter import Sent
from parley.journal.states import FINAL, Replies, ReplyState, Row
from parley.model import Outgoing
from parley.model.codec import decode_outgoing, encode

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]
else:
    Item = dict[str, Any]

SHARDS = 8
"""Partitions of the `due` index: what waits is spread over so many keys."""
PICKUP_AFTER = 60.0
"""Seconds after which a reply that nobody took is due for the sweeper."""
_decode_receipts = msgspec.json.Decoder(tuple[Sent, ...]).decode


def text(value: str) -> "AttributeValueTypeDef":
    """A DynamoDB string."""
    return {"S": value}


def number(value: float) -> "AttributeValueTypeDef":
    """A DynamoDB number; Python's shortest form, so that it comes back equal."""
    return {"N": repr(value)}


def get_text(item: "Item", name: str) -> str:
    """The string `name` of `item`; empty where it is missing."""
    return item.get(name, {}).get("S", "")


def get_number(item: "Item", name: str) -> float | None:
    """The number `name` of `item`; None where it is missing."""
    value = item.get(name, {}).get("N")
    return None if value is None else float(value)


def message_pk(key: str) -> str:
    """Primary key of the row of the message `key`."""
    return f"in#{key}"


def conversation_pk(key: str) -> str:
    """Primary key of the memory of the conversation `key`."""
    return f"conv#{key}"


def reply_pk(reply_id: str) -> str:
    """Primary key of the row of the reply `reply_id`."""
    return f"out#{reply_id}"


def shard(reply_id: str) -> str:
    """The partition of the `due` index in which the reply waits."""
    return f"due#{int(reply_id[:8], 16) % SHARDS}"


def receipts_attribute(receipts: tuple[Sent, ...]) -> "AttributeValueTypeDef":
    """The receipts as one string attribute."""
    return text(encode(receipts).decode())


def replies_item(name: str, replies: Replies) -> "Item":
    """The attributes that say which `replies` are meant; none if there are none."""
    return {name: text(replies.key), f"{name}_count": number(replies.count)} if replies.count else {}


def replies_in(item: "Item", name: str) -> Replies:
    """What `replies_item` wrote."""
    return Replies(get_text(item, name), int(get_number(item, f"{name}_count") or 0))


def item_of(row: Row, *, ttl: int) -> "Item":
    """The DynamoDB item of a new `row`."""
    item: Item = {
        "pk": text(reply_pk(row.out.id)),
        "state": text(row.state),
        "body": text(encode(row.out).decode()),
        "message": text(row.out.message_key),
        "turn": number(row.turn),
        "attempts": number(row.attempts),
        "updated": number(row.updated),
        "ttl": number(ttl),
    }
    if row.state not in FINAL:
        item |= {"due_shard": text(shard(row.out.id)), "due_at": number(row.updated + PICKUP_AFTER)}
    return item


def row_of(item: "Item") -> Row:
    """The row in `item`. Raises `msgspec.ValidationError` if its body is not what this version understands."""
    receipts = get_text(item, "receipts")
    return Row(
        out=decode_outgoing(get_text(item, "body")),
        turn=int(get_number(item, "turn") or 0),
        state=ReplyState(get_text(item, "state")),
        attempts=int(get_number(item, "attempts") or 0),
        owner=get_text(item, "owner"),
        lease_until=get_number(item, "lease_until") or 0,
        unknown_since=get_number(item, "unknown_since"),
        attempted_since=get_number(item, "attempted_since") or 0,
        receipts=_decode_receipts(receipts) if receipts else (),
        reason=get_text(item, "reason"),
        updated=get_number(item, "updated") or 0,
        stored=get_text(item, "body"),
    )


def rewritten(stored: str, out: Outgoing) -> str:
    """The body `stored` with `out` in it: what differs is changed, and what this version does not know stays there."""
    before, after = (msgspec.to_builtins(each) for each in (decode_outgoing(stored), out))
    return encode(_patched(msgspec.json.decode(stored), before, after)).decode()


def _patched(stored: Any, before: Any, after: Any) -> Any:
    """`stored`, of which this version understands `before`, so that it understands `after`."""
    forms = (stored, before, after)
    if not all(isinstance(form, dict) for form in forms):
        return stored if before == after else after
    old, known, new = cast("tuple[dict[str, Any], dict[str, Any], dict[str, Any]]", forms)
    unknown = {key: value for key, value in old.items() if key not in known and key not in new}
    return {key: _patched(old.get(key), known.get(key), value) for key, value in new.items()} | unknown
