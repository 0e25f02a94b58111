"""Clients that are connected: the conversations that they watch, what they have acknowledged, and their tickets.

Row `watch#<conversation>` has one text for each watcher in a set, so that workers add and remove watchers at the same
time. Row `conn#<connection>` lists what a connection watches, for its end. A watcher whose connection ends without a
word is left in the set until its time is up.
"""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from parley.adapter import Client
from parley.errors import ParleyError
from parley.journal import table as t
from parley.journal.table import (
    connection_pk,
    get_number,
    get_text,
    get_texts,
    number,
    seen_pk,
    text,
    ticket_pk,
    watch_pk,
)
from parley.model.codec import encode

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MAX_WATCHERS = 1000
"""Watchers of a conversation. The texts of all are in one DynamoDB item, and each reply goes to each of them."""
MAX_OF_PERSON = 50
"""Of these, connections of one person, so that nobody takes the places of all others."""
LIFE = 7200.0
"""Seconds after which API Gateway ends a connection. No watcher lasts longer."""
_KEPT = 3 * 3600
"""Seconds for which a row with watchers, a connection or a ticket is stored: longer than each of them lasts."""


class TooManyWatchersError(ParleyError):
    """The conversation has `MAX_WATCHERS` already, or `MAX_OF_PERSON` of this person: the new one is not stored."""


class Watcher(NamedTuple):
    """One who gets each new reply of a conversation.

    `address`: `ws/<connection>` or `tcp/<queue>`, without spaces. `until`: Unix second at which it ends. `person`:
    the key of the person (`parley.model.person_key`), or empty if the address serves several.
    """

    address: str
    until: int
    person: str = ""


class Connection(msgspec.Struct, frozen=True):
    """A connection of API Gateway. `watched`: keys of conversations."""

    id: str
    client: Client
    watched: frozenset[str] = frozenset()

    @property
    def watcher(self) -> Watcher:
        """This connection as the watcher of a conversation."""
        return Watcher(f"{WEBSOCKET}{self.id}", self.client.until, self.client.key)


WEBSOCKET, TCP = "ws/", "tcp/"
"""The beginnings of addresses."""
_decode_client = msgspec.json.Decoder(Client).decode


class Watchers(msgspec.Struct):
    """The watchers in the table `table`. `keep_for`: seconds until an acknowledgement expires.

    All methods raise AwsError.
    """

    client: "DynamoDBClient"
    table: str
    keep_for: float

    # --- conversations

    def watch(self, conversation: str, watcher: Watcher, now: float) -> None:
        """Add `watcher` to those of the conversation with that key. Raises TooManyWatchersError."""
        change = "SET #ttl = :ttl ADD #watchers :watcher"
        room = "attribute_not_exists(#watchers) OR size(#watchers) < :most"
        request = t.update(
            self.table,
            watch_pk(conversation),
            change,
            room,
            ttl=int(now) + _KEPT,
            watcher={_text_of(watcher)},
            most=MAX_WATCHERS,
        )
        try:
            answer = self.client.update_item(**request, ReturnValues="ALL_OLD")
        except self.client.exceptions.ConditionalCheckFailedException as error:
            row = t.get(self.client, self.table, watch_pk(conversation))
            if _text_of(watcher) in get_texts(row, "watchers"):
                return
            if not self._drop_ended(conversation, row, now):
                raise TooManyWatchersError(f"{MAX_WATCHERS} connections watch the conversation") from error
            self.client.update_item(**request)
            return
        before = answer.get("Attributes", {})
        self._drop_ended(conversation, before, now)
        others = [each for each in map(_watcher_of, get_texts(before, "watchers")) if now < each.until]
        if watcher not in others and sum(each.person == watcher.person != "" for each in others) >= MAX_OF_PERSON:
            self.forget(conversation, [watcher])
            raise TooManyWatchersError(f"{MAX_OF_PERSON} connections of the person watch the conversation")

    def renew(self, conversation: str, before: Watcher, after: Watcher, now: float) -> None:
        """Replace `before` by `after`, which lasts longer."""
        self.watch(conversation, after, now)
        if before != after:
            self.forget(conversation, [before])

    def forget(self, conversation: str, watchers: Iterable[Watcher]) -> None:
        """Remove `watchers` from those of the conversation."""
        self._remove(conversation, set(map(_text_of, watchers)))

    def watching(self, conversation: str, now: float) -> list[Watcher]:
        """The watchers of the conversation with that key. One request."""
        row = t.get(self.client, self.table, watch_pk(conversation))
        return [watcher for watcher in map(_watcher_of, sorted(get_texts(row, "watchers"))) if now < watcher.until]

    # --- connections

    def connect(self, id_: str, client: Client, now: float) -> None:
        """Store a new connection."""
        value = text(encode(client).decode())
        item: t.Item = {"pk": text(connection_pk(id_)), "value": value, "ttl": number(int(now) + _KEPT)}
        self.client.put_item(**t.put(self.table, item))

    def connection(self, id_: str) -> Connection | None:
        """The connection with that id. None: it has ended, or there was none. One request."""
        return _connection_of(id_, t.get(self.client, self.table, connection_pk(id_)))

    def open(self, connection: Connection, conversation: str, now: float) -> None:
        """Let a connection watch a conversation. Raises TooManyWatchersError. Two requests, in this order: the end of
        the connection removes every watcher of it.
        """
        change = "ADD #watched :conversation"
        request = t.update(
            self.table, connection_pk(connection.id), change, "attribute_exists(#pk)", conversation={conversation}
        )
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return  # it has just ended
        self.watch(conversation, connection.watcher, now)

    def disconnect(self, id_: str) -> Connection | None:
        """Remove a connection, and with it its watchers. None: it was removed before."""
        answer = self.client.delete_item(TableName=self.table, Key=t.key(connection_pk(id_)), ReturnValues="ALL_OLD")
        connection = _connection_of(id_, answer.get("Attributes", {}))
        if connection is not None:
            for conversation in sorted(connection.watched):
                self.forget(conversation, [connection.watcher])
        return connection

    # --- acknowledgements

    def acknowledge(self, conversation: str, person: str, cursor: int, now: float) -> None:
        """The person with that key has handled all replies up to the number `cursor`. It never goes back."""
        change, newer = "SET #cursor = :cursor, #ttl = :ttl", "attribute_not_exists(#cursor) OR #cursor < :cursor"
        ttl = int(now + self.keep_for)
        request = t.update(self.table, seen_pk(conversation, person), change, newer, cursor=cursor, ttl=ttl)
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def acknowledged(self, conversation: str, person: str) -> int | None:
        """The number of the last reply that the person with that key has acknowledged. One request."""
        found = get_number(t.get(self.client, self.table, seen_pk(conversation, person)), "cursor")
        return None if found is None else int(found)

    # --- tickets

    def add_ticket(self, ticket: str, client: Client, expires: int) -> None:
        """Store that `client` may connect once with `ticket`, until the Unix second `expires`. The ticket itself is not
        stored, only its hash.
        """
        item: t.Item = {
            "pk": text(_ticket_pk(ticket)),
            "value": text(encode(client).decode()),
            "expires": number(expires),
            "ttl": number(expires + _KEPT),
        }
        self.client.put_item(**t.put(self.table, item))

    def take_ticket(self, ticket: str, now: float) -> Client | None:
        """Whose `ticket` is, once. None: it was taken, has expired, or there is none."""
        answer = self.client.delete_item(TableName=self.table, Key=t.key(_ticket_pk(ticket)), ReturnValues="ALL_OLD")
        row = answer.get("Attributes", {})
        expired = now >= (get_number(row, "expires") or 0)
        return None if expired else _decode_client(get_text(row, "value"))

    # --- sets

    def _drop_ended(self, conversation: str, row: t.Item, now: float) -> bool:
        """Remove the watchers in `row` whose time is up. Whether there were some."""
        ended = {each for each in get_texts(row, "watchers") if _watcher_of(each).until <= now}
        self._remove(conversation, ended)
        return bool(ended)

    def _remove(self, conversation: str, texts: set[str]) -> None:
        if not texts:
            return
        change, pk = "DELETE #watchers :watchers", watch_pk(conversation)
        request = t.update(self.table, pk, change, "attribute_exists(#watchers)", watchers=texts)
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return  # all are gone; without the condition, DynamoDB would add a row


def _text_of(watcher: Watcher) -> str:
    return f"{watcher.address} {watcher.until} {watcher.person}"


def _watcher_of(stored: str) -> Watcher:
    address, until, person = stored.split(" ")
    return Watcher(address, int(until), person)


def _connection_of(id_: str, row: t.Item) -> Connection | None:
    if "value" not in row:
        return None
    return Connection(id_, _decode_client(get_text(row, "value")), frozenset(get_texts(row, "watched")))


def _ticket_pk(ticket: str) -> str:
    return ticket_pk(hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).hexdigest())
