"""Pushes to group robots (WeCom docs: Group robots). A robot receives nothing, and its API has no idempotency key.

| segment | message |
|---|---|
| text | `text` with mentions |
| text with markdown | `markdown`; `text` if everyone is mentioned, because markdown cannot mention everyone |
| links with a description or picture; images with an address only | `news` |
| JPG or PNG from the bot | `image` |
| other media | uploaded, then `file` or `voice` |
| card | `markdown`: a robot receives no clicks on buttons |
"""

from collections.abc import Generator, Iterator
from itertools import groupby
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from parley.adapter import App, Bucket, Call, Sent, Steps, UndeliverableError
from parley.markdown import in_dialect, literal_code
from parley.model import (
    AnyMedia,
    AnySegment,
    Audio,
    Card,
    File,
    Image,
    Link,
    Markdown,
    Mention,
    Outgoing,
    Quote,
    Text,
    Video,
    digest,
    plain_text,
)
from parley.platforms.tencent.content_limits import MEGABYTE
from parley.platforms.tencent.markup import OWN, Piece, Pieces, raw
from parley.platforms.tencent.media import VOICE, upload_call
from parley.platforms.tencent.plain import Style, groups, media_text, quote_text, texts
from parley.platforms.tencent.render import Rendered
from parley.platforms.wecom.cards import card_markdown
from parley.platforms.wecom.config import Config
from parley.platforms.wecom.content_limits import LIMITS
from parley.platforms.wecom.inline_image import inline_image
from parley.platforms.wecom.render import (
    DIALECT,
    FILE,
    MARKDOWN_RULES,
    as_markdown,
    kind_of,
    media_type_of,
    news_messages,
)

_MARKDOWN = LIMITS.webhook.most
_IMAGE = 2 * MEGABYTE


class _Hook(NamedTuple):
    """The address of a robot, and its query, which holds the key."""

    url: str
    query: dict[str, str]

    def upload_url(self) -> str:
        """The address for uploads."""
        return self.url.replace("/webhook/send", "/webhook/upload_media")


def steps(out: Outgoing, app: App) -> Steps:
    """The calls that push `out`. Raises UndeliverableError."""
    hook = _hook(out, app)
    if out.reply.op != "send":
        raise UndeliverableError(f"a group robot has no {out.reply.op}", part="target")
    parts = list(_messages(in_dialect(out.reply.segments, DIALECT)))
    if not parts:
        raise UndeliverableError("the reply is empty")
    for place, part in enumerate(parts):  # all uploads first, as in `upload_all`
        if not isinstance(part, Rendered):
            parts[place] = yield from _uploaded(part, hook)
    for message in parts:
        if isinstance(message, Rendered):
            yield _push(hook, message)


def limits(call: Call) -> tuple[Bucket, ...]:
    """20 messages a minute for each robot."""
    if call.name != "push":
        return ()
    return (Bucket(f"wecom#robot#{digest(call.query.get('key', ''))[:32]}", 20, 60),)


def _hook(out: Outgoing, app: App) -> _Hook:
    config: Config = app.config
    webhook = config.webhooks.get(out.to.webhook)
    if webhook is None:
        raise UndeliverableError(f"no webhook {out.to.webhook[:40]!r} in the configuration")
    address = urlsplit(webhook.url)
    return _Hook(f"{address.scheme}://{address.netloc}{address.path}", dict(parse_qsl(address.query)))


def _push(hook: _Hook, message: Rendered) -> Call:
    body = {"msgtype": message.kind, message.kind: message.content}
    return Call(name="push", method="POST", url=hook.url, query=hook.query, json=body)


def _uploaded(media: AnyMedia, hook: _Hook) -> Generator[Call, Sent, Rendered]:
    media_type = VOICE if media_type_of(media) is VOICE else FILE
    sent = yield upload_call(hook.upload_url(), media, media_type, hook.query, with_token=False)
    return Rendered(media_type.name, {"media_id": sent.id})


def _messages(segments: tuple[AnySegment, ...]) -> Iterator[Rendered | AnyMedia]:
    for kind, group in groupby((part for segment in segments for part in _without_card(segment)), kind_of):
        match kind:
            case "articles":
                yield from news_messages([segment for segment in group if isinstance(segment, Link)])
            case "media":
                for segment in group:
                    if isinstance(segment, Image | Audio | Video | File):
                        yield from _media(segment)
            case _:
                yield from _text_messages(list(group))


def _without_card(segment: AnySegment) -> list[AnySegment]:
    return [*card_markdown(segment, by_id=True), Markdown(text="\n")] if isinstance(segment, Card) else [segment]


def _text_messages(segments: list[AnySegment]) -> Iterator[Rendered]:
    """Text or markdown messages. The body of a text lists the mentioned persons, and the client shows them."""
    has_markdown = any(isinstance(segment, Markdown) for segment in segments)
    if has_markdown and not any(isinstance(segment, Mention) and segment.id == "all" for segment in segments):
        for text in texts(segments, Style(_as_markdown, MARKDOWN_RULES, _MARKDOWN)):
            yield Rendered("markdown", {"content": text})
        return
    style = Style(_as_text)
    for group in groups(segments, style):
        mentions = [segment.id for segment in group if isinstance(segment, Mention)]
        mentioned = [f"@{id_}" if id_ == "all" else id_ for id_ in mentions]
        words = plain_text(tuple(group)) or "…"
        content = style.text(group) or style.text([Text(text=words)] if mentioned else ())
        if content:
            yield Rendered("text", {"content": content} | ({"mentioned_list": mentioned} if mentioned else {}))


def _as_markdown(segment: AnySegment) -> Pieces:
    return (Piece(f"<@{segment.id}>", OWN),) if isinstance(segment, Mention) else as_markdown(segment)


def _as_text(segment: AnySegment) -> Pieces:
    match segment:
        case Mention():
            return ()
        case Text(text=text):
            return raw(text)
        case Markdown(text=text):
            return raw(literal_code(text))
        case Quote(text=text):
            return raw(quote_text(text))
        case Image() | Audio() | Video() | File():
            return raw(media_text(segment))
        case _:
            return raw(plain_text((segment,)))


def _media(media: AnyMedia) -> Iterator[Rendered | AnyMedia]:
    """The message for media. A robot cannot use media ids of an app: media without bytes become text."""
    try:
        image = inline_image(media, _IMAGE) if isinstance(media, Image) else None
    except ValueError as error:
        raise UndeliverableError("the image's data is not Base64") from error
    if image is not None:
        yield Rendered("image", image)
    elif isinstance(media, Image) and media.url and not (media.data or media.source):
        yield from news_messages([Link(url=media.url, title=media.name or "image", image=media.url)])
    elif media.is_uploadable:
        yield msgspec.structs.replace(media, key="")
    else:
        yield from _text_messages([Text(text=plain_text((media,)))])
