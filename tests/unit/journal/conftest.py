"""Fixtures of the journal's tests."""

from collections.abc import Callable
from typing import Any

import pytest

from parley.model import Message, Outgoing
from tests.factories import make_message, make_reply

MakeMessage = Callable[..., Message]
MakeReply = Callable[..., Outgoing]


@pytest.fixture
def message() -> MakeMessage:
    """Makes messages: `message("m2", room="r")`."""

    def make(id: str = "m1", *, room: str = "room", **more: Any) -> Message:  # noqa: A002
        return make_message(id, room=room, **more)

    return make


@pytest.fixture
def reply(message: MakeMessage) -> MakeReply:
    """Makes replies to the message `m1`: `reply("text", ordinal=1)`."""

    def make(text: str = "answer", *, ordinal: int = 0, to: str = "m1", created: float = 1_800_000_000.0) -> Outgoing:
        return make_reply(message(to), text, ordinal=ordinal, created=created)

    return make
