"""Several texts of a person within seconds are one turn of the bot: `Bot(merge=1.5)`.

SQS hands out one message of a conversation at a time, so a worker cannot look at those behind it. It takes them out:

1. The first text stays in the queue until it is `merge` seconds old: what follows it arrives meanwhile. Then it moves
   to the journal, where it waits, and a marker goes to the end of the queue.
2. A text that comes before the marker, and that fits, joins it (`parley.journal.merging`).
3. The marker, or a message that does not fit, ends the waiting: the bot runs on what has waited, and then on that
   message. If texts have joined, the marker itself waits for their followers, and another marker takes its place.

A step that is repeated after a crash changes nothing. A marker that comes late or twice finds nothing to do.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from parley.bot.addressing import COMMAND, is_addressed
from parley.bot.reminders import Reminders
from parley.engine import queues
from parley.engine.batch import Record, received
from parley.errors import RetryAfter
from parley.journal.inbox import MAX_STORED_MESSAGE, Inbox, Snapshot
from parley.journal.merging import Merges, Waiting
from parley.model import Mention, Message, Text, message_key
from parley.model.agenda import MERGE, Agenda
from parley.model.codec import encode
from parley.model.merging import joined, marker
from parley.model.stop import is_stop

MOST = 10
"""Messages that are handled as one at most."""
Handle = Callable[[Record, Message, Snapshot], None]


class Merging(msgspec.Struct):
    """Decides whether a message is handled now. `seconds`: `Bot.merge`. `handle` runs the bot on what has waited, in
    the invocation of another record: it decides it, moves it to the dead-letter queue, or raises.
    """

    inbox: Inbox
    seconds: float
    clock: Callable[[], float]
    handle: Handle

    def is_ready(self, record: Record, message: Message, snapshot: Snapshot) -> bool:
        """Whether the bot runs on `message` now. False if nothing is left to do with its record. Raises RetryAfter if
        the record has to wait.
        """
        if snapshot.decided is not None:
            return True
        waiting = self._merges.waiting(message)
        if message.event == MERGE:
            if waiting is not None:
                self._end(record, message, waiting)
            return False
        at = _sent(record, message)
        if waiting is not None:
            return not self._has_joined(record, message, snapshot, waiting, at)
        # What is recorded already was a dead letter, or has failed. The bot runs on it as on any other message.
        if (
            not self.seconds
            or snapshot.attempts
            or snapshot.joined
            or not is_mergeable(message, snapshot.memory.agenda)
        ):
            return True
        self._wait(at)
        if not self._merges.begin(message, at, self.clock()):
            raise RetryAfter(1, "another worker has the message")
        queues.send_messages([marker(message)])
        return False

    @property
    def _merges(self) -> Merges:
        return Merges(self.inbox.client, self.inbox.table, self.inbox.keep_for)

    def _has_joined(self, record: Record, message: Message, snapshot: Snapshot, waiting: Waiting, at: float) -> bool:
        """Let `message` join what waits. If it does not fit, the bot runs on what waits; then it is the turn of
        `message`: raises RetryAfter.
        """
        if message_key(message) == message_key(waiting.message):  # the worker has died before it could send the marker
            queues.send_messages([marker(waiting.message)])
            return True
        if self._fits(message, snapshot, waiting, at) and self._merges.add(waiting, message, at, self.clock()):
            return True
        self._run(record, waiting)
        raise RetryAfter(0, "what was sent before is handled")

    def _fits(self, message: Message, snapshot: Snapshot, waiting: Waiting, at: float) -> bool:
        earlier = waiting.message
        return (
            is_mergeable(message, snapshot.memory.agenda)
            and not (snapshot.attempts or snapshot.joined)
            and at - waiting.at <= self.seconds
            and message.sender.id == earlier.sender.id
            and message.context.thread_id == earlier.context.thread_id
            and len(earlier.parts) < MOST
            and len(encode(joined(earlier, message))) <= MAX_STORED_MESSAGE
        )

    def _end(self, record: Record, message: Message, waiting: Waiting) -> None:
        """Run the bot on what waits. If texts have joined since the marker `message` was sent, send another one."""
        following = marker(waiting.message)
        if message.id == following.id:
            self._run(record, waiting)
            return
        self._wait(waiting.at)
        queues.send_messages([following])

    def _run(self, record: Record, waiting: Waiting) -> None:
        """Run the bot on what waits, as if `record` held it. Its attempts are counted in its own row."""
        message = waiting.message
        snapshot = self.inbox.open(message)
        receives = max(received(record), snapshot.attempts + 1)
        attributes: dict[str, Any] = {**record["attributes"], "ApproximateReceiveCount": str(receives)}
        self.handle({**record, "body": encode(message).decode(), "attributes": attributes}, message, snapshot)
        self._merges.close(waiting)

    def _wait(self, at: float) -> None:
        """Raise RetryAfter until `seconds` after the unix second `at`."""
        left = at + self.seconds - self.clock()
        if left > 0:
            raise RetryAfter(min(left, self.seconds), "more texts may follow")


def is_mergeable(message: Message, agenda: Agenda) -> bool:
    """Whether `message` is a plain text for the bot: no command, no answer to a question, without files and quotes."""
    text = message.content.text
    return (
        message.kind == "message"
        and message.sender.kind == "user"
        and bool(text.strip())
        and all(isinstance(segment, Text | Mention) for segment in message.segments)
        and not (message.content.attachments or message.reply_to)
        and is_addressed(message)
        and COMMAND.fullmatch(text) is None
        and not is_stop(message)
        and len(encode(message)) <= MAX_STORED_MESSAGE
        and not _may_answer(message, agenda)
    )


def _may_answer(message: Message, agenda: Agenda) -> bool:
    """Whether the text may answer a question, or be a number on a card (`parley.bot.numbered`)."""
    is_number = bool(agenda.numbers) and message.content.text.strip()[0].isdecimal()
    return is_number or Reminders(message, 0, agenda).dialogue is not None


def _sent(record: Record, message: Message) -> float:
    """The unix second at which the callback has put `message` into the queue."""
    sent = record["attributes"].get("SentTimestamp")
    return float(sent) / 1000 if sent else message.timestamp
