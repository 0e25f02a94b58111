"""Replies by NewChat's API."""

# Next: Render every segment that NewChat can show, read its error codes, and enter its rate limits.

from collections.abc import Mapping
from typing import Any

import msgspec

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    App,
    Auth,
    Bucket,
    Call,
    Outcome,
    Permanent,
    Profile,
    Sent,
    Steps,
    Token,
    TokenRejected,
    TokenSteps,
    TokenUnavailableError,
    UndeliverableError,
    Unknown,
)
from parley.errors import RetryAfter
from parley.model import AnyMedia, AnySegment, Card, Outgoing, digest, plain_text
from parley.platforms.newchat.config import Config
from parley.platforms.newchat.content_limits import LIMITS
from parley.text import split
from parley.untrusted import integer, text

PROFILE = Profile(retry_for=3600)
_AUTH = Auth("header", "Authorization", "Bearer ")
_KEY_VALID = 600
"""Seconds for which NewChat remembers the key of a message."""
_MINUTE = 60.0


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """The calls that deliver `out`. Raises UndeliverableError for what NewChat does not have."""
    if out.to.webhook:
        raise UndeliverableError("NewChat has no group webhooks")
    if out.reply.op != "send":
        raise UndeliverableError(f"NewChat has no {out.reply.op}", part="target")
    buttons = _buttons(out.reply.segments) if out.form == "rich" else []
    segments = tuple(_without_buttons(segment) if buttons else segment for segment in out.reply.segments)
    parts = [{"text": part} for part in split(plain_text(segments), LIMITS.text.most)]
    if not parts:
        raise UndeliverableError("the reply is empty")
    last: dict[str, Any] = {**parts.pop(), **({"buttons": buttons} if buttons else {})}
    return _send([*parts, last], out, app.config)


def outcome(call: Call, answer: Answer) -> Outcome:
    """The outcome of `call`, read from `answer`."""
    match answer.status:
        case 200:
            return Sent(id=text(answer.json().get("id")))
        case 400:
            return Permanent(f"HTTP 400 {text(answer.json().get('error'))}".strip(), part="form")
        case 401:
            return TokenRejected("HTTP 401")
        case 429:
            return RetryAfter(float(integer(answer.json().get("retry_after")) or 1), "rate limit")
        case status if status >= 500:
            return Unknown(f"HTTP {status}")
        case status:
            return Permanent(f"HTTP {status} {text(answer.json().get('error'))}".strip())


def token_key(out: Outgoing, app: App) -> str | None:
    """One token serves all calls."""
    return "access_token"


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """Fetch the access token of the app."""
    config: Config = app.config
    body = {"app_id": config.app_id, "app_secret": config.app_secret}
    answer = yield Call(
        name="token", method="POST", url=f"{config.host}/token", json=body, idempotent_for=IDEMPOTENT
    )
    value, seconds = text(answer.json().get("access_token")), integer(answer.json().get("expires_in"))
    if not value or seconds is None:
        again = None if answer.status in (400, 401, 403) else _MINUTE
        raise TokenUnavailableError(f"HTTP {answer.status}: compare `app_secret` with the console", again)
    return Token(value, now + seconds)


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """Ten calls a second for an app."""
    config: Config = app.config
    return (Bucket(f"newchat#{config.app_id}", 10, 1),)


def download(media: AnyMedia, message_id: str, app: App) -> Call:
    """The call that fetches the bytes of `media`."""
    config: Config = app.config
    url = media.url or f"{config.host}/media/{media.key}"
    return Call(name="download", method="GET", url=url, auth=_AUTH, idempotent_for=IDEMPOTENT)


def _buttons(segments: tuple[AnySegment, ...]) -> list[dict[str, str]]:
    """The buttons that can be pressed. Buttons with an address stay in the text."""
    cards = [segment for segment in segments if isinstance(segment, Card)]
    pressed = [button for card in cards for button in card.buttons if not button.url]
    return [{"id": button.id, "label": button.label, "value": button.value} for button in pressed]


def _without_buttons(segment: AnySegment) -> AnySegment:
    if not isinstance(segment, Card):
        return segment
    return msgspec.structs.replace(segment, buttons=tuple(button for button in segment.buttons if button.url))


def _send(parts: list[dict[str, Any]], out: Outgoing, config: Config) -> Steps:
    place = {"room": out.to.room_id} if out.to.room_id else {"user": out.to.user_id}
    for number, part in enumerate(parts):
        # The same part has the same key in each attempt, so NewChat shows it once.
        body = {**place, **part, "key": digest(out.id, out.form, str(number))[:32]}
        yield Call(
            name="send",
            method="POST",
            url=f"{config.host}/messages",
            auth=_AUTH,
            json=body,
            idempotent_for=_KEY_VALID,
        )
