"""What a conversation has planned: its reminders. It is stored with the conversation's state."""

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


class Agenda(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The plans of a conversation, by their ids."""

    reminders: dict[str, Reminder] = {}


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
    told = Message(
        id=reminder.id,
        platform=message.platform,
        app=message.app,
        kind="event",
        event=REMINDER,
        sender=Sender(id=message.sender.id, admin=message.sender.admin),
        content=Content(text=reminder.text),
        timestamp=int(reminder.at),
        context=context,
        # Feishu puts a message into a topic only as a reply to another one.
        reply_to=Destination.answering(message).message_id,
    )
    return Timer(message=told, at=reminder.at, cron=reminder.cron, zone=reminder.zone)
