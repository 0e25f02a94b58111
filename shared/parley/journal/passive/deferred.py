"""Deferred replies: the platform allows no message to the person, so they go out with the next passive reply.

Row `deferred#<conversation key>` holds the ids of the replies, until the person writes again.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from parley.errors import ParleyError
from parley.journal import table as t
from parley.journal.outbox import Outbox
from parley.journal.passive.rules import MAX_DEFERRED, in_order
from parley.journal.rows import row_of
from parley.journal.states import FINAL, Row
from parley.journal.table import deferred_pk, get_texts, reply_pk
from parley.model import Outgoing

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import UpdateTypeDef


class TooManyDeferredError(ParleyError):
    """The conversation has as many deferred replies as are allowed."""


class DeferredReplies(msgspec.Struct):
    """Deferred replies in the table `table`. `keep_for`: seconds until rows expire."""

    client: "DynamoDBClient"
    table: str
    keep_for: float

    def ids(self, conversation: str) -> set[str]:
        """The ids of the deferred replies of the conversation with this key, including final ones."""
        return get_texts(t.get(self.client, self.table, deferred_pk(conversation)), "ids")

    def of(self, conversation: str) -> list[Row]:
        """The deferred replies of the conversation with this key, oldest first."""
        return in_order(self._unfinished(self.ids(conversation)))

    def before(self, out: Outgoing) -> list[Row]:
        """The deferred replies of the conversation of `out` that precede it, oldest first."""
        deferred = [row for row in self.of(out.to.key) if row.out.id != out.id]
        item = t.get(self.client, self.table, reply_pk(out.id)) if deferred else {}
        return [row for row in deferred if item and row.position < row_of(item).position]

    def defer(self, out: Outgoing, owner: str, reason: str, now: float) -> None:
        """Defer a reply that was taken.

        Raises TooManyDeferredError, and AwsError, also if another worker has taken the reply over.
        """
        ids = self.ids(out.to.key) - {out.id}
        if len(ids) >= MAX_DEFERRED:
            self._drop_finished(out.to.key, ids, now)
        added = t.update(
            self.table,
            deferred_pk(out.to.key),
            "ADD #ids :ids SET #ttl = :ttl",
            ids={out.id},
            ttl=int(now + self.keep_for),
        )
        outbox = Outbox(self.client, self.table, lease=0)
        self.client.transact_write_items(TransactItems=[{"Update": added}, outbox.deferred(out, owner, reason, now)])

    def forget(self, out: Outgoing, now: float) -> None:
        """A deferred reply has become final."""
        self.client.update_item(**self.removed(out.to.key, [out.id], now))

    def removed(self, conversation: str, ids: Iterable[str], now: float) -> "UpdateTypeDef":
        """The update that removes `ids`, alone or in a transaction. It sets a TTL: an update creates a missing row."""
        return t.update(
            self.table,
            deferred_pk(conversation),
            "SET #ttl = :ttl DELETE #ids :ids",
            ids=set(ids),
            ttl=int(now + self.keep_for),
        )

    def _drop_finished(self, conversation: str, ids: set[str], now: float) -> None:
        """Remove the final ones of `ids`. Raises TooManyDeferredError if there are none."""
        finished = ids - {row.out.id for row in self._unfinished(ids)}
        if not finished:
            raise TooManyDeferredError(f"{len(ids)} replies are deferred already")
        self.client.update_item(**self.removed(conversation, finished, now))

    def _unfinished(self, ids: Iterable[str]) -> list[Row]:
        items = (t.get(self.client, self.table, reply_pk(each)) for each in ids)
        rows = (row_of(item) for item in items if item)
        return [row for row in rows if row.state not in FINAL]
