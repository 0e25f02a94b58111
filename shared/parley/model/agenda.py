"""What a conversation has planned: its reminders and its open dialogues. It is stored with its state."""

from typing import Any

import msgspec
from msgspec.structs import replace

from parley.model.message import Content, Message, Sender
from parley.model.reply import Destination

REMINDER = "parley.reminder"
"""`Message.event` of a reminder that is due. No platform has an event of this name."""


class Reminder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that the bot sends to itself at the unix second `at`, in the conversation that it was set in.

    With `cron`, a cron expression in the time zone `zone`, it comes again; `at` is its first time. `handler`: the name
    of the bot's reminder handler; empty: the conversation gets the text. `by`: the id of the person who set it.
    """

    id: str
    at: float
    text: str = ""
    handler: str = ""
    cron: str = ""
    zone: str = ""
    by: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer in a dialogue: its text, or the `number` of its choice. `question`: the fingerprint of the question.

    `message` had the answer, and `now` is the unix second at which it was handled.
    """

    question: str
    message: Message
    now: float
    text: str = ""
    number: int = -1


class OpenDialogue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dialogue with a person that waits for an answer.

    `handler` and `given` are the handler and its arguments. `message` has started it, at the unix second `started`.
    `question`: the fingerprint of the open question. `patience`: the seconds for its answer. `results`: of calls
    outside, as JSON by key.
    """

    id: str
    handler: str
    given: dict[str, Any] | str
    message: Message
    started: float
    answers: tuple[Answer, ...] = ()
    question: str = ""
    patience: float = 0
    reminded: bool = False
    results: str = ""


class Agenda(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The plans of a conversation: reminders by their ids, and dialogues by the ids of the persons."""

    reminders: dict[str, Reminder] = {}
    dialogues: dict[str, OpenDialogue] = {}


NOTHING = Agenda()


class Timer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that goes into the inbound queue at the unix second `at`, and then as `cron` says in `zone`."""

    message: Message
    at: float
    cron: str = ""
    zone: str = ""

    @property
    def due(self) -> Message:
        """The message for the time `at`. Its id is the same however often it is sent."""
        return replace(self.message, id=occurrence(self.message.id, self.at), timestamp=int(self.at))


def occurrence(reminder: str, at: float) -> str:
    """The id of the message of `reminder` for the time `at`."""
    return f"{reminder}@{float(at)!r}"


def timer_of(reminder: Reminder, message: Message) -> Timer:
    """The timer of `reminder`, which a handler of `message` has set. What is only valid for an answer is left out."""
    context = replace(message.context, reply_token="", reply_token_expires=0, awaits_reply=False)
    name = "" if context.wants_name is True else message.sender.name  # a name that was fetched is not stored
    told = Message(
        id=reminder.id,
        platform=message.platform,
        app=message.app,
        kind="event",
        event=REMINDER,
        sender=Sender(id=message.sender.id, name=name, admin=message.sender.admin),
        content=Content(text=reminder.text),
        timestamp=int(reminder.at),
        context=context,
        # Feishu puts a message into a topic only as a reply to another one.
        reply_to=Destination.answering(message).message_id,
    )
    return Timer(message=told, at=reminder.at, cron=reminder.cron, zone=reminder.zone)
