"""Sends what no poll has carried to the `response_url` of a message (WeCom docs: Smart bots › Active replies).

A `response_url` takes one message, within an hour. There is no other way to send: a smart bot in URL mode cannot write
first.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from parley.adapter import (
    Answer,
    App,
    Bucket,
    Call,
    Outcome,
    Profile,
    Steps,
    TokenSteps,
    TokenUnavailableError,
    UndeliverableError,
)
from parley.errors import RetryAfter
from parley.model import AnyMedia, Message, Outgoing, Reply
from parley.platforms.tencent import api
from parley.platforms.tencent.api import FORM_CODES, Codes
from parley.platforms.wecom_bot import media as files
from parley.platforms.wecom_bot import response_url, stream
from parley.platforms.wecom_bot.config import Config
from parley.platforms.wecom_bot.render import last_texts_joined, plan

PROFILE = Profile(retry_for=response_url.LIFETIME, continues=True)
_HOLD, _HOLD_FURTHER = 6.0, 30.0
"""Seconds that a fresh reply is left to the polls: the first one to a message, and further ones, for which the
`response_url` has no room. WeCom polls about once a second, but the docs do not say it."""
_HOLD_UPDATE = 2.0
"""Seconds that the edit of a pressed card is left to the callback of the press, which waits for it."""
_LAST_POLLS = 10.0
"""Seconds before the end of the polls in which none of them may come any more."""
_CANNOT_WRITE_FIRST = "a smart bot answers messages only: use an app of WeCom or the robot of a group to write first"
_ONCE = "the response_url of a message takes one message: the rest of the replies to it cannot be sent"
_TOO_LATE = "the pressed card can be updated within five seconds; its response_url is left to the reply that follows"
_CODES = Codes(
    token=frozenset(),
    limited={45009: 60},
    transient=frozenset({-1, 6000}),
    form=FORM_CODES | {40058, 42045, 44004},
)


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """The call that sends `out`. Raises UndeliverableError, and RetryAfter while a poll may still carry it."""
    if out.to.webhook:
        raise UndeliverableError("a smart bot has no webhooks: the platform wecom has them")
    if out.reply.op == "recall":
        raise UndeliverableError("a smart bot cannot recall a message")
    _hold(out, now)
    if _closes_card(out):
        raise UndeliverableError(_TOO_LATE)
    if out.reply.op == "edit":
        raise UndeliverableError("a smart bot cannot edit a message", part="target")
    return _send(out, _url(out, app.config, now))


def joined(message: Message, replies: Sequence[Reply], now: float) -> list[Reply]:
    """See `parley.adapter.SupportsJoining`. A stream holds several texts. After its end, a press or a reminder there is
    only the `response_url`, which takes one message: a second one is refused (40058).
    """
    expires = message.context.reply_token_expires
    is_polled = message.kind == "message" and not (expires and now > _end_of_polls(expires) - _LAST_POLLS)
    return [*replies] if is_polled else last_texts_joined(replies)


def outcome(call: Call, answer: Answer) -> Outcome:
    """The outcome of `call`, read from `answer`."""
    return api.outcome(answer, _CODES, call)


def token_key(out: Outgoing, app: App) -> str | None:
    """None: no call has a token."""
    return None


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """Not called: no call has a token."""
    raise TokenUnavailableError("smart bots have no access token", None)
    yield


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """None are documented."""
    return ()


def download(media: AnyMedia, message_id: str, app: App) -> Call:
    """The call that fetches `media`. Its address is valid for five minutes after the message."""
    return Call(name="download", method="GET", url=media.url)


def decrypted(data: bytes, app: App) -> bytes:
    """See `parley.adapter.SupportsEncryptedMedia`."""
    config: Config = app.config
    return files.decrypted(data, config.keys)


def _hold(out: Outgoing, now: float) -> None:
    """Raise RetryAfter while a poll, or the callback of a press, may still carry `out`."""
    updates = out.to.kind == "action" and out.reply.op == "edit"
    is_reply = bool(out.message_key) and out.ordinal >= 0 and (out.reply.to is None or _closes_card(out))
    if not is_reply or not (updates or out.to.kind == "message"):
        return
    until = out.created + (_HOLD_UPDATE if updates else _HOLD_FURTHER if out.ordinal else _HOLD)
    if out.to.reply_token_expires:
        until = min(until, _end_of_polls(out.to.reply_token_expires))
    if now < until:
        raise RetryAfter(until - now, "the answer to a callback may still carry the reply")


def _end_of_polls(expires: float) -> float:
    """The time at which the polls for the answer to a message end whose `response_url` is used until `expires`."""
    return expires - response_url.LIFETIME + stream.LIFETIME


def _closes_card(out: Outgoing) -> bool:
    """Whether `out` is no reply to the press of the card that it edits, but to what the press has brought on."""
    to = out.reply.to
    return out.reply.op == "edit" and to is not None and to.kind == "action" and out.reply.target == to.message_id


def _url(out: Outgoing, config: Config, now: float) -> str:
    """The `response_url` for `out`. Raises UndeliverableError if there is none."""
    if not out.to.reply_token:
        raise UndeliverableError(_CANNOT_WRITE_FIRST)
    if now >= out.to.reply_token_expires:
        raise UndeliverableError("the response_url of the message has expired: it is valid for an hour")
    try:
        return response_url.opened(out.to.reply_token, config)
    except ValueError as error:
        raise UndeliverableError("the EncodingAESKey has changed since the message came") from error


def _send(out: Outgoing, url: str) -> Steps:
    planned = plan((replace(out, reply=replace(out.reply, to=None)),))
    if planned.content:
        body = {"msgtype": "markdown", "markdown": {"content": planned.content}}
    elif planned.card is not None:
        body = {"msgtype": "template_card", "template_card": planned.card}
    else:
        raise UndeliverableError("the reply is empty")
    yield Call(name="respond", method="POST", url=url, json=body)
    if planned.rest is not None or (planned.content and planned.card is not None):
        raise UndeliverableError(_ONCE)
