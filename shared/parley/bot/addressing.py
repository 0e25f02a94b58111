"""Whether a message is for the bot: in a room, people also talk to each other."""

import re

from parley.model import Message, is_direct

COMMAND = re.compile(r"\s*[/／](\S.*)", re.DOTALL)
"""A text that is a command, and the command without its slash."""


def is_addressed(message: Message) -> bool:
    """Whether `message` is for the bot: it is private, a command, a press or a form, or it mentions the bot.

    It also counts if the platform does not say whether it mentions the bot. An event in a room is for nobody.
    """
    if is_direct(message) or message.kind in ("command", "action"):
        return True
    if message.kind == "event":
        return False
    return message.context.mentioned is not False or COMMAND.fullmatch(message.content.text) is not None
