"""Clients that connect again: what they have missed, and what they have acknowledged."""

from collections.abc import Iterator

import msgspec

from parley.adapter import Position
from parley.journal.mailbox import Mailbox
from parley.journal.watchers import Watchers
from parley.model import Outgoing

AT_ONCE = 100
"""Replies that a client gets after one `open`."""


class Resuming(msgspec.Struct):
    """Reads mailboxes for clients that watch conversations. All methods raise AwsError."""

    watchers: Watchers
    mailbox: Mailbox

    def position(self, conversation: str, person: str, after: int | None, now: float) -> Position:
        """The replies that follow for a client that has those up to `after`; see `parley.adapter.Watch`.

        A number that the mailbox does not have yet means its end. A number from before its beginning means that.
        """
        span = self.mailbox.span(conversation)
        if not span.last:
            span = self.mailbox.begin(conversation, now)
        start = self.watchers.acknowledged(conversation, person) if after is None else after
        cursor = max(min(span.last if start is None else start, span.last), span.first - 1)
        last = min(span.last, cursor + AT_ONCE)
        return Position(cursor, last, last < span.last)

    def replies(self, conversation: str, position: Position) -> Iterator[tuple[int, Outgoing | None]]:
        """The replies of `position` with their numbers, page by page. None: the reply has expired."""
        cursor = position.cursor
        while cursor < position.last:
            span = self.mailbox.span(conversation)
            found, last = self.mailbox.numbered(conversation, span, cursor)
            yield from (each for each in found if each[0] <= position.last)
            if last <= cursor:
                return
            cursor = last

    def acknowledge(self, conversation: str, person: str, cursor: int, now: float) -> bool:
        """Record that the person has handled all replies up to `cursor`. False if there is no such reply yet."""
        if cursor > self.mailbox.span(conversation).last:
            return False
        self.watchers.acknowledge(conversation, person, cursor, now)
        return True
