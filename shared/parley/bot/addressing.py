"""What a message can be for: the bot, or other people in the room; one of the commands; an earlier question."""

import re
from collections.abc import Callable
from typing import TypeVar

from parley.model import Message, is_direct

C = TypeVar("C")
COMMAND = re.compile(r"\s*[/／](\S.*)", re.DOTALL)
"""A text that is a command, and the command without its slash."""

_GAP = re.compile(r"\s+|[，、；。]+\s*")
"""What ends a word of a command's name."""
_MOST_WORDS = 3
"""Maximum number of words in a command's name."""
_CLOCKS = 10
"""Seconds by which the times of a platform and of a worker may differ. Some platforms send whole seconds."""


def is_addressed(message: Message) -> bool:
    """Whether `message` is for the bot: it is private, a command, a press or a form, or it mentions the bot.

    It also counts if the platform does not say whether it mentions the bot. An event in a room is for nobody.
    """
    if is_direct(message) or message.kind in ("command", "action"):
        return True
    if message.kind == "event":
        return False
    return message.context.mentioned is not False or COMMAND.fullmatch(message.content.text) is not None


def is_before(message: Message, time: float) -> bool:
    """Whether the message was written before the unix second `time`, at which a person was asked something: it cannot
    be for that. It may have waited in a dead-letter queue since.

    False if that is not certain: within ten seconds, or if the message has no time.
    """
    return 0 < message.timestamp < time - _CLOCKS


def typed_command(text: str, find: Callable[[str], C | None]) -> tuple[C, str] | None:
    """The command at the start of `text`, the longest name first, and the rest. `find` returns the one with a name."""
    found = COMMAND.fullmatch(text)
    if found is None:
        return None
    for many in range(_MOST_WORDS, 0, -1):
        words = _GAP.split(found[1].rstrip(), maxsplit=many)
        command = find(" ".join(words[:many]))
        if command is not None:
            return command, words[many] if len(words) > many else ""
    return None


def is_typable(name: str) -> bool:
    """Whether people can type `name` as the name of a command: it is one to three words."""
    words = _GAP.split(name)
    return all(words) and len(words) <= _MOST_WORDS and name == " ".join(words)
