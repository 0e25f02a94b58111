"""What a turn does without an engine: in a test that makes one itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from parley.model import AnyMedia, Message, Reply
from parley.model.state import Scope, State

if TYPE_CHECKING:
    from parley.adapter import Answer, Call


def no_download(_media: AnyMedia, _message: Message) -> bytes:
    """A test gives the bytes. Raises RuntimeError."""
    raise RuntimeError("this turn cannot download; in a test, pass Turn(download=...)")


def no_unseal(_message: Message) -> str:
    """A test gives the credential. Raises RuntimeError."""
    raise RuntimeError("this turn cannot read a credential; in a test, pass Turn(unseal=...)")


def no_quote(_id: str, _message: Message) -> str:
    """In a test, no text can be fetched."""
    return ""


def nothing_heard(_count: int) -> list[Message]:
    """In a test, nobody has said anything else."""
    return []


def no_flags(_name: str, _message: Message, default: bool) -> bool:
    """In a test that makes a turn itself, every feature has its default."""
    return default


def no_timer(_id: str) -> None:
    """In a test, there are no other conversations."""


def no_state(_scope: Scope, _message: Message) -> State:
    """In a test, the states of other people are empty."""
    return {}


def not_shown(_write: Callable[[], Reply] | None) -> None:
    """In a test, nobody sees an answer while it grows."""


def never() -> bool:
    """In a test, nobody stops the handler."""
    return False


def new_state(_scope: Scope) -> State:
    """In a test, a state that is not given is new."""
    return {}


class NoUsers:
    """In a test that makes a turn itself, nobody can log in. Methods raise RuntimeError."""

    def address(self, message: Message) -> str:
        """No page."""
        del message
        raise _NO_USERS

    def has(self, message: Message, scopes: str) -> bool:
        """Nobody."""
        del message, scopes
        raise _NO_USERS

    def call(self, message: Message, request: "Call", until: float) -> "Answer":
        """No call."""
        del message, request, until
        raise _NO_USERS

    def forget(self, message: Message, until: float) -> bool:
        """Nobody."""
        del message, until
        raise _NO_USERS


_NO_USERS = RuntimeError("this turn has no logins; in a test, let a Chat talk to the bot")
