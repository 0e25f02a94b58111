"""Deletes all that the table holds of an organisation that has removed an app.

There is no index of organisations, so the whole table is read twice. The first reading finds the messages and
conversations of the organisation. The second one deletes what belongs to them, and they themselves are deleted last: a
run that dies is started again and finds the rest.

What stays for 30 days is that the organisation has removed the app, and when: an event that comes late changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from parley.adapter import name_in
from parley.errors import ParleyError
from parley.journal.privacy import kind_of
from parley.journal.table import Item, get_text, key, name_pk, shared_pk, token_pk
from parley.journal.tenants import TenantId, Tenants, TenantState
from parley.model.codec import decode_message, decode_outgoing

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import ScanInputTypeDef

_LAST = frozenset({"in", "conv", "talk"})
"""The kinds of rows that name what else belongs to the organisation."""
_OF_CONVERSATION = frozenset({"run", "heard", "merge", "queued", "deferred", "box"})


class StillInstalledError(ParleyError):
    """The organisation has the app: its next message would store data again."""


class Found(NamedTuple):
    """The keys of messages, conversations and persons of one organisation, and the rows that name them."""

    messages: set[str]
    conversations: set[str]
    persons: set[str]
    rows: list[str]


class TenantEraser(NamedTuple):
    """Deletes from the table `table`. `pause` waits between two pages, and leaves capacity for others."""

    client: "DynamoDBClient"
    table: str
    pause: Callable[[], None]
    page: int = 100

    def __call__(self, id_: TenantId) -> dict[str, int]:
        """The number of deleted rows by kind. Raises StillInstalledError, AwsError."""
        tenant = Tenants(self.client, self.table).get(id_)
        if tenant is not None and tenant.state is not TenantState.CANCELLED:
            raise StillInstalledError(f"{id_.id} has not removed the app {id_.app}")
        name = name_in(id_.app, id_.id)
        found = Found(set(), set(), set(), [])
        for item in self._rows():
            _find(item, id_.platform, name, found)
        deleted = Counter[str]()
        for item in self._rows():
            pk = get_text(item, "pk")
            if kind_of(pk) not in _LAST and _belongs(item, id_, name, found):
                self._delete(pk, deleted)
        for pk in found.rows:
            self._delete(pk, deleted)
        return dict(sorted(deleted.items()))

    def _delete(self, pk: str, deleted: Counter[str]) -> None:
        self.client.delete_item(TableName=self.table, Key=key(pk))
        deleted[kind_of(pk)] += 1

    def _rows(self) -> Iterator[Item]:
        request: ScanInputTypeDef = {"TableName": self.table, "Limit": self.page, "ConsistentRead": True}
        while True:
            page = self.client.scan(**request)
            yield from page["Items"]
            if not (last := page.get("LastEvaluatedKey")):
                return
            request["ExclusiveStartKey"] = last
            self.pause()


def _find(item: Item, platform: str, name: str, found: Found) -> None:
    kind, _, rest = get_text(item, "pk").partition("#")
    if kind not in _LAST or (get_text(item, "platform"), get_text(item, "app")) != (platform, name):
        return
    found.rows.append(get_text(item, "pk"))
    found.persons.add(get_text(item, "person"))
    if kind == "in":
        found.messages.add(rest)
        found.conversations.add(get_text(item, "conversation"))
    else:
        found.conversations.add(rest)


def _belongs(item: Item, id_: TenantId, name: str, found: Found) -> bool:
    """Whether a row that is none of `_LAST` belongs to the organisation."""
    pk = get_text(item, "pk")
    kind, _, rest = pk.partition("#")
    match kind:
        case "out" | "timer":
            return _is_for(kind, get_text(item, "body"), id_.platform, name)
        case "callback":
            return rest in found.messages
        case "user":
            return rest in found.persons
        case "shared":
            return pk == shared_pk(id_.platform, name)
        case "name":
            return pk.startswith(name_pk(id_.platform, name, ""))
        case "token":
            return pk.startswith(f"{token_pk(f'{id_.platform}#{name}')}#")
        case "limit":
            return rest.startswith(f"{id_.platform}#{id_.id}#")
        case _:
            return kind in _OF_CONVERSATION and rest.partition("#")[0] in found.conversations


def _is_for(kind: str, body: str, platform: str, name: str) -> bool:
    """Whether a reply, or the message of a timer, is for the organisation. False if another version has written it."""
    try:
        to = decode_outgoing(body).to if kind == "out" else decode_message(body)
    except ValueError:
        return False
    return (to.platform, to.app) == (platform, name)
