"""Group robots: what a webhook shows (WeCom docs: Group robots). Nothing comes back from a group, and nothing covers a
repetition.

| what | becomes |
|---|---|
| words | `text`, mentions as such |
| words with markdown among them | `markdown`; with a mention of all `text`, for markdown has none |
| rich links, and images that have an address only | `news` |
| JPG or PNG that the bot made | `image` |
| other media | uploaded, then `file` or `voice` |
| card | its words: a robot's buttons cannot answer |
"""

import hashlib
from collections.abc import Generator, Iterator
from itertools import groupby
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from parley.adapter import App, Bucket, Call, Sent, Steps, UndeliverableError
from parley.crypto import decode_base64
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
    Text,
    Video,
    digest,
    plain_text,
)
from parley.platforms.tencent import media
from parley.platforms.tencent.plain import LIMIT, groups, joined, texts
from parley.platforms.wecom.cards import in_words
from parley.platforms.wecom.config import Config
from parley.platforms.wecom.render import FILE, VOICE, Rendered, kind_of, markdown, media_type_of, news

_MARKDOWN = 4096
_IMAGE = 2 * media.MEGABYTE


class _Hook(NamedTuple):
    """A webhook's address in pieces: the key is a secret and travels apart from what is logged."""

    url: str
    query: dict[str, str]

    def uploading(self) -> str:
        """Where its media are uploaded."""
        return self.url.replace("/webhook/send", "/webhook/upload_media")


def steps(out: Outgoing, app: App) -> Steps:
    """The calls that push `out`. Raises UndeliverableError."""
    hook = _hook(out, app)
    if out.reply.op != "send":
        raise UndeliverableError(f"a group robot has no {out.reply.op}")
    said = False
    for part in _parts(out.reply.segments):
        message = part if isinstance(part, Rendered) else (yield from _uploaded(part, hook))
        yield _push(hook, message)
        said = True
    if not said:
        raise UndeliverableError("the reply is empty")


def limits(call: Call) -> tuple[Bucket, ...]:
    """20 messages a minute for each robot, a few of them at once."""
    if call.name != "push":
        return ()
    return (Bucket(f"wecom#robot#{digest(call.query.get('key', ''))[:32]}", 20, 60, burst=6),)


def _hook(out: Outgoing, app: App) -> _Hook:
    config: Config = app.config
    webhook = config.webhooks.get(out.to.webhook)
    if webhook is None:
        raise UndeliverableError(f"no webhook {out.to.webhook[:40]!r} in the configuration")
    address = urlsplit(webhook.url)
    return _Hook(f"{address.scheme}://{address.netloc}{address.path}", dict(parse_qsl(address.query)))


def _push(hook: _Hook, said: Rendered) -> Call:
    body = {"msgtype": said.kind, said.kind: said.content}
    return Call(name="push", method="POST", url=hook.url, query=hook.query, json=body)


def _uploaded(what: AnyMedia, hook: _Hook) -> Generator[Call, Sent, Rendered]:
    sort = VOICE if media_type_of(what) is VOICE else FILE
    call = media.upload(hook.uploading(), what, sort, lambda sort: {**hook.query, "type": sort.name}, token=False)
    sent = yield call
    return Rendered(sort.name, {"media_id": sent.id})


def _parts(segments: tuple[AnySegment, ...]) -> Iterator[Rendered | AnyMedia]:
    for sort, group in groupby(map(_without_cards, segments), kind_of):
        match sort:
            case "articles":
                yield from news([segment for segment in group if isinstance(segment, Link)])
            case "media":
                for one in group:
                    if isinstance(one, Image | Audio | Video | File):
                        yield from _media(one)
            case _:
                yield from _words(list(group))


def _without_cards(segment: AnySegment) -> AnySegment:
    return Markdown(text=f"{in_words(segment)}\n") if isinstance(segment, Card) else segment


def _words(run: list[AnySegment]) -> Iterator[Rendered]:
    """Words. A text names those it mentions beside its content, and the client shows them there."""
    marked = any(isinstance(segment, Markdown) for segment in run)
    if marked and not any(isinstance(segment, Mention) and segment.id == "all" for segment in run):
        for text in texts(run, _markdown, _MARKDOWN):
            yield Rendered("markdown", {"content": text})
        return
    for group in groups(run, _text, LIMIT):
        mentioned = [f"@{one.id}" if one.id == "all" else one.id for one in group if isinstance(one, Mention)]
        content = joined(group, _text) or (plain_text(tuple(group)) if mentioned else "")
        if content:
            yield Rendered("text", {"content": content} | ({"mentioned_list": mentioned} if mentioned else {}))


def _markdown(segment: AnySegment) -> str:
    return f"<@{segment.id}>" if isinstance(segment, Mention) else markdown(segment)


def _text(segment: AnySegment) -> str:
    match segment:
        case Mention():
            return ""
        case Text(text=text) | Markdown(text=text):
            return text
        case _:
            return plain_text((segment,))


def _media(what: AnyMedia) -> Iterator[Rendered | AnyMedia]:
    """A handle of the app's means nothing to a robot: media without bytes or address are told in words."""
    made = _made(what) if isinstance(what, Image) else None
    if made is not None:
        yield made
    elif isinstance(what, Image) and what.url and not what.data:
        yield from news([Link(url=what.url, title=what.name or "image", image=what.url)])
    elif what.url or what.data:
        yield msgspec.structs.replace(what, key="")
    else:
        yield from _words([Text(text=plain_text((what,)))])


def _made(image: Image) -> Rendered | None:
    """An image by its bytes, where they are small enough and of a kind that is shown."""
    if not image.data or not media.has_format(image, "jpg", "jpeg", "png"):
        return None
    try:
        data = decode_base64(image.data)
    except ValueError as error:
        raise UndeliverableError("the image's data is not Base64") from error
    if len(data) > _IMAGE:
        return None
    return Rendered("image", {"base64": image.data, "md5": hashlib.md5(data, usedforsecurity=False).hexdigest()})
