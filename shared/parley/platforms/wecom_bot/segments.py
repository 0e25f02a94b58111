"""Reads the content of a message to a smart bot (WeCom docs: Smart bots › Receiving messages).

Media have an address and no other handle. What is there is encrypted (`parley.platforms.wecom_bot.media`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from parley.model import AnyMedia, AnySegment, Audio, File, Image, Media, Quote, Text, Video, plain_text
from parley.untrusted import mapping, mappings, text


class Found(NamedTuple):
    """The segments of a message: its own, and all of them, with those of the message that it quotes before its own."""

    own: tuple[AnySegment, ...]
    all: tuple[AnySegment, ...]


def mention_of(name: str) -> str:
    """The pattern of a mention of the bot: its name in plain text. If the name is not known, it is the first word."""
    return rf"@{re.escape(name)}(?:\s+|$)" if name else r"^\s*@\S+(?:\s+|$)"


def of(fields: Mapping[str, Any], mention: str) -> Found:
    """The segments of the message without what `mention` matches. `own` is empty if its type is not known."""
    own = tuple(_segments(fields, mention))
    quoted = tuple(_segments(mapping(fields.get("quote")), ""))
    if not quoted:
        return Found(own, own)
    quote = Quote(message_id="", text=plain_text(tuple(each for each in quoted if isinstance(each, Text))))
    return Found(own, (quote, *(each for each in quoted if isinstance(each, Media) and each.url), *own))


def text_of(segments: tuple[AnySegment, ...]) -> str:
    """The words of a message: of its texts, each on lines of its own, and of its voice."""
    return "\n".join(filter(None, (part.text.strip() for part in segments if isinstance(part, Text | Audio))))


def media_of(segments: tuple[AnySegment, ...]) -> tuple[AnyMedia, ...]:
    """The media among `segments`."""
    return tuple(part for part in segments if isinstance(part, Image | File | Audio | Video))


def _segments(fields: Mapping[str, Any], mention: str) -> Iterator[AnySegment]:
    kind = text(fields.get("msgtype"))
    content = mapping(fields.get(kind))
    match kind:
        case "text":
            yield Text(text=_without_mention(text(content.get("content")), mention))
        case "voice":
            yield Audio(text=text(content.get("content")))
        case "image":
            yield Image(url=text(content.get("url")))
        case "video":
            yield Video(url=text(content.get("url")))
        case "file":
            yield File(url=text(content.get("url")), name=text(content.get("filename")))
        case "mixed":
            for item in mappings(content.get("msg_item")):
                if text(item.get("msgtype")) != "mixed":
                    yield from _segments(item, mention)
        case _:
            return


def _without_mention(words: str, mention: str) -> str:
    return re.sub(mention, "", words).strip() if mention else words
