"""Messages and replies for tests."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from parley.journal.inbox import Decision, Inbox, Snapshot
from parley.journal.memory import Change
from parley.journal.states import Lease
from parley.model import Content, Context, Destination, Message, Outgoing, Reply, Sender, Text, message_key, reply_id
from parley.model.state import State

NOW = 1_800_000_000


def make_message(id_: str = "m1", text: str = "hi", *, room: str = "room", **more: Any) -> Message:
    """A message of a person in the room `room` of the Feishu app `demo`."""
    fields: dict[str, Any] = {
        "platform": "feishu",
        "app": "demo",
        "kind": "message",
        "sender": Sender(id="person"),
        "timestamp": NOW,
        "context": Context(room_id=room),
    }
    return Message(id=id_, content=Content(text=text), **fields | more)


def make_reply(message: Message, text: str = "answer", *, ordinal: int = 0, created: float = NOW) -> Outgoing:
    """A text as the reply number `ordinal` to `message`."""
    key = message_key(message)
    return Outgoing(
        id=reply_id(key, ordinal),
        message_key=key,
        ordinal=ordinal,
        to=Destination.answering(message),
        reply=Reply(segments=(Text(text=text),)),
        created=created,
    )


def decide(
    inbox: Inbox,
    message: Message,
    snapshot: Snapshot,
    state: State,
    replies: Sequence[Outgoing],
    now: float,
    leases: Mapping[str, Lease] | None = None,
) -> None:
    """Decide `message`, with a new state of its conversation."""
    inbox.decide(message, snapshot, Decision(replies, [Change(snapshot.memory, state)], leases=leases or {}), now)


def answers_to(message: Message, *replies: Reply, created: float = NOW) -> tuple[Outgoing, ...]:
    """`replies` to `message`, as the engine gives them to a platform."""
    return tuple(
        replace(make_reply(message, ordinal=number, created=created), reply=reply)
        for number, reply in enumerate(replies)
    )
