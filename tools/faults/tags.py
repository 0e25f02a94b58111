"""What a message of the inbound queue is: the command in it, and the tag that the replies to it carry."""

from collections.abc import Iterable, Mapping

from msgspec import convert

from parley.bot.approvals import pressed_in
from parley.bot.questions import ANSWER
from parley.model import Message
from parley.model.agenda import APPROVAL, FAILED, MERGE, REMINDER, SCHEDULED, Failure
from parley.model.codec import decode_message
from parley.model.sending import SEND
from tools.faults.bot import ENDED, UNDELIVERED, dialogue_tag

Origin = tuple[str, str]
"""The command in a message, and the tag of the replies to it."""


def origins_of(messages: Iterable[Message], schedules: Mapping[str, str]) -> dict[str, Origin]:
    """The origins of `messages`, in their order, by the id of the message. A press that decides the call of a model is
    `entrusted` or `declined`. `schedules`: see `command_and_tag`.
    """
    found: dict[str, Origin] = {}
    entrusted: set[str] = set()
    for message in messages:
        command, tag = found[message.id] = command_and_tag(message, schedules)
        if command == "entrust":
            entrusted.add(f"{dialogue_tag(message)}-approved")
        elif command == "approved" and tag in entrusted:
            pressed = pressed_in(message)
            found[message.id] = ("entrusted" if pressed and pressed.number == 0 else "declined", tag)
    return found


def tags_of(body: str, schedules: Mapping[str, str]) -> set[str]:
    """The tags of the message in a record of the inbound queue, and of those that it joins."""
    return {command_and_tag(part, schedules)[1] for part in decode_message(body).parts}


def command_and_tag(message: Message, schedules: Mapping[str, str]) -> Origin:
    """The command in `message`, and the tag that the replies to it carry. `schedules`: `PayingBot.marks`."""
    return _without_person(message, schedules) or _of_person(message)


def _without_person(message: Message, schedules: Mapping[str, str]) -> Origin | None:
    """The origin of a message that no person has sent; None for others."""
    if message.event == SEND:
        return "sent", str(message.raw["segments"]).partition("«")[2].partition(".")[0]
    if message.event == REMINDER:
        return "reminded", f"{message.content.text}-reminded"
    if message.event == SCHEDULED:
        return "scheduled", f"{schedules[message.id.partition('@')[0]]}-scheduled"
    if message.event == FAILED:
        failure = convert(message.raw, Failure)
        command = UNDELIVERED if failure.undelivered else ENDED
        return command, f"{failure.place[:8]}-{command}"
    if message.event == MERGE:
        return "marker", message.id  # it has no reply of its own
    return None


def _of_person(message: Message) -> Origin:
    pressed = pressed_in(message)
    if pressed is not None:
        return "approved", f"{pressed.place[:8]}-approved"
    if message.action is not None and message.action.id == APPROVAL:
        return "forwarded", message.action.value  # it has no reply of its own
    if message.action is not None and message.action.id == ANSWER:
        return "answered", f"{message.action.value[:8]}-answered"
    if message.action is not None:
        return "press", f"{message.action.value}-pressed"
    if message.command is not None:
        options = message.command.options
        return message.command.name, str(options.get("mark") or options["text"])
    words = message.content.text.split()
    if words[0].isdecimal():
        return "numbered", words[1]
    return (words[0][1:], words[1]) if words[0].startswith("/") else ("echo", words[0])
