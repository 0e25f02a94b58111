"""Streams: WeCom polls for the answer to a message until it gets one that is finished (WeCom docs: Passive replies).

The id of a stream is made of the id of the message. So each delivery of a message is answered with the same stream, and
a poll names the message whose answer it asks for.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_FEEDBACK_ID = 256
LIFETIME = 330
"""Seconds for which an answer can be left to the polls. WeCom polls for six minutes after the message."""


def id_of(message_id: str) -> str:
    """The id of the stream that answers the message: hexadecimal, because the docs name no other characters."""
    return message_id.encode().hex()


def message_of(stream_id: str) -> str:
    """The id of the message that the stream answers; empty if no stream of ours has this id."""
    try:
        message_id = bytes.fromhex(stream_id).decode()
    except ValueError:
        return ""
    return message_id if id_of(message_id) == stream_id else ""


def begun(stream_id: str, *, feedback: bool) -> dict[str, Any]:
    """The answer to a message. `feedback`: whether people can judge what follows."""
    first = answer(stream_id, finish=False)
    if feedback:
        first["stream"]["feedback"] = {"id": stream_id[:_FEEDBACK_ID]}
    return first


def answer(stream_id: str, content: str = "", *, finish: bool) -> dict[str, Any]:
    """The answer to a message or to a poll. `content`: the whole text so far."""
    return {"msgtype": "stream", "stream": {"id": stream_id, "finish": finish, "content": content}}


def ended(
    stream_id: str, content: str, images: Sequence[Mapping[str, str]], card: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The last answer of a stream, with images and a template card."""
    last = answer(stream_id, content, finish=True)
    if images:
        last["stream"]["msg_item"] = [{"msgtype": "image", "image": dict(image)} for image in images]
    if card is None:
        return last
    return {**last, "msgtype": "stream_with_template_card", "template_card": card}
