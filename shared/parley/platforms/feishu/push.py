"""Pushing to a group's webhook (Feishu docs: Custom bot usage guide)."""

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
    """The calls that push `out.reply` to the webhook that `out.to` names. Nothing covers a repetition of one."""
    config: Config = app.config
    hook = config.webhooks.get(out.to.webhook)
    if hook is None:
        raise UndeliverableError(f"webhooks has no {out.to.webhook!r} in the configuration of {app.name!r}")
    if out.reply.op != "send":
        raise UndeliverableError("what went to a webhook can neither be edited nor recalled")
    nothing = True
    for part in parts(_possible(out.reply.segments), WEBHOOK):
        said = part if isinstance(part, Rendered) else (yield from media.uploaded(part, config))
        yield _call(hook, said, now)
        nothing = False
    if nothing:
        raise UndeliverableError("the reply is empty")


def uploads(out: Outgoing) -> bool:
    """Whether `out` needs the app's token: pictures are uploaded as the app and shown by their keys."""
    return any(isinstance(segment, Image) and not segment.key for segment in out.reply.segments)


def sign(timestamp: str, secret: str) -> str:
    """The `sign` of a push: the secret is part of the HMAC's key, its message is empty. `timestamp` in seconds."""
    key = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


def _possible(segments: tuple[AnySegment, ...]) -> Iterator[AnySegment]:
    """What a webhook can show: no files, sounds and films, and no button that would have to come back."""
    for segment in segments:
        match segment:
            case File() | Audio() | Video():
                yield Text(text=f"{plain_text((segment,))} {segment.url}".strip() + "\n")
            case Card():
                links = tuple(button for button in segment.buttons if button.url)
                yield msgspec.structs.replace(segment, buttons=links)
            case _:
                yield segment


def _call(hook: Webhook, said: Rendered, now: float) -> Call:
    # Feishu takes stamps of one hour around its own clock: each attempt is signed anew.
    stamp = str(int(now))
    signed = {"timestamp": stamp, "sign": sign(stamp, hook.secret)} if hook.secret else {}
    return Call(name="push", method="POST", url=hook.url, json={**signed, "msg_type": said.kind, **_body(said)})


def _body(said: Rendered) -> Object:
    """Here content is an object, posts have one level more, and cards stand under `card`."""
    match said.kind:
        case "interactive":
            return {"card": said.content}
        case "post":
            return {"content": {"post": said.content}}
        case _:
            return {"content": said.content}
