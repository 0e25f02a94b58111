"""The state table: its keys, its attributes, and requests to it. The one place that knows their names.

One DynamoDB table holds all state. The prefix of the primary key `pk` says which kind of row it is. Expressions name
attributes as `#name` and values as `:name`; the functions here fill in `ExpressionAttributeNames` and
`ExpressionAttributeValues`, and refuse a name that is not in `ATTRIBUTES`.
"""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        DeleteTypeDef,
        PutTypeDef,
        QueryInputTypeDef,
        UpdateTypeDef,
    )

    Item = dict[str, AttributeValueTypeDef]
else:
    Item = dict[str, Any]

# --- keys -------------------------------------------------------------------------------------------------------------


def message_pk(key: str) -> str:
    """Row of an inbound message: its decision."""
    return f"in#{key}"


def conversation_pk(key: str) -> str:
    """Row of a conversation: the bot's state."""
    return f"conv#{key}"


def user_pk(key: str) -> str:
    """Row of a person: the bot's state in all rooms of an app."""
    return f"user#{key}"


def shared_pk(platform: str, app: str) -> str:
    """Row of an app: the bot's state in all of its conversations."""
    return f"shared#{platform}#{app}"


def talk_pk(key: str) -> str:
    """Row of a conversation: what it has said with a language model."""
    return f"talk#{key}"


def run_pk(conversation_key: str) -> str:
    """Row of a conversation: its run that lasts, and whether a person wants it to stop."""
    return f"run#{conversation_key}"


def timer_pk(id_: str) -> str:
    """Row of a timer: a message that the bot has planned."""
    return f"timer#{id_}"


def reply_pk(reply_id: str) -> str:
    """Row of a reply: its body and how far its delivery got."""
    return f"out#{reply_id}"


def posted_pk(message_key: str) -> str:
    """Row of a message whose client has named it: the fingerprint of its request."""
    return f"posted#{message_key}"


def callback_pk(message_key: str) -> str:
    """Row of a message whose callback waits for a passive reply: its deliveries and the response that was given."""
    return f"callback#{message_key}"


def heard_pk(conversation_key: str) -> str:
    """Row of a conversation: the keys of its last messages that were not for the bot."""
    return f"heard#{conversation_key}"


def merge_pk(conversation_key: str) -> str:
    """Row of a conversation: the last message of those that are to be handled as one."""
    return f"merge#{conversation_key}"


def queued_pk(conversation_key: str) -> str:
    """Row of a conversation: the last of its replies that went into the outbound queue."""
    return f"queued#{conversation_key}"


def deferred_pk(conversation_key: str) -> str:
    """Row of a conversation: the replies that go out with its next passive reply."""
    return f"deferred#{conversation_key}"


def box_pk(conversation_key: str, number: int = 0) -> str:
    """Row of a conversation: how many of its replies are in its mailbox. With a `number`: which reply has it."""
    return f"box#{conversation_key}#{number}" if number else f"box#{conversation_key}"


def watch_pk(conversation_key: str) -> str:
    """Row of a conversation: the connections of clients that watch it."""
    return f"watch#{conversation_key}"


def connection_pk(id_: str) -> str:
    """Row of a connection of a client: whose it is, and the conversations that it watches."""
    return f"conn#{id_}"


def seen_pk(conversation_key: str, person_key: str) -> str:
    """Row of a person in a conversation: the number of the last reply that a client of theirs has handled."""
    return f"seen#{conversation_key}#{person_key}"


def ticket_pk(ticket_hash: str) -> str:
    """Row of a ticket, with which a client connects once."""
    return f"ticket#{ticket_hash}"


def credential_pk(platform: str, app: str, name: str) -> str:
    """Row of a credential that the platform has pushed."""
    return f"credential#{platform}#{app}#{name}"


def name_pk(platform: str, app: str, user: str) -> str:
    """Row of a person's name."""
    return f"name#{platform}#{app}#{user}"


def token_pk(name: str) -> str:
    """Row of an access token."""
    return f"token#{name}"


def gateway_pk(platform: str, app: str, part: str) -> str:
    """Row of a connection that the app holds to its platform: which instance is active, and where it continues."""
    return f"gateway#{platform}#{app}#{part}"


def limit_pk(bucket: str) -> str:
    """Row of a rate limit."""
    return f"limit#{bucket}"


def tenant_pk(platform: str, app: str, tenant: str) -> str:
    """Row of an organisation that has installed an app."""
    return f"tenant#{platform}#{app}#{tenant}"


def install_pk(code_hash: str) -> str:
    """Row of the code of one authorisation: who exchanges it, and for which organisation it was."""
    return f"install#{code_hash}"


def login_pk(state_hash: str) -> str:
    """Row of a login of a person that is under way."""
    return f"login#{state_hash}"


def grant_pk(key: str) -> str:
    """Row of a person who has logged in: their tokens."""
    return f"grant#{key}"


def forget_pk(person: str) -> str:
    """Row of a run of `parley.journal.forget`: how far it got."""
    return f"forget#{person}"


DUE_INDEX = "due"
"""Global secondary index of the replies that wait, and of the timers: partition `due_shard`, sorted by `due_at`."""
_SHARDS = 8
DUE_SHARDS = tuple(f"due#{number}" for number in range(_SHARDS))
"""Partitions of the `due` index: the waiting replies are spread over them."""

TIMER_SHARD = "timer"
"""Its partition for the timers."""


def due_shard(reply_id: str) -> str:
    """The partition of the `due` index for a reply."""
    return DUE_SHARDS[int(reply_id[:8], 16) % _SHARDS]


# --- attributes -------------------------------------------------------------------------------------------------------

ATTRIBUTES = frozenset(
    {
        "pk",
        "ttl",  # unix second at which DynamoDB deletes the row
        "updated",  # unix seconds of the last change
        "person",  # `person_key` of the sender; of a conversation, of the one person in a direct chat
        # message
        "state",  # also of a reply
        "replies",  # number of replies that were decided
        "platform",
        "app",
        "id",  # the platform's id of the message
        "conversation",
        "decided",
        "departments",  # unix seconds of the decision; in a `queued` row, of the one that the reply belongs to
        "message",  # the message as JSON; in a reply and in a `merge` row, the key of the message
        "before",  # ids of replies that precede these, if a callback waits for them
        "forwarded",  # id of the message that brings this one on, whose replies are for its callback
        "attempts",  # how often the bot was started; in a reply, how often it was taken
        "reason",  # why the last attempt failed
        "results",  # of outside calls, as JSON by their key, until the decision
        # conversation, person, app
        "memory",  # the bot's state as JSON
        "version",
        "agenda",  # the conversation's plans, as JSON
        # run
        "since",  # unix second of the message that runs, or that stops it
        # reply
        "body",  # the reply as JSON; of a timer, the message
        "owner",
        "lease_until",
        "not_before",
        "unknown_since",
        "attempted_since",
        "receipts",
        "boxed",  # its number in the mailbox of its conversation
        "due_shard",
        "due_at",
        # queued, callback, deferred replies
        "reply",
        "foreign",  # a reply that another conversation has sent
        "deliveries",
        "first",  # unix seconds of the first delivery; in a `box` row, the number of the first reply
        "response",
        "draft",  # the beginning of an answer that grows, as JSON, for polls
        "ids",
        # credentials, tokens, names, what was heard, and connections
        "value",
        "issued_at",
        "expires",
        "renew_at",
        "generation",
        "lock_until",
        "lock_owner",
        # watchers and connections
        "watchers",  # set: the address, the end and the key of the person of each
        "watched",  # set: keys of conversations
        "instances",  # set: instances of a connector
        "cursor",  # number of the last reply that was handled
        # tenants
        "agent",  # the app's id in the organisation
        "scope",  # what the organisation allows, as JSON without persons
        "authorised",  # unix seconds of the authorisation that is in force, or was the last one
        "withdrawn",  # unix seconds of the last time that the organisation removed the app
        # logins
        "ends",  # unix second at which the refresh token of a person ends
        # rate limits
        "tat",  # theoretical arrival time
        "count",  # calls that were ever reserved; in a `box` row, the number of the last reply
        "room",  # the highest `count` at which another one may be reserved
        "marks",  # values of `count` at earlier times
        "portions",  # the ends of the portions that processes have leased
    }
)

# --- values -----------------------------------------------------------------------------------------------------------


def text(value: str) -> "AttributeValueTypeDef":
    """A DynamoDB string."""
    return {"S": value}


def number(value: float) -> "AttributeValueTypeDef":
    """A DynamoDB number in Python's shortest form, so that it reads back equal."""
    return {"N": repr(value)}


def get_text(item: Item, name: str) -> str:
    """The string `name` of `item`; empty if it is missing. Raises KeyError for a name that is not in `ATTRIBUTES`."""
    return _attribute(item, name).get("S", "")


def get_number(item: Item, name: str) -> float | None:
    """The number `name` of `item`; None if it is missing. Raises KeyError as `get_text`."""
    value = _attribute(item, name).get("N")
    return None if value is None else float(value)


def get_texts(item: Item, name: str) -> set[str]:
    """The set of strings `name` of `item`; empty if it is missing. Raises KeyError as `get_text`."""
    return set(_attribute(item, name).get("SS", []))


def _attribute(item: Item, name: str) -> "AttributeValueTypeDef":
    _refuse_unknown({name})
    return item.get(name, {})


def _refuse_unknown(names: AbstractSet[str]) -> None:
    if unknown := names - ATTRIBUTES:
        raise KeyError(f"attributes without a name in ATTRIBUTES: {sorted(unknown)}")


Value = str | float | set[str]


def _attribute_value(value: Value) -> "AttributeValueTypeDef":
    if isinstance(value, str):
        return text(value)
    return {"SS": sorted(value)} if isinstance(value, set) else number(value)


# --- requests ---------------------------------------------------------------------------------------------------------


def key(pk: str) -> Item:
    """The primary key `pk` as an item."""
    return {"pk": text(pk)}


def get(client: "DynamoDBClient", table: str, pk: str) -> Item:
    """The row `pk`, read consistently; empty if there is none."""
    return client.get_item(TableName=table, Key=key(pk), ConsistentRead=True).get("Item", {})


_BATCH = 100
"""Rows that DynamoDB reads in one request."""


def get_many(client: "DynamoDBClient", table: str, pks: Iterable[str]) -> dict[str, Item]:
    """The rows `pks` by key, read consistently, without those that do not exist. One request for each 100 rows, and
    more for rows that DynamoDB leaves out.
    """
    found: dict[str, Item] = {}
    wanted: list[Item] = [key(pk) for pk in pks]
    while wanted:
        batch, wanted = wanted[:_BATCH], wanted[_BATCH:]
        answer = client.batch_get_item(RequestItems={table: {"Keys": batch, "ConsistentRead": True}})
        found |= {get_text(item, "pk"): item for item in answer["Responses"].get(table, [])}
        left = answer["UnprocessedKeys"].get(table)
        wanted = [*(left["Keys"] if left else ()), *wanted]
    return found


def update(table: str, pk: str, change: str, condition: str = "", **values: Value) -> "UpdateTypeDef":
    """The arguments of an update, alone or in a transaction: `update(t, pk, "SET #state = :to", to="SENT")`."""
    request: UpdateTypeDef = {"TableName": table, "Key": key(pk), "UpdateExpression": change}
    if condition:
        request["ConditionExpression"] = condition
    request["ExpressionAttributeNames"] = _names(f"{change} {condition}")
    request["ExpressionAttributeValues"] = _values(values)
    return request


def put(table: str, item: Item, condition: str = "", **values: Value) -> "PutTypeDef":
    """The arguments of a put, alone or in a transaction. Raises KeyError for an attribute that has no name here."""
    _refuse_unknown(item.keys())
    request: PutTypeDef = {"TableName": table, "Item": item}
    if condition:
        request["ConditionExpression"] = condition
        request["ExpressionAttributeNames"] = _names(condition)
    if values:
        request["ExpressionAttributeValues"] = _values(values)
    return request


def delete(table: str, pk: str, condition: str, **values: Value) -> "DeleteTypeDef":
    """The arguments of a deletion, alone or in a transaction."""
    return {
        "TableName": table,
        "Key": key(pk),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": _names(condition),
        "ExpressionAttributeValues": _values(values),
    }


def query(table: str, index: str, condition: str, **values: Value) -> "QueryInputTypeDef":
    """The arguments of a query for the rows of `index` that match `condition` on its keys."""
    return {
        "TableName": table,
        "IndexName": index,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": _names(condition),
        "ExpressionAttributeValues": _values(values),
    }


ABSENT = "attribute_not_exists(#pk)"
"""The condition of a put that replaces nothing."""


def item_in(error: ClientError) -> Item:
    """The row that failed a condition, if the request asked for it; else empty."""
    response: dict[str, Any] = dict(error.response)
    return response.get("Item") or {}


def _values(values: dict[str, Value]) -> Item:
    return {f":{name}": _attribute_value(value) for name, value in values.items()}


@lru_cache(maxsize=256)
def _parsed(expression: str) -> tuple[str, ...]:
    names = set(re.findall(r"#(\w+)", expression))
    _refuse_unknown(names)
    return tuple(sorted(names))


def _names(expression: str) -> dict[str, str]:
    return {f"#{name}": name for name in _parsed(expression)}
