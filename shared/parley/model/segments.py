"""The segments of messages and replies, the same in both directions and on every platform.

A segment says what is meant, and not how a platform writes it. Each is a tagged struct: `{"type": "text", ...}` in
JSON. Media segments hold their bytes in one of three ways: `key` (the platform's own handle), `url`, or `data`. Those
of a received message name it as their `source`: their bytes can be fetched there.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from parley.model.instant import Choice, Form
from parley.text import one_line


class Segment(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all segments."""


class Text(Segment, frozen=True, kw_only=True, tag="text"):
    """Plain text. Nothing in it is markup."""

    text: str


class Markdown(Segment, frozen=True, kw_only=True, tag="markdown"):
    """Text in CommonMark with tables and strikethrough, without HTML and reference links (`docs/capabilities.md`)."""

    text: str


class Mention(Segment, frozen=True, kw_only=True, tag="mention"):
    """A mention of a person or bot. `id` is the platform's id; `"all"` mentions everyone.

    Where a platform has no mention, people read the `name`, and nothing without one.
    """

    id: str
    name: str = ""
    bot: bool = False


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The received message that media were part of, and the platform's own handle of the media in it."""

    platform: str
    app: str
    tenant: str = ""
    message_id: str = ""
    key: str = ""


class Media(Segment, frozen=True, kw_only=True):
    """Fields of all media. `data` is Base64, for small files that the bot makes."""

    key: str = ""
    url: str = ""
    data: str = ""
    name: str = ""
    mime: str = ""
    size: int | None = None
    """Bytes, if the platform sends it."""
    source: Source | msgspec.UnsetType = msgspec.UNSET
    """Of received media: where a reply with them gets their bytes. The engine sets it."""

    @property
    def is_uploadable(self) -> bool:
        """Whether there are bytes to upload."""
        return bool(self.data or self.url or self.source)

    @property
    def has_content(self) -> bool:
        """Whether there is something to show: a handle or bytes."""
        return bool(self.key or self.is_uploadable)


class Image(Media, frozen=True, kw_only=True, tag="image"):
    """A picture."""


class File(Media, frozen=True, kw_only=True, tag="file"):
    """Any file."""


class Audio(Media, frozen=True, kw_only=True, tag="audio"):
    """A voice message or sound. `text` is the platform's transcription, if there is one."""

    seconds: float | None = None
    text: str = ""


class Video(Media, frozen=True, kw_only=True, tag="video"):
    """A video. `cover` is the platform's handle of its preview picture."""

    seconds: float | None = None
    cover: str = ""


class Location(Segment, frozen=True, kw_only=True, tag="location"):
    """A location, in WGS-84 or GCJ-02 degrees as the platform sends it."""

    latitude: float
    longitude: float
    name: str = ""


class Link(Segment, frozen=True, kw_only=True, tag="link"):
    """A link with a title, if the platform can show one."""

    url: str
    title: str = ""
    description: str = ""
    image: str = ""
    """URL of a preview picture."""


class Quote(Segment, frozen=True, kw_only=True, tag="quote"):
    """An earlier message that is quoted."""

    message_id: str
    text: str = ""


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """A button of a card. A press opens `url` if there is one; otherwise it is an action with this `id`."""

    id: str
    label: str
    value: str = ""
    url: str = ""
    style: Literal["default", "primary", "danger"] = "default"


class CardField(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A label and its value in a card, both plain text. Two `short` ones share a line where the platform can."""

    label: str
    value: str = ""
    short: bool = True


class Select(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A menu of a card, from which a person chooses one value. A choice is an action with this `id`, and with the value
    of the choice in `Action.options`.
    """

    id: str
    label: str
    """It is shown while nothing is chosen."""
    choices: tuple[Choice, ...]
    value: str = ""
    """The `Action.value` of a choice."""


class Card(Segment, frozen=True, kw_only=True, tag="card", omit_defaults=True):
    """A titled block of markdown, with pictures above it, and fields, menus, a form and buttons under it."""

    title: str = ""
    text: str = ""
    """Markdown. With `literal`, plain text."""
    image: str = ""
    """The platform's handle of a picture above the text."""
    buttons: tuple[Button, ...] = ()
    mentions: tuple[Mention, ...] = ()
    """People and bots that the card mentions, in a line above its text."""
    images: tuple[Image, ...] = ()
    """More pictures above the text: by handle, address or data."""
    fields: tuple[CardField, ...] = ()
    selects: tuple[Select, ...] = ()
    form: Form | None = None
    """Inputs with a button. Its press is an action with the id of the form, and with the inputs in `Action.form`."""
    literal: bool = False
    """Whether nothing in `text` is markup, as in `Text`. Set it for words that a person has written."""

    @property
    def body(self) -> Text | Markdown:
        """The text of the card as a segment of its own."""
        return Text(text=self.text) if self.literal else Markdown(text=self.text)

    @property
    def is_pressable(self) -> bool:
        """Whether a person can do something with the card that is an action."""
        return bool(self.selects or self.form or any(not button.url for button in self.buttons))


class Other(Segment, frozen=True, kw_only=True, tag="other"):
    """Content without a segment of its own: a sticker, a vote, a shared contact. `name` is the platform's name."""

    name: str
    text: str = ""
    data: dict[str, str] = {}


AnyMedia = Image | File | Audio | Video
AnySegment = Text | Markdown | Mention | Image | File | Audio | Video | Location | Link | Quote | Card | Other


NATIVE_FORMS = frozenset({"miniprogram", "template", "subscription", "typing", "transfer_customer_service"})
"""Names of `Other` segments that stand for a message or call of one platform. Where that form does not exist, people
read their `text` only, and never their name."""


def plain_text(segments: tuple[AnySegment, ...]) -> str:
    """The text of `segments`, the last fallback of every rendering."""
    return "".join(_plain(segment) for segment in segments).strip()


def _plain(segment: AnySegment) -> str:
    match segment:
        case Text(text=text) | Markdown(text=text):
            return text
        case Mention():
            return mention_text(segment)
        case Image(name=name) | File(name=name) | Video(name=name):
            return f"[{name or type(segment).__name__.lower()}]"
        case Audio(text=text, name=name):
            return text or f"[{name or 'audio'}]"
        case Location(name=name, latitude=latitude, longitude=longitude):
            return f"{name} ({latitude}, {longitude})".strip()
        case Link(url=url, title=title, description=description):
            return f"{title} {url}".strip() + (f"\n{description}\n" if description else "")
        case Quote(text=text):
            return f"> {text}\n" if text else ""
        case Card():
            return _plain_card(segment)
        case Other(name=name, text=text):
            return text or ("" if name in NATIVE_FORMS else f"[{name}]")


def _plain_card(card: Card) -> str:
    pictures = (image.url for image in card.images)
    lines = (card.title, names_in(card), *pictures, card.text, *map(field_line, card.fields), *button_links(card))
    return "\n".join(filter(None, lines))


def mention_text(mention: Mention) -> str:
    """The words for a mention where none is possible: the name in one line. Empty without a name: people never read an
    id.
    """
    name = one_line(mention.name) or ("all" if mention.id == "all" else "")
    return f"@{name}" if name else ""


def names_in(card: Card) -> str:
    """The names in the mentions of a card, as a line of text."""
    return " ".join(filter(None, map(mention_text, card.mentions)))


def label_of(*labels: str) -> str:
    """The first of `labels` that is not blank, else an ellipsis: platforms refuse an empty label, or show nothing."""
    return next((label.strip() for label in labels if label.strip()), "…")


def field_line(field: CardField) -> str:
    """A field as a line of text."""
    return ": ".join(filter(None, (field.label.strip(), field.value.strip())))


def button_links(card: Card) -> tuple[str, ...]:
    """The buttons of a card as lines of text: the label and the address. A text has no place to press a button without
    an address, so it is left out.
    """
    return tuple(f"{button.label} {button.url}".strip() for button in card.buttons if button.url)


def media_of(segments: Iterable[AnySegment]) -> Iterator[AnyMedia]:
    """The media in `segments`, with the pictures of cards, in order."""
    for segment in segments:
        yield from segment.images if isinstance(segment, Card) else (segment,) if isinstance(segment, Media) else ()


def with_media(segments: Iterable[AnySegment], change: Callable[[AnyMedia], AnyMedia]) -> tuple[AnySegment, ...]:
    """`segments` with all of these changed by `change`, which gets them in the same order."""

    def changed(segment: AnySegment) -> AnySegment:
        if isinstance(segment, Card) and segment.images:
            return replace(segment, images=tuple(map(change, segment.images)))
        return change(segment) if isinstance(segment, Media) else segment

    return tuple(map(changed, segments))
