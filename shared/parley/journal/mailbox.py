"""The mailbox of a conversation: its replies in the order of their delivery, for clients that read them.

Row `box#<conversation>` counts the replies, and row `box#<conversation>#<number>` names the reply with that number. A
reply is put into its mailbox once, in one transaction that also writes the number into the reply's own row. So a
repeated attempt changes nothing, and a client that reads by the numbers misses none and gets none twice.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from parley.errors import ParleyError
from parley.journal import table as t
from parley.journal.rows import row_of
from parley.journal.table import Item, box_pk, get_number, get_text, reply_pk
from parley.model import Outgoing

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

MAX_PAGE = 50
"""Replies that are read at once."""
MAX_BYTES = 2_000_000
"""Bytes of the replies that are read at once: a Lambda function returns at most 6 MB."""
_TRIES = 8
"""Attempts to put a reply into a mailbox into which others are put at the same moment. Replies to one conversation go
out one after the other, so there are few."""


class MailboxBusyError(ParleyError):
    """Other replies were put into the mailbox at each attempt: nothing is stored."""


class Span(NamedTuple):
    """The numbers of the first and of the last reply in a mailbox; 0 if there is none. A mailbox that has begun
    without a reply has a `first` that follows on its `last`.
    """

    first: int
    last: int


class Mailbox(msgspec.Struct):
    """The mailboxes in the table `table`. `keep_for`: seconds until rows expire."""

    client: "DynamoDBClient"
    table: str
    keep_for: float

    def put(self, out: Outgoing, now: float) -> int | None:
        """Put `out` into the mailbox of its conversation, unless it is there, and return its number.

        None: it was handled so long ago that its row has expired. Raises AwsError, MailboxBusyError.
        """
        for _ in range(_TRIES):
            known = self.span(out.to.key).last
            # A mailbox begins with the time in milliseconds: one that has expired begins again with a higher number.
            number = (known or int(now * 1000)) + 1
            try:
                self.client.transact_write_items(TransactItems=self._entry(out, known, number, now))
            except self.client.exceptions.TransactionCanceledException as error:
                reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
                if reasons and reasons[0] == "ConditionalCheckFailed":
                    return self._number(out)
                if not {"ConditionalCheckFailed", "TransactionConflict"} & set(reasons):
                    raise
            else:
                return number
        raise MailboxBusyError(f"{_TRIES} attempts")

    def begin(self, conversation: str, now: float) -> Span:
        """The span of the mailbox, which begins now if there was none: then its first reply follows on `last`.

        For a client that watches the conversation before its first reply. Raises AwsError.
        """
        last = int(now * 1000)
        change = "SET #count = :last, #first = :first, #ttl = :ttl"
        values = {"last": last, "first": last + 1, "ttl": int(now + self.keep_for)}
        request = t.update(self.table, box_pk(conversation), change, "attribute_not_exists(#count)", **values)
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return self.span(conversation)
        return Span(last + 1, last)

    def span(self, conversation: str) -> Span:
        """The numbers of the replies to the conversation with that key. One request."""
        row = t.get(self.client, self.table, box_pk(conversation))
        return Span(int(get_number(row, "first") or 0), int(get_number(row, "count") or 0))

    def read(self, conversation: str, span: Span, after: int | None) -> tuple[list[Outgoing], int]:
        """The next replies after the number `after`, and the number of the last one of them. None: the last replies.

        At most `MAX_PAGE`, and `MAX_BYTES` unless one alone has more. Two requests. `span` is that of the conversation.
        """
        found, last = self.numbered(conversation, span, after)
        return [out for _number, out in found if out is not None], last

    def numbered(
        self, conversation: str, span: Span, after: int | None
    ) -> tuple[list[tuple[int, Outgoing | None]], int]:
        """The same, with the number of each. None in place of a reply that has expired.

        The last reply is left out while only its number is visible: DynamoDB does not show all rows of a transaction at
        the same moment.
        """
        after = span.last - MAX_PAGE if after is None else after
        after = max(after, span.first - 1, 0)
        numbers = range(after + 1, min(span.last, after + MAX_PAGE) + 1)
        if not numbers:
            return [], after
        keys = [box_pk(conversation, number) for number in numbers]
        entries = t.get_many(self.client, self.table, keys)
        named = [get_text(entries.get(key, {}), "reply") for key in keys]
        # The last one expires together with the counter, so it is not there yet. The others were put before it began.
        if numbers[-1] == span.last and not named[-1]:
            numbers, named = numbers[:-1], named[:-1]
            if not numbers:
                return [], after
        rows = t.get_many(self.client, self.table, [reply_pk(id_) for id_ in named if id_])
        return _fitting(numbers, [rows.get(reply_pk(id_)) for id_ in named])

    def _number(self, out: Outgoing) -> int | None:
        """The number of a reply that is in its mailbox."""
        boxed = get_number(t.get(self.client, self.table, reply_pk(out.id)), "boxed")
        return None if boxed is None else int(boxed)

    def _entry(self, out: Outgoing, known: int, number: int, now: float) -> "list[TransactWriteItemTypeDef]":
        """The transaction that gives `out` the number `number`, if the mailbox has had `known` replies."""
        place, ttl = out.to.key, int(now + self.keep_for)
        unchanged = "#count = :known" if known else "attribute_not_exists(#count)"
        values = {"known": known} if known else {}
        own = t.update(
            self.table,
            reply_pk(out.id),
            "SET #boxed = :number",
            "attribute_exists(#pk) AND attribute_not_exists(#boxed)",
            number=number,
        )
        counter = t.update(
            self.table,
            box_pk(place),
            "SET #count = :number, #first = if_not_exists(#first, :number), #ttl = :ttl",
            unchanged,
            number=number,
            ttl=ttl,
            **values,
        )
        entry = t.update(
            self.table, box_pk(place, number), "SET #reply = :reply, #ttl = :ttl", t.ABSENT, reply=out.id, ttl=ttl
        )
        return [{"Update": own}, {"Update": counter}, {"Update": entry}]


def _fitting(numbers: Sequence[int], items: Sequence[Item | None]) -> tuple[list[tuple[int, Outgoing | None]], int]:
    """The first replies that fit into `MAX_BYTES`, and the number of the last. None: the row has expired."""
    found: list[tuple[int, Outgoing | None]] = []
    size, last = 0, numbers[0]
    for number, item in zip(numbers, items, strict=True):
        size += len(get_text(item, "body")) if item else 0
        if found and size > MAX_BYTES:
            break
        last = number
        found.append((number, row_of(item).out if item else None))
    return found, last
