"""What the journal's tests share."""

from collections.abc import Callable
from typing import Any

import pytest

from parley.model import Content, Context, Destination, Message, Outgoing, Reply, Sender, Text, message_key, reply_id

MakeMessage = Callable[..., Message]
MakeReply = Callable[..., Outgoing]


@pytest.fixture
def message() -> MakeMessage:
    """Makes messages: `message("m2", room="r")`."""

    def make(id: str = "m1", *, room: str = "room", **more: Any) -> Message:  # noqa: A002
        return Message(
            id=id,
            platform="feishu",
            app="demo",
            kind="message",
            sender=Sender(id="person"),
            content=Content(text="hi"),
            timestamp=1_800_000_000,
            context=Context(room_id=room),
            **more,
        )

    return make


@pytest.fixture
def reply(message: MakeMessage) -> MakeReply:
    """Makes replies to the message `m1`: `reply("text", ordinal=1)`."""

    def make(text: str = "answer", *, ordinal: int = 0, to: str = "m1", created: float = 1_800_000_000.0) -> Outgoing:
        key = message_key(message(to))
        return Outgoing(
            id=reply_id(key, ordinal),
            message_key=key,
            ordinal=ordinal,
            to=Destination.answering(message(to)),
            reply=Reply(segments=(Text(text=text),)),
            created=created,
        )

    return make
