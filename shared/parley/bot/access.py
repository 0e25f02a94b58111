"""Who may use a command or an action, and where. The bot checks it on every platform."""

from collections.abc import Callable
from typing import NamedTuple

from parley.bot.texts import Texts
from parley.model import Message, is_direct


class Access(NamedTuple):
    """`admin`: administrators only. `rooms_only`: not in direct chats."""

    admin: bool = False
    rooms_only: bool = False

    def refusal(self, message: Message, is_admin: Callable[[Message], bool], texts: Texts) -> str:
        """The one of `texts` for a person who may not do this; empty if they may.

        A person is an administrator if the platform or `is_admin` says so.
        """
        if self.rooms_only and is_direct(message):
            return texts.rooms_only
        if self.admin and not message.sender.admin and not is_admin(message):
            return texts.not_admin
        return ""


OPEN = Access()
"""Everybody, everywhere."""
