"""Pushes to a group's webhook (Feishu docs: Custom bot usage guide)."""

import base64
import hashlib
import hmac
from collections.abc import Iterator

import msgspec

from parley.adapter import App, Call, Steps, UndeliverableError
from parley.model import AnySegment, Audio, Card, File, Image, Outgoing, Text, Video, plain_text
from parley.platforms.feishu import media
from parley.platforms.feishu.config import Config, Webhook
from parley.platforms.feishu.render import WEBHOOK, Rendered, parts
from parley.platforms.feishu.values import Object


def steps(out: Outgoing, app: App, now: float) -> Steps:
    """The calls that push `out.reply` to the webhook `out.to.webhook`. They have no idempotency key.

    Raises UndeliverableError.
    """
    config: Config = app.config
    hook = config.webhooks.get(out.to.webhook)
    if hook is None:
        raise UndeliverableError(f"webhooks has no {out.to.webhook!r} in the configuration of {app.name!r}")
    if out.reply.op != "send":
        raise UndeliverableError("a message to a webhook can be neither edited nor recalled", part="target")
    segments = yield from media.with_pictures(_supported(out.reply.segments), config)
    messages = yield from media.all_uploaded(parts(segments, WEBHOOK), config)
    for rendered in messages:
        yield _call(hook, rendered, now)
    if not messages:
        raise UndeliverableError("the reply is empty")


def uploads(out: Outgoing) -> bool:
    """Whether `out` needs the app's token. The app uploads the images, and the webhook shows them by their keys."""
    pictures = (
        each
        for segment in out.reply.segments
        for each in (segment.images if isinstance(segment, Card) else (segment,))
        if isinstance(each, Image)
    )
    return any(not image.key for image in pictures)


def sign(timestamp: str, secret: str) -> str:
    """The `sign` of a push. `timestamp` is in seconds. The HMAC's key contains the secret; its message is empty."""
    key = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


def _supported(segments: tuple[AnySegment, ...]) -> Iterator[AnySegment]:
    """`segments` without the forms that a webhook lacks.

    Files, audio and video become text. Buttons, menus and forms that cause a callback are removed.
    """
    for segment in segments:
        match segment:
            case File() | Audio() | Video():
                yield Text(text=f"{plain_text((segment,))} {segment.url}".strip() + "\n")
            case Card():
                links = tuple(button for button in segment.buttons if button.url)
                yield msgspec.structs.replace(segment, buttons=links, selects=(), form=None)
            case _:
                yield segment


def _call(hook: Webhook, rendered: Rendered, now: float) -> Call:
    # Feishu accepts time stamps within one hour of its own clock. So each attempt is signed with a new one.
    stamp = str(int(now))
    signed = {"timestamp": stamp, "sign": sign(stamp, hook.secret)} if hook.secret else {}
    return Call(name="push", method="POST", url=hook.url, json={**signed, "msg_type": rendered.kind, **_body(rendered)})


def _body(rendered: Rendered) -> Object:
    """The content of a push. It is an object, not JSON text; a post has one more level, and a card is under `card`."""
    match rendered.kind:
        case "interactive":
            return {"card": rendered.content}
        case "post":
            return {"content": {"post": rendered.content}}
        case _:
            return {"content": rendered.content}
