"""Clients that read the replies: at once, or as soon as there are some (`parley.adapter.SupportsReading`).

Nothing is taken from the journal, so a request whose response is lost is made again. A response carries no reply that
is not delivered: the replies to a message are those in the mailbox of its conversation.
"""

import time
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from parley.adapter import Read, Reading
from parley.engine.aws import dynamodb, setting
from parley.journal.inbox import Inbox
from parley.journal.mailbox import Mailbox
from parley.journal.states import FINAL
from parley.model import Message, message_key, reply_id

_FIRST_PAUSE, _LAST_PAUSE = 0.1, 0.5
"""Seconds between two looks at the journal: they grow, because most answers come soon or late."""


class Reader(msgspec.Struct):
    """Reads on behalf of one platform's clients."""

    inbox: Inbox
    mailbox: Mailbox
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, reading: Reading, started: float) -> Read:
        """What there is to read, `reading.wait` seconds after `started` at the latest. Raises AwsError."""
        until, pause = started + reading.wait, _FIRST_PAUSE
        while True:
            found, complete = self._look(reading)
            left = until - self.clock()
            if complete or left <= 0:
                return found
            self.sleep(min(pause, left))
            pause = min(_LAST_PAUSE, pause * 1.2)

    def _look(self, reading: Reading) -> tuple[Read, bool]:
        """What there is now, and whether that is what the client waits for."""
        if reading.message is not None:
            found = self._of_message(reading.message)
            return found, found.done
        found = self._of_conversation(reading)
        # Also if it goes on from a later place: the replies before it have expired.
        return found, bool(found.replies) or found.cursor > (reading.after or 0)

    def _of_message(self, message: Message) -> Read:
        """The replies to `message` in its own conversation, and to the message to which the bot has handed it on."""
        decided = self.inbox.decision(message)
        if decided is not None and decided.forwarded:
            message = replace(message, id=decided.forwarded)
            decided = self.inbox.decision(message)
        key = message_key(message)
        ordinals = range(decided.replies) if decided is not None else ["apology"]
        rows = self.inbox.rows(reply_id(key, ordinal) for ordinal in ordinals)
        rows = [row for row in rows if row.out.reply.to is None]
        final = all(row.boxed or row.state in FINAL for row in rows) and (decided is not None or bool(rows))
        return Read(tuple(row.out for row in rows if row.boxed), done=final)

    def _of_conversation(self, reading: Reading) -> Read:
        span = self.mailbox.span(reading.conversation)
        replies, cursor = self.mailbox.read(reading.conversation, span, reading.after)
        return Read(tuple(replies), cursor=cursor)


def reader() -> Reader:
    """The reader of this process."""
    table, keep_for = setting("TABLE"), float(setting("RETENTION_DAYS", "30")) * 86_400
    return Reader(Inbox(dynamodb(), table, keep_for), Mailbox(dynamodb(), table, keep_for))
