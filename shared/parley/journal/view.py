"""The journal for people: the state of one message and its replies, as plain values."""

from typing import TYPE_CHECKING, Any

import msgspec

from parley.journal import table as t
from parley.journal.rows import row_of
from parley.journal.states import Row, message_state
from parley.journal.table import get_number, get_text, message_pk, reply_pk
from parley.model import digest, reply_id

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def journal_of(
    client: "DynamoDBClient", table: str, *, platform: str, app: str, tenant: str, message_id: str
) -> dict[str, Any]:
    """State, decision and replies of a message: `{"state", "decided", "reason", "message", "replies": [...]}`.

    A message without a row is RECEIVED: it is in the queue, or was never received. One request, and one more a reply.
    """
    return journal_of_key(client, table, digest(platform, app, tenant, message_id))


def journal_of_key(client: "DynamoDBClient", table: str, key: str) -> dict[str, Any]:
    """The same for the message with this key (`parley.model.message_key`)."""
    item = t.get(client, table, message_pk(key))
    count = get_number(item, "replies")
    rows = [row for ordinal in range(int(count or 0)) if (row := _row(client, table, reply_id(key, ordinal)))]
    apology = _row(client, table, reply_id(key, "apology"))
    body = get_text(item, "message")
    return {
        "key": key,
        "state": message_state(decided=count is not None, replies=(row.state for row in rows)),
        "app": f"{get_text(item, 'platform')}/{get_text(item, 'app')}" if item else "",
        "id": get_text(item, "id"),
        "conversation": get_text(item, "conversation"),
        "decided": get_number(item, "decided"),
        "attempts": get_number(item, "attempts"),
        "reason": get_text(item, "reason"),
        "message": msgspec.json.decode(body) if body else None,
        "replies": [_reply(row) for row in [*rows, *([apology] if apology else [])]],
    }


def _row(client: "DynamoDBClient", table: str, id_: str) -> Row | None:
    item = t.get(client, table, reply_pk(id_))
    return row_of(item) if item else None


def _reply(row: Row) -> dict[str, Any]:
    return {
        "id": row.out.id,
        "ordinal": row.out.ordinal,
        "state": row.state,
        "attempts": row.attempts,
        "form": row.out.form,
        "dropped": row.out.dropped,
        "receipts": [receipt.id for receipt in row.receipts],
        "reason": row.reason,
        "created": row.out.created,
        "updated": row.updated,
        "reply": msgspec.to_builtins(row.out.reply),
    }
