"""What a message of the inbound queue is: the command in it, and the tag that the replies to it carry."""

from msgspec import convert

from parley.bot.approvals import pressed_in
from parley.bot.questions import ANSWER
from parley.model import Message
from parley.model.agenda import APPROVAL, FAILED, REMINDER, Failure
from parley.model.codec import decode_message
from parley.model.sending import SEND
from tools.faults.bot import ENDED, UNDELIVERED


def tag_of(body: str) -> str:
    """The tag of the message in a record of the inbound queue."""
    return command_and_tag(decode_message(body))[1]


def command_and_tag(message: Message) -> tuple[str, str]:
    """The command in `message`, and the tag that the replies to it carry."""
    if message.event == SEND:
        return "sent", str(message.raw["segments"]).partition("«")[2].partition(".")[0]
    if message.event == REMINDER:
        return "reminded", f"{message.content.text}-reminded"
    if message.event == FAILED:
        failure = convert(message.raw, Failure)
        command = UNDELIVERED if failure.undelivered else ENDED
        return command, f"{failure.place[:8]}-{command}"
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
        return message.command.name, str(message.command.options["mark"])
    words = message.content.text.split()
    if words[0].isdecimal():
        return "numbered", words[1]
    return (words[0][1:], words[1]) if words[0].startswith("/") else ("echo", words[0])
