"""Passive replies of WeCom and WeChat: replies in the response to the callback that brought the message.

An app uses them with `"reply_mode": "passive"` (WeCom docs: Passive replies; WeChat docs: Passive replies to users).
This module holds all rules of the two platforms. `parley.journal.passive` describes the rest: how the engine waits for
the bot and stores what has been sent.

1. A callback brings a message. `seconds_to_wait` decides whether and how long the callback waits for the bot's replies.
2. `hold` makes the deliverer leave a fresh reply to the callback.
3. `plan` decides which replies the response carries. One response has room for one message. Texts are joined into one;
   an image, a voice message, a video or an article goes alone.
4. `passive_reply` makes the response, in the data format of the request and encrypted with the key of the request.
5. The deliverer sends the remaining replies through the API.
6. The API may refuse a reply because the person has not written lately. `limit_deferral` decides whether that reply
   waits for the response to the person's next message.

`WECOM` and `WECHAT` hold what differs between the platforms.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from parley.adapter import Call, Outcome, PassiveReply, Permanent, Request, Response
from parley.errors import RetryAfter
from parley.model import AnySegment, Audio, Button, Card, File, Image, Link, Message, Other, Outgoing, Reply, Video
from parley.platforms.tencent import envelope
from parley.platforms.tencent.buttons import pack
from parley.platforms.tencent.callback import CallbackKeys, query_parameter
from parley.platforms.tencent.envelope import Decrypted
from parley.platforms.tencent.fields import Fields, is_json, read, write_xml
from parley.platforms.tencent.media import has_content
from parley.platforms.tencent.plain import LIMIT, Writer, anchor, as_text, card_text, group_text, groups, literal
from parley.platforms.tencent.render import has_picture, has_preview
from parley.text import utf8_size
from parley.untrusted import mapping, text

REPLY_DEADLINE = 4.5
"""Seconds that a callback waits for the bot. Both platforms close the connection after 5 seconds."""
_HOLD = 4
"""Seconds that the deliverer leaves a fresh reply to the callbacks. A waiting callback finds a reply at once. Between
two deliveries of a message there is only the time in which the platform gives up the first and starts the second."""
IN_CONVERSATION = "in conversation"
"""`Call.note` of a message that a passive reply could carry as well."""


class PassiveFormat(NamedTuple):
    """How a platform shows segments in a passive reply."""

    is_text: Callable[[AnySegment], bool]
    """Whether a segment is shown as text."""
    write: Writer
    native: Callable[[AnySegment], Fields | None]
    """The message for a segment that is not shown as text. None if only the API can send it."""


class PassiveRules(NamedTuple):
    """The rules of one platform."""

    is_answerable: Callable[[Message], bool]
    """Whether a person reads the reply to a message."""
    empty: Response
    """The response without a reply."""
    format: PassiveFormat


# --- 1. which callbacks wait ------------------------------------------------------------------------------------------


def seconds_to_wait(message: Message, rules: PassiveRules, *, replies_passively: bool) -> float:
    """Seconds that the callback with `message` waits for the bot's replies; 0 if it does not wait."""
    return REPLY_DEADLINE if replies_passively and rules.is_answerable(message) else 0


# --- 2. and 6. what the deliverer leaves to a callback ----------------------------------------------------------------


def hold(out: Outgoing, now: float, *, replies_passively: bool) -> None:
    """Raise RetryAfter while the callback of the message that `out` answers may still carry it."""
    until = out.created + _HOLD
    is_reply = out.message_key and out.ordinal >= 0 and out.reply.to is None and out.reply.op == "send"
    if replies_passively and is_reply and now < until:
        raise RetryAfter(until - now, "the callback may still carry the reply")


def limit_deferral(call: Call, outcome: Outcome) -> Outcome:
    """`outcome`, with `Permanent.window_closed` only if a later passive reply can carry the message of `call`.

    Any other message that is refused because the person has not written lately has failed.
    """
    if isinstance(outcome, Permanent) and outcome.window_closed and call.note != IN_CONVERSATION:
        return replace(outcome, window_closed=False)
    return outcome


# --- 3. what one response carries -------------------------------------------------------------------------------------


class PassivePlan(NamedTuple):
    """What one response carries: its fields, the number of complete replies, and the rest of the next reply."""

    body: Fields | None
    sent: int = 0
    rest: Reply | None = None


def plan(replies: tuple[Reply, ...], format_: PassiveFormat) -> PassivePlan:
    """Plan a response with as many of `replies` as it can carry, in order.

    A reply to another place, an edit or a recall ends it: that reply and all later ones are left.
    """
    joined = ""
    for number, reply in enumerate(replies):
        if reply.op != "send" or reply.to is not None:
            return _text_plan(joined, number)
        leading, others = _leading_text(reply.segments, format_)
        if not leading and others:
            return _text_plan(joined, number) if joined else _native_plan(reply, others, number, format_)
        first, *later = list(groups(leading, format_.write, LIMIT)) or [[]]
        longer = f"{joined}\n{group_text(first, format_.write)}".strip()
        if utf8_size(longer) > LIMIT:
            return _text_plan(joined, number)
        joined = longer
        if others and not joined:
            return _native_plan(reply, others, number, format_)
        rest = (*(segment for group in later for segment in group), *others)
        if rest:
            return _text_plan(joined, number, _with_segments(reply, rest))
    return _text_plan(joined, len(replies))


def _leading_text(
    segments: tuple[AnySegment, ...], format_: PassiveFormat
) -> tuple[tuple[AnySegment, ...], tuple[AnySegment, ...]]:
    count = next((place for place, segment in enumerate(segments) if not format_.is_text(segment)), len(segments))
    return segments[:count], segments[count:]


def _native_plan(reply: Reply, segments: tuple[AnySegment, ...], number: int, format_: PassiveFormat) -> PassivePlan:
    body = format_.native(segments[0])
    if body is None:
        return PassivePlan(None, number)
    if len(segments) == 1:
        return PassivePlan(body, number + 1)
    return PassivePlan(body, number, _with_segments(reply, segments[1:]))


def _text_plan(text: str, sent: int, rest: Reply | None = None) -> PassivePlan:
    return PassivePlan({"MsgType": "text", "Content": text} if text else None, sent, rest)


def _with_segments(reply: Reply, segments: tuple[AnySegment, ...]) -> Reply:
    return msgspec.structs.replace(reply, segments=segments)


# --- 4. the response --------------------------------------------------------------------------------------------------


def passive_reply(
    rules: PassiveRules,
    request: Request,
    keys: CallbackKeys,
    message: Message,
    replies: tuple[Reply, ...],
    now: float,
    *,
    encrypted: bool,
) -> PassiveReply:
    """The response to `request` with as many of `replies` as fit; see `parley.adapter.SupportsPassiveReply`.

    It is encrypted if the request is `encrypted`. It is empty if no key decrypts the request any more.
    """
    body, sent, rest = plan(replies, rules.format)
    if body is None:
        return PassiveReply(rules.empty, sent, rest)
    fields: Fields = {
        "ToUserName": message.sender.id,
        "FromUserName": text(mapping(message.raw).get("ToUserName")),
        "CreateTime": int(now),
        **body,
    }
    as_json = is_json(request.body)
    if encrypted:
        content = _decrypt_again(request, keys)
        if content is None:
            return PassiveReply(rules.empty)
        nonce = query_parameter(request, "nonce")
        fields = _encrypted(_dump(fields, as_json=as_json), content, keys.token, nonce, int(now))
    content_type = "application/json" if as_json else "text/xml"
    response = Response(body=_dump(fields, as_json=as_json).encode(), content_type=content_type)
    return PassiveReply(response, sent, rest)


def _decrypt_again(request: Request, keys: CallbackKeys) -> Decrypted | None:
    """Decrypt `request` as `receive` did, to find its key and its receiver. None if no key decrypts it."""
    try:
        return envelope.decrypt_for(keys.receivers, keys.keys, text(read(request.body).get("Encrypt")))
    except ValueError:
        return None


def _encrypted(plain: str, request: Decrypted, token: str, nonce: str, timestamp: int) -> Fields:
    ciphertext = envelope.encrypt(request.key, plain, request.receiver)
    return {
        "Encrypt": ciphertext,
        "MsgSignature": envelope.signature(token, str(timestamp), nonce, ciphertext),
        "TimeStamp": timestamp,
        "Nonce": nonce,
    }


def _dump(fields: Mapping[str, Any], *, as_json: bool) -> str:
    return msgspec.json.encode(fields).decode() if as_json else write_xml(fields)


# --- messages of both platforms ---------------------------------------------------------------------------------------


def _media(segment: AnySegment) -> Fields | None:
    """The message that shows media with a media id. None for other segments."""
    match segment:
        case Image(key=key) if key:
            return {"MsgType": "image", "Image": {"MediaId": key}}
        case Audio(key=key) if key:
            return {"MsgType": "voice", "Voice": {"MediaId": key}}
        case Video(key=key, name=name) if key:
            return {"MsgType": "video", "Video": {"MediaId": key, "Title": name, "Description": ""}}
        case _:
            return None


def _article(link: Link) -> Fields:
    item = {"Title": link.title or link.url, "Description": link.description, "PicUrl": link.image, "Url": link.url}
    return {"MsgType": "news", "ArticleCount": 1, "Articles": {"item": item}}


# --- WeCom: cards, and media without a media id, are left to the API --------------------------------------------------


def _is_wecom_text(segment: AnySegment) -> bool:
    if isinstance(segment, Image | Audio | Video | File):
        return not has_content(segment)
    return not isinstance(segment, Card) and not has_preview(segment)


def _wecom_native(segment: AnySegment) -> Fields | None:
    return _article(segment) if isinstance(segment, Link) else _media(segment)


def _is_from_person(message: Message) -> bool:
    return message.sender.kind == "user"


WECOM = PassiveRules(
    is_answerable=_is_from_person,
    empty=Response(content_type="text/plain"),
    format=PassiveFormat(_is_wecom_text, as_text, _wecom_native),
)


# --- WeChat: the account may have no right to the API, so that almost everything becomes text -------------------------

_UNREAD_EVENTS = ("unsubscribe", "templatesendjobfinish", "masssendjobfinish")
"""Events after which no person reads a reply."""
_TRANSFER = "transfer_customer_service"


def _is_wechat_text(segment: AnySegment) -> bool:
    if isinstance(segment, Other):
        return segment.name not in {"template", "subscription", _TRANSFER}
    return _media(segment) is None and not has_picture(segment)


def _wechat_text(segment: AnySegment) -> str:
    match segment:
        case Card():
            return card_text(segment, map(_menu_link, segment.buttons))
        case Other(name="typing"):
            return ""
        case Other(name="miniprogram", text=text, data=data):
            return literal(text or data.get("title", ""))
        case _:
            return as_text(segment)


def _menu_link(button: Button) -> str:
    """A button as a link. The client sends its label and its id when it is tapped. The docs do not mention it, but many
    accounts use it (unverified)."""
    if button.url:
        return anchor(button.url, button.label)
    id_, label = (_escape(part) for part in (pack(button), button.label))
    return anchor(f"weixin://bizmsgmenu?msgmenucontent={label}&msgmenuid={id_}", button.label)


def _escape(text: str) -> str:
    """Escape in `text` the characters that would end the address. Other accounts write Chinese unescaped."""
    return "".join(quote(char, safe="") if char.isascii() and not char.isalnum() else char for char in text)


def _wechat_native(segment: AnySegment) -> Fields | None:
    match segment:
        case Link():
            return _article(segment)
        case Other(name=name, data=data) if name == _TRANSFER:
            account = data.get("KfAccount", "")
            return {"MsgType": _TRANSFER, **({"TransInfo": {"KfAccount": account}} if account else {})}
        case _:
            return _media(segment)


def _has_reader(message: Message) -> bool:
    return message.event not in _UNREAD_EVENTS


WECHAT = PassiveRules(
    is_answerable=_has_reader,
    empty=Response(body=b"success", content_type="text/plain"),
    format=PassiveFormat(_is_wechat_text, _wechat_text, _wechat_native),
)
