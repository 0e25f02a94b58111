"""Segments as Discord messages. Discord docs: Message › Create Message, Embed Limits, Allowed Mentions; Components.

A message shows its text, then its file, then its card and the buttons. Segments in that order share one message. A
segment that would be shown before an earlier one starts the next message.
"""

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from parley.adapter import UndeliverableError
from parley.model import (
    AnyMedia,
    AnySegment,
    Audio,
    Button,
    Card,
    File,
    Image,
    Link,
    Markdown,
    Mention,
    Quote,
    Text,
    Video,
    plain_text,
)
from parley.platforms.discord import custom_id
from parley.platforms.discord.markdown import escape
from parley.platforms.discord.snowflake import snowflake
from parley.platforms.discord.split import parts, shorten

_TITLE, _DESCRIPTION, _LABEL, _PER_ROW, _ROWS = 256, 4096, 80, 5, 5
_MENTION = re.compile(r"<@(\d{1,20})>")
_STYLES = {"default": 2, "primary": 1, "danger": 4}
_LINK_STYLE = 5
_EXTENSIONS: dict[type, str] = {Image: ".png", Audio: ".ogg", Video: ".mp4", File: ""}
"""For a file without a name and MIME type. By the extension, Discord shows it as an image, audio or video."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message."""

    content: str = ""
    media: AnyMedia | None = None
    embed: dict[str, Any] | None = None
    rows: tuple[dict[str, Any], ...] = ()
    people: frozenset[str] = frozenset()
    """Ids of the people who may be notified. Discord notifies those of them whom `content` mentions."""
    everyone: bool = False
    quoted: str = ""
    """The id of the message that this one is shown as a reply to."""

    def body(self, *, whole: bool = False) -> dict[str, Any]:
        """The JSON of the message. With `whole`, it includes empty fields, which clear those of an edited message."""
        notified = sorted(self.people.intersection(_MENTION.findall(self.content)))
        everyone = self.everyone and "@everyone" in self.content
        body: dict[str, Any] = {
            "content": self.content,
            "embeds": [self.embed] if self.embed else [],
            "components": list(self.rows),
            "attachments": [{"id": 0, "filename": filename(self.media)}] if self.media else [],
        }
        body = {name: value for name, value in body.items() if value or whole}
        return body | {"allowed_mentions": {"parse": ["everyone"] if everyone else [], "users": notified}}


@dataclass(slots=True)
class _Draft:
    """Collects segments into messages."""

    text: str = ""
    media: AnyMedia | None = None
    embed: dict[str, Any] | None = None
    rows: tuple[dict[str, Any], ...] = ()
    rank: int = 0
    """Of the current message: 0 with text only, 1 with a file, 2 with a card."""
    done: list[Part] = field(default_factory=list[Part])

    def write(self, text: str) -> None:
        """Add markdown."""
        self.begin(0)
        self.text += text

    def begin(self, rank: int) -> None:
        """Prepare for content of `rank`: finish the current message if that content has no place in it."""
        if rank < self.rank or rank == self.rank > 0:
            self.flush()
        self.rank = rank

    def flush(self) -> None:
        """Finish the current message. If its text needs several parts, the last part has the file and the card."""
        texts = list(parts(self.text))
        rich = self.media is not None or self.embed is not None or bool(self.rows)
        last = texts.pop() if texts else ""
        self.done += (Part(content=text) for text in texts)
        if last or rich:
            self.done.append(Part(content=last, media=self.media, embed=self.embed, rows=self.rows))
        self.text, self.media, self.embed, self.rows, self.rank = "", None, None, (), 0


def render(segments: tuple[AnySegment, ...], *, allow_everyone: bool = False) -> tuple[Part, ...]:
    """The messages that show `segments`; none if all are empty.

    Raises UndeliverableError for a button whose id and value exceed Discord's limit.
    """
    draft = _Draft()
    for segment in segments:
        _add(draft, segment)
    draft.flush()
    people = frozenset(s.id for s in segments if isinstance(s, Mention) and snowflake(s.id))
    everyone = allow_everyone and any(isinstance(s, Mention) and s.id == "all" for s in segments)
    quoted = next((s.message_id for s in segments if isinstance(s, Quote) and s.message_id), "")
    messages = [replace(part, people=people, everyone=everyone) for part in draft.done]
    return (replace(messages[0], quoted=quoted), *messages[1:]) if messages else ()


def _add(draft: _Draft, segment: AnySegment) -> None:
    match segment:
        case Markdown(text=text):
            draft.write(text)
        case Mention():
            draft.write(_mention(segment))
        case Quote(text=text):
            draft.write("".join(f"> {escape(line)}\n" for line in text.splitlines()))
        case Link():
            _add_link(draft, segment)
        case Card():
            _add_card(draft, segment)
        case Image() | File() | Audio() | Video() if segment.url or segment.data:
            draft.begin(1)
            draft.media = segment
        case _:
            draft.write(escape(segment.text if isinstance(segment, Text) else plain_text((segment,))))


def _mention(mention: Mention) -> str:
    if mention.id == "all":
        return "@everyone"
    if snowflake(mention.id):
        return f"<@{mention.id}>"
    return escape(f"@{mention.name or mention.id}")


def _add_link(draft: _Draft, link: Link) -> None:
    if not (link.description or _is_web_address(link.image)):
        title = escape(link.title).replace("]", "\\]")
        draft.write(f"[{title}]({_address(link.url)})" if title else link.url)
        return
    draft.begin(2)
    draft.embed = {"title": shorten(escape(link.title or link.url), _TITLE), "url": link.url}
    if link.description:
        draft.embed["description"] = shorten(escape(link.description), _DESCRIPTION)
    if _is_web_address(link.image):
        draft.embed["thumbnail"] = {"url": link.image}


def _add_card(draft: _Draft, card: Card) -> None:
    """Add an embed with rows of buttons. A long text continues in further embeds, each in its own message."""
    texts = list(parts(card.text, _DESCRIPTION)) or [""]
    rows = tuple(_rows(card.buttons))
    for number, text in enumerate(texts):
        draft.begin(2)
        embed: dict[str, Any] = {"title": shorten(escape(card.title), _TITLE)} if card.title and not number else {}
        if text:
            embed["description"] = text
        if not number and _is_web_address(card.image):
            embed["image"] = {"url": card.image}
        draft.embed = embed or None
    draft.rows = rows[:_ROWS]
    for start in range(_ROWS, len(rows), _ROWS):
        draft.begin(2)
        draft.rows = rows[start : start + _ROWS]


def _rows(buttons: tuple[Button, ...]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(buttons), _PER_ROW):
        yield {"type": 1, "components": [_button(button) for button in buttons[start : start + _PER_ROW]]}


def _button(button: Button) -> dict[str, Any]:
    label = shorten(button.label, _LABEL)
    if button.url:
        return {"type": 2, "style": _LINK_STYLE, "label": label, "url": button.url}
    try:
        id_ = custom_id.join(button.id, button.value)
    except ValueError as error:
        raise UndeliverableError(f"button {button.id[:40]!r}: {error}") from error
    return {"type": 2, "style": _STYLES[button.style], "label": label, "custom_id": id_}


def filename(media: AnyMedia) -> str:
    """The file's name, or one from which Discord recognises its type."""
    if media.name:
        return media.name
    kind = type(media)
    return f"{kind.__name__.lower()}{mimetypes.guess_extension(media.mime) or _EXTENSIONS[kind]}"


def _is_web_address(text: str) -> bool:
    """Whether Discord can fetch it for an embed. The id of a file in another message is not allowed there."""
    return text.startswith(("https://", "http://"))


def _address(url: str) -> str:
    return url.replace(" ", "%20").replace("(", "%28").replace(")", "%29")
