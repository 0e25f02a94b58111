"""Segments as Discord messages. Discord docs: Message › Create Message, Embed Limits, Allowed Mentions; Components.

A message shows its text, then its file, then its card and the buttons. Segments in that order share one message. A
segment that would be shown before an earlier one starts the next message.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from parley.adapter import UndeliverableError
from parley.markdown import Dialect, in_dialect
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
    Quote,
    Text,
    Video,
    mention_text,
    plain_text,
)
from parley.platforms.discord.components import Components
from parley.platforms.discord.content_limits import LIMITS, ROWS
from parley.platforms.discord.embeds import embeds
from parley.platforms.discord.filenames import filename
from parley.platforms.discord.markdown import address, escape, joined, without_controls
from parley.platforms.discord.snowflake import snowflake
from parley.platforms.discord.split import parts, shorten

__all__ = ["Part", "filename", "render"]

_TITLE, _DESCRIPTION = LIMITS.card_title.most, LIMITS.card_text.most
_DIALECT = Dialect(headings=3, tables="code", rules=False, pictures=False)
_MENTION = re.compile(r"(?<!\\)<@(\d{1,20})>")
_EVERYONE = "\0everyone"
"""Stands for the mention of everyone that the bot wrote, until other texts can no longer be taken for it."""
_OTHER_EVERYONE = re.compile(r"@(?=everyone|here)")


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

    everyone: bool = False
    """Whether a mention of everyone notifies. Then no other text of its message may contain one."""
    unshown: list[str] = field(default_factory=list[str])
    """Why buttons were left out."""
    text: str = ""
    people: set[str] = field(default_factory=set[str])
    """Of the current message: the persons whom its mentions name."""
    quoted: str = ""
    """Of the current message: the id of the message that it quotes."""
    media: AnyMedia | None = None
    embed: dict[str, Any] | None = None
    rows: tuple[dict[str, Any], ...] = ()
    rank: int = 0
    """Of the current message: 0 with text only, 1 with a file, 2 with a card."""
    done: list[Part] = field(default_factory=list[Part])

    def write(self, text: str) -> None:
        """Add markdown, without control characters."""
        self.text_of(without_controls(text))

    def text_of(self, text: str) -> None:
        """Add text that this module made."""
        self.begin(0)
        self.text = joined(self.text, text)

    def mention(self, mention: Mention) -> None:
        """Add a mention."""
        self.text_of(_mention(mention, notify_everyone=self.everyone))
        if snowflake(mention.id):
            self.people.add(mention.id)

    def quote(self, quote: Quote) -> None:
        """Add a quote: its words, and the reference that Discord shows above the message."""
        self.write("".join(f"> {escape(line)}\n" for line in quote.text.splitlines()))
        self.quoted = self.quoted or quote.message_id

    def begin(self, rank: int) -> None:
        """Prepare for content of `rank`: finish the current message if that content has no place in it."""
        if rank < self.rank or rank == self.rank > 0:
            self.flush()
        self.rank = rank

    def flush(self) -> None:
        """Finish the current message. If its text needs several parts, the last part has the file and the card."""
        everyone = _EVERYONE in self.text
        text = _OTHER_EVERYONE.sub("@\u200b", self.text) if everyone else self.text
        texts = list(parts(text.replace(_EVERYONE, "@everyone")))
        rich = self.media is not None or self.embed is not None or bool(self.rows)
        last = texts.pop() if texts else ""
        found = [Part(content=text) for text in texts]
        if last or rich:
            found.append(Part(content=last, media=self.media, embed=self.embed, rows=self.rows))
        for part in found:
            self.done.append(replace(part, people=frozenset(self.people), everyone=everyone, quoted=self.quoted))
            self.quoted = ""
        self.text, self.people, self.media, self.embed, self.rows, self.rank = "", set(), None, None, (), 0


def render(segments: tuple[AnySegment, ...], *, allow_everyone: bool = False) -> tuple[Part, ...]:
    """The messages that show `segments`; none if all are empty.

    A button that Discord would refuse is mended or left out. Raises UndeliverableError if nothing else is left.
    """
    draft = _Draft(everyone=allow_everyone)
    for segment in in_dialect(segments, _DIALECT):
        _add(draft, segment)
    draft.flush()
    if not draft.done and draft.unshown:
        raise UndeliverableError("; ".join(draft.unshown))
    return tuple(draft.done)


def _add(draft: _Draft, segment: AnySegment) -> None:
    match segment:
        case Markdown(text=text):
            draft.write(text)
        case Mention():
            draft.mention(segment)
        case Quote():
            draft.quote(segment)
        case Link():
            _add_link(draft, segment)
        case Card():
            _add_card(draft, segment)
        case Image() | File() | Audio() | Video() if segment.is_uploadable:
            draft.begin(1)
            draft.media = segment
        case _:
            draft.write(escape(segment.text if isinstance(segment, Text) else plain_text((segment,))))


def _mention(mention: Mention, *, notify_everyone: bool) -> str:
    if mention.id == "all":
        return _EVERYONE if notify_everyone else "@everyone"
    if snowflake(mention.id):
        return f"<@{mention.id}>"
    return escape(mention_text(mention))


def _add_link(draft: _Draft, link: Link) -> None:
    url, image = address(link.url), address(link.image)
    if not url:
        draft.write(escape(plain_text((link,))))
        return
    if not (link.description or image):
        title = escape(link.title).replace("]", "\\]")
        draft.write(f"[{title}]({_in_parentheses(url)})" if title.strip() else url)
        return
    draft.begin(2)
    draft.embed = {"title": shorten(escape(link.title or url), _TITLE), "url": url}
    if link.description:
        draft.embed["description"] = shorten(escape(link.description), _DESCRIPTION)
    if image:
        draft.embed["thumbnail"] = {"url": image}


def _add_card(draft: _Draft, card: Card) -> None:
    """Add embeds with rows of components. What exceeds one embed continues in further ones, each in its own message."""
    _add_mentions(draft, card)
    components = Components.of(card)
    draft.unshown += components.unshown
    picture, *others = _pictures(card) or [""]
    for image in others:
        _add_picture(draft, image)
    if isinstance(picture, Image):
        draft.begin(1)
        draft.media = picture
        picture = f"attachment://{filename(picture)}"
    for embed in embeds(card, components.links, picture):
        draft.begin(2)
        draft.embed = embed or None
    draft.rows = tuple(components.rows[:ROWS])
    for start in range(ROWS, len(components.rows), ROWS):
        draft.begin(2)
        draft.rows = tuple(components.rows[start : start + ROWS])


def _pictures(card: Card) -> list[Image | str]:
    """The pictures of a card: an address, or an image with bytes. The id of a file in another message shows nothing.

    The address of a received picture expires, so its bytes are sent.
    """
    shown = [image if image.source else _shown(image) for image in card.images]
    return [each for each in (address(card.image), *shown) if each]


def _shown(image: Image) -> Image | str:
    return address(image.url) or (image if image.data else "")


def _add_picture(draft: _Draft, picture: Image | str) -> None:
    draft.begin(1)
    draft.media = Image(url=picture) if isinstance(picture, str) else picture


def _add_mentions(draft: _Draft, card: Card) -> None:
    """Add the mentions of a card above its embed: Discord shows a mention in an embed, but notifies nobody."""
    for number, mention in enumerate(card.mentions):
        draft.begin(0)
        draft.text_of(" " if number else "\n" if draft.text else "")
        draft.mention(mention)


def _in_parentheses(url: str) -> str:
    return url.replace("(", "%28").replace(")", "%29")
