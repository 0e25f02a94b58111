"""Passive replies of WeCom and WeChat: replies in the response to the callback that brought the message.

An app uses them with `"reply_mode": "passive"` (WeCom docs: Passive replies; WeChat docs: Passive replies to users).
This module and `passive_rules` hold all rules of the two platforms. `parley.journal.passive` describes the rest: how
the engine waits for the bot and stores what has been sent.

1. A callback brings a message. `seconds_to_wait` decides whether and how long the callback waits for the bot's replies.
2. `hold` makes the deliverer leave a fresh reply to the callback.
3. `plan` decides which replies the response carries. One response has room for one message. Texts are joined into one;
   an image, a voice message, a video or an article goes alone.
4. `passive_reply` makes the response, in the data format of the request and encrypted with the key of the request.
5. The deliverer sends the remaining replies through the API.
6. The API may refuse a reply because the person has not written lately, or because it refuses every call of the app.
   `limit_deferral` decides whether that reply waits for the response to the person's next message, and `passive_form`
   in which form.

`WECOM` and `WECHAT` hold what differs between the platforms (`passive_rules`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from parley.adapter import Call, Outcome, PassiveReply, Permanent, Request, Response, Sent, Steps
from parley.errors import RetryAfter
from parley.markdown import in_dialect
from parley.model import AnySegment, Media, Message, Outgoing, Reply, Text
from parley.platforms.tencent import envelope
from parley.platforms.tencent.callback import CallbackKeys, query_parameter
from parley.platforms.tencent.envelope import Decrypted
from parley.platforms.tencent.fields import Fields, is_json, read, write_xml
from parley.platforms.tencent.media import VALID, UploadOf, with_media_ids
from parley.platforms.tencent.passive_rules import WECHAT, WECOM, PassiveFormat, PassiveRules, carried
from parley.platforms.tencent.plain import DIALECT, LIMIT, groups
from parley.text import utf8_size
from parley.untrusted import mapping, text

__all__ = ["WECHAT", "WECOM", "PassiveFormat", "PassiveRules"]

REPLY_DEADLINE = 4.5
"""Seconds that a callback waits for the bot. Both platforms close the connection after 5 seconds."""
_HOLD = 4
"""Seconds that the deliverer leaves a fresh reply to the callbacks. A waiting callback finds a reply at once. Between
two deliveries of a message there is only the time in which the platform gives up the first and starts the second."""
DEFERRABLE = "deferrable"
"""`Call.note` of the calls of a passive account: a refusal of the whole API defers the reply."""
_API_ONLY = ("template", "subscription", "typing")
"""Calls whose refusal says nothing about messages, or that no passive reply can replace."""


# --- 1. which callbacks wait ------------------------------------------------------------------------------------------


def seconds_to_wait(message: Message, rules: PassiveRules, *, replies_passively: bool) -> float:
    """Seconds that the callback with `message` waits for the bot's replies; 0 if it does not wait."""
    return REPLY_DEADLINE if replies_passively and rules.is_shown(message) else 0


# --- 2. and 6. what the deliverer leaves to a callback ----------------------------------------------------------------


def hold(out: Outgoing, now: float, *, replies_passively: bool) -> None:
    """Raise RetryAfter while the callback of the message that `out` answers may still carry it."""
    until = out.created + _HOLD
    is_reply = out.message_key and out.ordinal >= 0 and out.reply.to is None and out.reply.op != "recall"
    if replies_passively and is_reply and now < until:
        raise RetryAfter(until - now, "the callback may still carry the reply")


def limit_deferral(call: Call, outcome: Outcome) -> Outcome:
    """`outcome`, with `Permanent.window_closed` only if a later passive reply may carry the reply of `call`.

    Any other message that is refused because the person has not written lately, or because the API refuses every call
    of the app, has failed.
    """
    if isinstance(outcome, Permanent) and outcome.window_closed and call.note != DEFERRABLE:
        return replace(outcome, window_closed=False)
    return outcome


def deferrable(steps: Steps, *, replies_passively: bool) -> Steps:
    """`steps`, whose calls let `limit_deferral` defer the reply of a passive account."""
    call = next(steps, None)
    while call is not None:
        can_defer = replies_passively and call.name not in _API_ONLY
        receipt = yield replace(call, note=DEFERRABLE) if can_defer else call
        try:
            call = steps.send(receipt)
        except StopIteration:
            return


def passive_form(rules: PassiveRules, out: Outgoing, receipts: Iterable[Sent], upload_of: UploadOf) -> Outgoing | None:
    """`out` in the form that a passive reply to the person's next message can carry.

    `receipts`: those of the uploads that `deliver` has made. None if it is for others than one person, if it is a
    recall, or if only the API can send it. An edit becomes a new message.
    """
    to = out.to
    is_person = to.user_id and to.user_id != "@all" and not set("|:") & set(to.user_id)
    if out.reply.op == "recall" or to.room_id or to.webhook or not is_person:
        return None
    uploaded = with_media_ids(out.reply.segments, receipts, upload_of)
    segments = tuple(part for segment in uploaded for part in carried(segment, rules.format))
    reply = replace(out.reply, op="send", target="", segments=segments)
    if plan((replace(reply, to=None),), rules.format).body is None:
        return None
    return replace(out, reply=reply)


# --- 3. what one response carries -------------------------------------------------------------------------------------


class PassivePlan(NamedTuple):
    """What one response carries: its fields, the number of complete replies, and the rest of the next reply."""

    body: Fields | None
    sent: int = 0
    rest: Reply | None = None


def plan(replies: tuple[Reply, ...], format_: PassiveFormat) -> PassivePlan:
    """Plan a response with as many of `replies` as it can carry, in order.

    A reply to another place, a recall or a reaction ends it: that reply and all later ones are left. An edit is a new
    message.
    """
    joined: tuple[AnySegment, ...] = ()
    style = format_.style
    for number, reply in enumerate(replies):
        if reply.op in ("recall", "react") or reply.to is not None:
            return _text_plan(style.text(joined), number)
        leading, others = _leading_text(reply.segments, format_)
        if not leading and others:
            return _text_plan(style.text(joined), number) if joined else _native_plan(reply, others, number, format_)
        first, *later = list(groups(leading, style)) or [[]]
        longer = _joined(joined, first, format_)
        if utf8_size(style.text(longer)) > LIMIT:
            return _text_plan(style.text(joined), number)
        joined = longer
        if others and not joined:
            return _native_plan(reply, others, number, format_)
        rest = (*(segment for group in later for segment in group), *others)
        if rest:
            return _text_plan(style.text(joined), number, _with_segments(reply, rest))
    return _text_plan(style.text(joined), len(replies))


def _joined(joined: tuple[AnySegment, ...], added: list[AnySegment], format_: PassiveFormat) -> tuple[AnySegment, ...]:
    """The segments of two replies as one text, each on lines of its own."""
    if not format_.style.text(added):
        return joined
    return (*joined, Text(text="\n"), *added) if joined else tuple(added)


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
    return replace(reply, segments=segments)


# --- 4. the response --------------------------------------------------------------------------------------------------


def passive_reply(
    rules: PassiveRules,
    request: Request,
    keys: CallbackKeys,
    message: Message,
    replies: tuple[Outgoing, ...],
    now: float,
    *,
    encrypted: bool,
) -> PassiveReply:
    """The response to `request` with as many of `replies` as fit; see `parley.adapter.SupportsPassiveReply`.

    It is encrypted if the request is `encrypted`. It is empty if no key decrypts the request any more.
    """
    written = (_with_valid_ids(out, rules.format, now) for out in replies)
    plain = (_with_segments(reply, in_dialect(reply.segments, DIALECT)) for reply in written)
    body, sent, rest = plan(tuple(plain), rules.format)
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


def _with_valid_ids(out: Outgoing, format_: PassiveFormat, now: float) -> Reply:
    """The reply without the media ids that `passive_form` has given it, once they may have expired.

    The response would show nothing then. An id that came from the bot stays: it may be that of permanent media.
    """
    if now < out.created + VALID:
        return out.reply
    segments = tuple(part for segment in out.reply.segments for part in _without_id(segment, format_))
    return _with_segments(out.reply, segments)


def _without_id(segment: AnySegment, format_: PassiveFormat) -> tuple[AnySegment, ...]:
    if isinstance(segment, Media) and segment.key and segment.is_uploadable:
        return carried(replace(segment, key=""), format_)
    return (segment,)


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
