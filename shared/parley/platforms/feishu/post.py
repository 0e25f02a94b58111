"""The content of a received post (Feishu docs: Receive message content, `post`)."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from parley.model import AnySegment, File, Image, Link, Markdown, Other, Text, Video
from parley.platforms.feishu.mentions import Mentions
from parley.platforms.feishu.values import Object, scalars
from parley.untrusted import array, mapping, mappings, scalar

_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)


def read_post(fields: Object, mentions: Mentions) -> Iterator[AnySegment]:
    """The segments of a post: its title, one line for each paragraph, and its files."""
    body = _body(fields)
    if title := scalar(body.get("title")):
        yield Text(text=f"{title}\n")
    for number, line in enumerate(array(body.get("content"))):
        if number:
            yield Text(text="\n")
        # A paragraph without elements is an empty line. One that is no list is a single element (unverified).
        for element in mappings(line if isinstance(line, list) else [line]):
            yield from _element(element, mentions)
    yield from attached_files(fields)
    if body is not fields:
        yield from attached_files(body)


def attached_files(fields: Object) -> Iterator[AnySegment]:
    """The files beside the content. Clients send several files, or files with words, as one message with `files`."""
    for file in mappings(fields.get("files")):
        if key := scalar(file.get("file_key")):
            yield File(key=key, name=scalar(file.get("file_name")))
        elif key := scalar(file.get("image_key")):
            yield Image(key=key)


def spoken_link(link: Link) -> str:
    """The words of `link` in a text. A typed address arrives as a link with itself as its title: it is one word."""
    if link.title and _bare(link.title) == _bare(link.url):
        return link.title
    return f"{link.title} {link.url}".strip()


def _bare(address: str) -> str:
    return unquote(_SCHEME.sub("", address, count=1)).rstrip("/").casefold()


def _body(fields: Object) -> Object:
    """The post itself. Sent posts are wrapped in a locale, received ones are not. A forwarded one may be either
    (unverified).
    """
    if "content" in fields:
        return fields
    return next((inner for value in fields.values() if "content" in (inner := mapping(value))), fields)


def _element(element: Object, mentions: Mentions) -> Iterable[AnySegment]:
    words = scalar(element.get("text"))
    match scalar(element.get("tag")):
        case "text":
            return mentions.in_text(words)
        case "md" | "markdown" | "lark_md":
            return mentions.in_markdown(words or scalar(element.get("content")))
        case "a":
            return [_link(scalar(element.get("href")), words)]
        case "at":
            found = mentions.element(scalar(element.get("user_id")), scalar(element.get("user_name")))
            return [found] if found else []
        case tag:
            return [_block(tag, element, words)]


def _block(tag: str, element: Object, words: str) -> AnySegment:
    match tag:
        case "img":
            return Image(key=scalar(element.get("image_key")))
        case "media":
            return Video(key=scalar(element.get("file_key")), cover=scalar(element.get("image_key")))
        case "emotion":
            emoji = scalar(element.get("emoji_type"))
            return Other(name="emotion", text=f"[{emoji}]" if emoji else "", data=scalars(element, "tag"))
        case "hr":
            return Markdown(text="\n---\n")
        case "code_block":
            return Markdown(text=f"```{scalar(element.get('language')).lower()}\n{words}\n```")
        case _:
            return Other(name=tag or "unknown", text=words, data=scalars(element, "tag", "text"))


def _link(url: str, title: str) -> AnySegment:
    return Link(url=url, title="" if title == url else title) if url else Text(text=title)


def plain_post(fields: Any) -> str:
    """The words of a post inside another message, such as the summary of a task. Empty if it is no post."""
    body = _body(mapping(fields))
    lines = ("".join(scalar(part.get("text")) for part in mappings(line)) for line in array(body.get("content")))
    return "\n".join(line for line in (scalar(body.get("title")), *lines) if line)
