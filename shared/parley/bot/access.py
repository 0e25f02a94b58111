"""Who may use a command or an action, and where. The bot checks it on every platform."""

from collections.abc import Callable
from typing import NamedTuple

from parley.model import Message

NOT_ADMIN = "只有管理员可以这样做。 Only an administrator can do this."
NOT_IN_DIRECT_CHATS = "只能在群聊中使用。 This works in a group only, not in a direct chat."


class Access(NamedTuple):
    """`admin`: administrators only. `rooms_only`: not in direct chats."""

    admin: bool = False
    rooms_only: bool = False

    def refusal(self, message: Message, is_admin: Callable[[Message], bool]) -> str:
        """The text for a person who may not do this; empty if they may.

        A person is an administrator if the platform or `is_admin` says so.
        """
        if self.rooms_only and (message.context.private or not message.context.room_id):
            return NOT_IN_DIRECT_CHATS
        if self.admin and not message.sender.admin and not is_admin(message):
            return NOT_ADMIN
        return ""


OPEN = Access()
"""Everybody, everywhere."""
