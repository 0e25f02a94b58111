"""Replies: each is put into the mailbox of its conversation, and pushed to the webhook of the app if it has one."""

import re
from collections.abc import Mapping

import msgspec

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    App,
    Bucket,
    Call,
    Outcome,
    Permanent,
    Profile,
    Sent,
    Steps,
    TokenSteps,
    TokenUnavailableError,
    Transient,
    UndeliverableError,
    Unknown,
)
from parley.model import AnyMedia, Outgoing
from parley.platforms.http import frames, webhook
from parley.platforms.http import media as uploads
from parley.platforms.http.config import Config
from parley.platforms.http.persons import room_of
from parley.untrusted import parse_integer

TYPING_LASTS = 5.0
"""Seconds for which clients show that the bot works on an answer."""
PROFILE = Profile(retry_for=3600, reacts=True)
_REPLY = re.compile(r"[0-9a-f]{32}")
"""The id of a reply, with which the channel names its message."""
_REMEMBERED = 25 * 86_400.0
"""Seconds for which a repeated push has no further effect: its `webhook-id` is that of the reply. The mailbox knows a
reply as long as the journal does."""
_PAUSE = 60.0
"""Seconds before the next push after HTTP 429 without `Retry-After`, and the longest that it can ask for at once."""
_MAX_PAUSE = 900.0
_DOWNLOAD = "download"
stored = uploads.stored
copy_of = uploads.copy_of


def deliver(out: Outgoing, app: App, now: float) -> Steps:
    """The call that delivers `out`. Raises UndeliverableError for an empty reply, a change of no message, and a
    group webhook.
    """
    if out.to.webhook:
        raise UndeliverableError("the HTTP channel has no group webhooks")
    if out.reply.op in ("send", "edit") and not out.reply.segments:
        raise UndeliverableError("the reply is empty")
    if out.reply.op in ("edit", "recall") and not _REPLY.fullmatch(out.reply.target):
        raise UndeliverableError("the message to change is no reply of this channel", part="target")
    return _put(out, app.config, int(now))


def outcome(call: Call, answer: Answer) -> Outcome:
    """The outcome of a push: every answer but 2xx means that it is made again, except that the address is gone."""
    match answer.status:
        case 403 | 404 if call.name == _DOWNLOAD:
            return Permanent(f"HTTP {answer.status}: the media were not uploaded, or have expired")
        case status if call.name == "copy" and status >= 300:
            return Transient(f"HTTP {status}: the bucket has not taken the media", part="media")
        case status if 200 <= status < 300:
            return Sent(id=call.note)
        case 410:
            return Permanent("HTTP 410: the webhook is gone; remove `webhook_url`")
        case 429:
            seconds = parse_integer(answer.headers.get("Retry-After", ""))
            return Transient("HTTP 429", after=_PAUSE if seconds is None else min(float(seconds), _MAX_PAUSE))
        case status if status >= 500:
            return Unknown(f"HTTP {status}")
        case status:
            return Transient(f"HTTP {status} from the webhook")


def token_key(out: Outgoing, app: App) -> str | None:
    """None: pushes are signed."""
    return None


def token(out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
    """Not called: no call has a token."""
    raise TokenUnavailableError("the HTTP channel has no access token", None)
    yield


def limits(call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
    """None: the webhook of the app says itself if it gets too many."""
    return ()


def download(media: AnyMedia, message_id: str, app: App) -> Call:
    """The call that fetches uploaded media from the bucket, or others from their address."""
    key = uploads.object_key(app.name, media.key) if media.key else ""
    return Call(name=_DOWNLOAD, method="GET", url="" if key else media.url, stored=key)


def typing(out: Outgoing, app: App) -> Call:
    """The sign for clients that are connected. It is no request: without `sockets`, nothing happens."""
    config: Config = app.config
    return Call(name="typing", method="", url="", notifies=config.sockets, idempotent_for=IDEMPOTENT)


def notice(out: Outgoing, number: int | None, *, visible: bool) -> bytes:
    """See `parley.adapter.SupportsNotices`."""
    room = room_of(out.to.room_id)
    if number is None:
        return frames.encode(frames.Typing(room=room))
    return frames.reply_frame(room, number, out if visible else None, out.to.user_id, frames.MAX_PUSH)


def _put(out: Outgoing, config: Config, now: int) -> Steps:
    if not config.webhook_url:
        yield Call(
            name="keep", method="", url="", note=out.id, keeps=True, notifies=config.sockets, idempotent_for=_REMEMBERED
        )
        return
    body = webhook.event(out)
    yield Call(
        name="push",
        method="POST",
        url=config.webhook_url,
        headers=webhook.headers(out.id, now, msgspec.json.encode(body), config.webhook_keys),
        json=body,
        note=out.id,
        keeps=True,
        notifies=config.sockets,
        idempotent_for=_REMEMBERED,
    )
