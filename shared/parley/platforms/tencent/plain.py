"""Segments as the plain text that both platforms show, in which links may be tags, in parts of the allowed size."""

import re
from collections.abc import Callable, Iterable, Iterator

import msgspec

from parley.model import AnySegment, Audio, Card, File, Image, Link, Markdown, Text, Video, plain_text
from parley.text import split, utf8_size

Written = Callable[[AnySegment], str]

LIMIT = 2048
"""Bytes of a text in UTF-8. What is beyond them is cut off without a word, or refused."""
_SEEN_AS_TAG = re.compile(r"<(?=/?a\b)", re.IGNORECASE)
_NOTHING = "\u200b"
"""A space without width: it keeps `<` from opening a tag, for which there is no other way."""
_WEB = re.compile(r"(https?|weixin)://[^\s\"<>]+")
_CODE_OR_LINK = re.compile(
    r"```[\w+#.-]{0,30}\n?(?P<block>.*?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|!?\[(?P<title>[^\[\]\n]{0,500})\]\((?P<url>[^()\s]{1,2000})\)",
    re.DOTALL,
)
_MARKS = (
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"(?<!\w)__(?=\S)(.+?)(?<=\S)__(?!\w)"), r"\1"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
    (re.compile(r"\*(?=[^\s*])([^*\n]+?)(?<=\S)\*"), r"\1"),
    (re.compile(r"(?<!\w)_(?=[^\s_])([^_\n]+?)(?<=\S)_(?!\w)"), r"\1"),
    (re.compile(r"^#{1,6} +", re.MULTILINE), ""),
    (re.compile(r"^( *)[-*+] +", re.MULTILINE), r"\1• "),
)


def written(segment: AnySegment) -> str:
    """`segment` as text. Only a link becomes a tag; what looks like one in a text is shown as it is."""
    match segment:
        case Markdown(text=text):
            return unmarked(text)
        case Link():
            rest = f"\n{literal(segment.description)}" if segment.description else ""
            return anchor(segment.url, segment.title) + rest
        case Image() | File() | Audio() | Video() if segment.url:
            return anchor(segment.url, plain_text((segment,)))
        case Card():
            return carded(
                segment, (anchor(b.url, b.label) if b.url else f"[{literal(b.label)}]" for b in segment.buttons)
            )
        case _:
            return literal(plain_text((segment,))) if not isinstance(segment, Text) else literal(segment.text)


def carded(card: Card, buttons: Iterable[str]) -> str:
    """A card as lines: title, text, and each button as the caller writes it."""
    return "\n".join(part for part in (literal(card.title), unmarked(card.text), *buttons) if part)


def literal(text: str) -> str:
    """`text` such that nothing in it becomes a link."""
    return _SEEN_AS_TAG.sub(f"<{_NOTHING}", text)


def anchor(url: str, title: str = "") -> str:
    """A link that shows its title; the bare address where it is none that a tag can hold."""
    label = re.sub(r"\s+", " ", literal(title)).strip()
    if not _WEB.fullmatch(url):
        return f"{label} {literal(url)}".strip()
    return f'<a href="{url}">{label or url}</a>'


def bare(url: str, title: str = "") -> str:
    """A link where there are no tags: its title and its address."""
    return f"{title} {url}".strip()


def unmarked(markdown: str, link: Callable[[str, str], str] = anchor) -> str:
    """Markdown without its marks: what is left reads well, links are as `link` writes them, code stays as it was."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        if match["url"] is not None:
            kept.append(link(match["url"], match["title"]))
        else:
            kept.append(literal(match["block"] if match["code"] is None else match["code"]))
        return f"\ue000{len(kept) - 1}\ue001"

    text = _CODE_OR_LINK.sub(keep, re.sub("[\ue000\ue001]", "", markdown))
    text = literal(text)
    for pattern, plain in _MARKS:
        text = pattern.sub(plain, text)
    return re.sub("\ue000([0-9]+)\ue001", lambda match: kept[int(match[1])], text)


def groups(run: Iterable[AnySegment], write: Written, limit: int) -> Iterator[list[AnySegment]]:
    """`run` in groups whose written form is at most `limit` bytes. A long text is cut at a sentence or word, in its own
    markup, so that a tag is never cut; a link that is too long by itself becomes text.
    """
    group: list[AnySegment] = []
    used = 0
    for segment in run:
        for piece in _pieces(segment, write, limit):
            size = utf8_size(write(piece))
            if group and used + size > limit:
                yield group
                group, used = [], 0
            group.append(piece)
            used += size
    if group:
        yield group


def joined(group: Iterable[AnySegment], write: Written) -> str:
    """The text of a group."""
    return "".join(map(write, group)).strip()


def texts(run: Iterable[AnySegment], write: Written, limit: int) -> Iterator[str]:
    """The texts that say `run`; none if there is nothing to read in it."""
    for group in groups(run, write, limit):
        if text := joined(group, write):
            yield text


def _pieces(segment: AnySegment, write: Written, limit: int) -> Iterator[AnySegment]:
    if utf8_size(write(segment)) <= limit:
        yield segment
        return
    whole = segment if isinstance(segment, Text | Markdown) else Text(text=plain_text((segment,)))
    for part in split(whole.text, limit, lambda part: utf8_size(write(msgspec.structs.replace(whole, text=part)))):
        yield msgspec.structs.replace(whole, text=part)
