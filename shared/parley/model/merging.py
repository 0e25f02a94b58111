"""Several messages of a person, sent within seconds, as one."""

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from parley.model.agenda import MERGE
from parley.model.message import Content, Message
from parley.model.segments import Text


def joined(earlier: Message, message: Message) -> Message:
    """`message` with the texts of `earlier` before its own, each in lines of its own.

    It keeps the id, the time and the context of `message`, so a reply answers the last one.
    """
    mentions = dict.fromkeys((*earlier.mentions, *message.mentions))
    return replace(
        message,
        content=Content(text=f"{earlier.content.text}\n{message.content.text}"),
        segments=(*earlier.segments, Text(text="\n"), *message.segments),
        mentions=tuple(mentions),
        merged=tuple(replace(part, raw=None) for part in (*earlier.parts, message)),
    )


def marker(message: Message) -> Message:
    """The message that ends the waiting for more: behind all messages that have been sent before it."""
    number = len(message.parts)
    context = replace(message.context, reply_token="", reply_token_expires=0, awaits_reply=False)
    empty: dict[str, Any] = {"content": Content(), "segments": (), "mentions": (), "merged": UNSET}
    id_ = f"{message.id}.merge{number}"
    return replace(message, id=id_, kind="event", event=MERGE, context=context, raw=None, **empty)
