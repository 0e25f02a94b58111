"""Answers within the callback's response (WeCom docs: Passive replies; WeChat docs: Passive replies to users).

One callback takes one message: texts are joined into one, an image, voice, film or article goes alone.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, cast

import msgspec

from parley.adapter import Request, Response
from parley.errors import RetryAfter
from parley.model import AnySegment, Audio, Image, Link, Message, Outgoing, Reply, Video
from parley.platforms.tencent import envelope
from parley.platforms.tencent.callback import query_parameter
from parley.platforms.tencent.envelope import Decrypted
from parley.platforms.tencent.fields import Fields, is_json, parsed_or_none, text, write_xml
from parley.platforms.tencent.plain import LIMIT, Written, groups, joined
from parley.text import utf8_size

PATIENCE = 4.5
"""Seconds to wait for the bot. Both platforms cut the connection after 5."""


_HELD = 4
"""Seconds. A callback that waits sees a reply at once; between two deliveries of a message there are at most those in
which the platform gives up the one and begins the next."""


class PassiveFormat(NamedTuple):
    """How a platform says things passively: which segments are words, and what the others become."""

    is_words: Callable[[AnySegment], bool]
    write: Written
    native: Callable[[AnySegment], Fields | None]
    """The fields of a message that shows a segment that is not words; None where there is no such message."""


class PassivePlan(NamedTuple):
    """What one response says: its own fields, how many replies it says in full, what remains of the next one."""

    body: Fields | None
    sent: int = 0
    rest: Reply | None = None


def plan(replies: tuple[Reply, ...], voice: PassiveFormat) -> PassivePlan:
    """As many of `replies` as one response takes, in order. Replies that go elsewhere or change something, and those
    behind them, are left.
    """
    words = ""
    for number, reply in enumerate(replies):
        if reply.op != "send" or reply.to is not None:
            return _worded(words, number)
        run, others = _leading(reply.segments, voice)
        if not run and others:
            return _worded(words, number) if words else _native(reply, others, number, voice)
        first, *more = list(groups(run, voice.write, LIMIT)) or [[]]
        both = f"{words}\n{joined(first, voice.write)}".strip()
        if utf8_size(both) > LIMIT:
            return _worded(words, number)
        words = both
        if others and not words:
            return _native(reply, others, number, voice)
        left = (*(segment for group in more for segment in group), *others)
        if left:
            return _worded(words, number, _with(reply, left))
    return _worded(words, len(replies))


def _leading(
    segments: tuple[AnySegment, ...], voice: PassiveFormat
) -> tuple[tuple[AnySegment, ...], tuple[AnySegment, ...]]:
    count = next((place for place, one in enumerate(segments) if not voice.is_words(one)), len(segments))
    return segments[:count], segments[count:]


def _native(reply: Reply, segments: tuple[AnySegment, ...], number: int, voice: PassiveFormat) -> PassivePlan:
    body = voice.native(segments[0])
    if body is None:
        return PassivePlan(None, number)
    return PassivePlan(body, number, _with(reply, segments[1:])) if segments[1:] else PassivePlan(body, number + 1)


def _worded(words: str, said: int, rest: Reply | None = None) -> PassivePlan:
    return PassivePlan({"MsgType": "text", "Content": words} if words else None, said, rest)


def _with(reply: Reply, segments: tuple[AnySegment, ...]) -> Reply:
    return msgspec.structs.replace(reply, segments=segments)


def hold(out: Outgoing, reply_mode: str, now: float) -> None:
    """Leave a fresh reply to the callbacks of the message that it answers. Raises RetryAfter where they may yet say it."""
    until = out.created + _HELD
    answers = out.message_key and out.ordinal >= 0 and out.reply.to is None and out.reply.op == "send"
    if reply_mode == "passive" and answers and now < until:
        raise RetryAfter(until - now, "the callback may still answer")


def media(segment: AnySegment) -> Fields | None:
    """The message that shows an image, voice or film that the platform already has."""
    match segment:
        case Image(key=key) if key:
            return {"MsgType": "image", "Image": {"MediaId": key}}
        case Audio(key=key) if key:
            return {"MsgType": "voice", "Voice": {"MediaId": key}}
        case Video(key=key, name=name) if key:
            return {"MsgType": "video", "Video": {"MediaId": key, "Title": name, "Description": ""}}
        case _:
            return None


def article(link: Link) -> Fields:
    """The message that shows a link as an article with a picture."""
    item = {"Title": link.title or link.url, "Description": link.description, "PicUrl": link.image, "Url": link.url}
    return {"MsgType": "news", "ArticleCount": 1, "Articles": {"item": item}}


def decrypt_again(request: Request, keys: tuple[str, ...], receivers: Collection[str]) -> Decrypted | None:
    """What `receive` decrypted of `request`, for the key that opened it: the answer has to be encrypted with the same.
    None if it was not encrypted.
    """
    fields = parsed_or_none(request.body) or {}
    try:
        return envelope.decrypt_for(receivers, keys, text(fields, "Encrypt"))
    except ValueError:
        return None


def response(
    body: Fields, decrypted: Decrypted | None, message: Message, token: str, request: Request, now: float
) -> Response:
    """`body` to the sender of `message`, in the data format of `request`, encrypted if it was `decrypted`."""
    fields: Fields = {
        "ToUserName": message.sender.id,
        "FromUserName": text(cast("Fields", message.raw), "ToUserName"),
        "CreateTime": int(now),
        **body,
    }
    as_json = is_json(request.body)
    if decrypted is not None:
        fields = sealed(_dump(fields, as_json=as_json), decrypted, token, query_parameter(request, "nonce"), int(now))
    kind = "application/json" if as_json else "text/xml"
    return Response(body=_dump(fields, as_json=as_json).encode(), content_type=kind)


def sealed(
    plain: str, decrypted: Decrypted, token: str, nonce: str, timestamp: int, random: bytes | None = None
) -> dict[str, Any]:
    """The envelope around an encrypted answer. `random`: see `envelope.encrypt`."""
    encrypted = envelope.encrypt(decrypted.key, plain, decrypted.receiver, random)
    return {
        "Encrypt": encrypted,
        "MsgSignature": envelope.signature(token, str(timestamp), nonce, encrypted),
        "TimeStamp": timestamp,
        "Nonce": nonce,
    }


def _dump(fields: Mapping[str, Any], *, as_json: bool) -> str:
    return msgspec.json.encode(fields).decode() if as_json else write_xml(fields)
