"""The message with which a person stops what the bot does: `/stop`, `/停`, or the plain word 停."""

from parley.model.conversation import is_direct
from parley.model.message import Message
from parley.width import fold

STOP_COMMANDS = ("stop", "停")
"""The names of the command, without a slash."""
_TYPED = frozenset(f"/{name}" for name in STOP_COMMANDS)
_WORD = "停"


def is_stop_command(message: Message) -> bool:
    """Whether `message` is the command, and nothing else. A bot does not stop another one."""
    if message.sender.kind == "bot":
        return False
    if message.command is not None:
        return message.command.name in STOP_COMMANDS and not message.command.menu and not message.command.focused
    return message.kind == "message" and fold(message.content.text.strip()) in _TYPED


def is_stop(message: Message) -> bool:
    """Whether `message` stops what runs: the command, or the plain word in a text for the bot."""
    is_word = message.kind == "message" and message.sender.kind != "bot" and message.content.text.strip() == _WORD
    is_for_bot = is_direct(message) or message.context.mentioned is not False
    return (is_word and is_for_bot) or is_stop_command(message)
