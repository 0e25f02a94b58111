"""Who may use a command or an action, and where. The bot checks it on every platform."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Self, cast

from parley.bot.functions import check_function
from parley.bot.texts import Texts
from parley.model import Message, is_direct


class Access(NamedTuple):
    """`admin`: administrators only. `rooms_only`: not in direct chats."""

    admin: bool = False
    rooms_only: bool = False

    @classmethod
    def of(cls, *, admin: bool, rooms_only: bool) -> Self:
        """The access that a decorator names. Raises TypeError for a value that is neither True nor False."""
        for name, value in (("admin", admin), ("rooms_only", rooms_only)):
            if not isinstance(value, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError(f"{name}={value!r}: write {name}=True")
        return cls(admin, rooms_only)

    def refusal(self, message: Message, is_admin: Callable[[Message], bool], texts: Texts) -> str | None:
        """None if the person may do this; else the one of `texts` for them, which may be empty.

        A person is an administrator if the platform or `is_admin` says so.
        """
        if self.rooms_only and is_direct(message):
            return texts.rooms_only
        if self.admin and not message.sender.admin and not is_admin(message):
            return texts.not_admin
        return None


OPEN = Access()
"""Everybody, everywhere."""


def check_functions(functions: Mapping[str, Any]) -> None:
    """Raise TypeError for an argument of the bot that is neither a function of a message nor None."""
    for name, function in functions.items():
        if function is not None:
            check_function(f"Bot({name}=...)", function, "message")


def names_of_roles(returned: object) -> frozenset[str]:
    """The roles that `Bot(roles=...)` has returned. Raises TypeError unless they are a list or a set of texts.

    In a string, each part of it would be a role, and in a dictionary each key.
    """
    kind = type(returned).__name__
    is_list = isinstance(returned, Iterable) and not isinstance(returned, str | bytes | Mapping)
    names = frozenset(cast("Iterable[str]", returned) if is_list else ())
    if not is_list or not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f'Bot(roles=...) returned {kind}: return a set of texts, such as {{"ops"}}')
    return names
