"""Text and files of the message on which a context-menu command is used.

Discord docs: Message › Message Structure, Message Snapshot, Embed Structure; Poll; Sticker Item; Components. A forward
has its content in snapshots. A message of Components V2 has its text and files in components.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parley.model import AnyMedia, Mention, plain_text
from parley.platforms.discord.markdown import segments_of
from parley.platforms.discord.resolved import Resolved, media
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import integer, mapping, mappings, text

_TEXT_DISPLAY = 10
_MEDIA_COMPONENTS = (11, 13)
"""Thumbnail and file. A gallery has several media in `items`."""
_POLL_RESULT = "poll_result"
_PREVIEWS = ("link", "article", "image", "gifv", "video")
"""Types of embeds that Discord makes of an address in the text. They count only if there is no other text."""
_DEPTH = 5
"""Levels of components: Discord has three."""


@dataclass(frozen=True, slots=True)
class Target:
    """The content of a message."""

    text: str
    mentions: tuple[Mention, ...]
    files: tuple[AnyMedia, ...]


def target_of(message: Mapping[str, Any]) -> Target:
    """The content of `message`, and of the messages that it forwards."""
    forwarded = (mapping(snapshot.get("message")) for snapshot in mappings(message.get("message_snapshots")))
    messages = (message, *forwarded)
    known = Resolved.of({}, [user for each in messages for user in mappings(each.get("mentions"))])
    segments = [tuple(segments_of(each, known)) for each in _texts(messages)]
    files = [file for each in messages for file in _files(each)]
    return Target(
        "\n".join(filter(None, map(plain_text, segments))),
        tuple(one for each in segments for one in each if isinstance(one, Mention)),
        tuple({file.url: file for file in files}.values()),
    )


def _texts(messages: tuple[Mapping[str, Any], ...]) -> list[str]:
    """The texts of `messages` in the order in which Discord shows them, as markdown."""
    found = [part for message in messages for part in _texts_of(message)]
    previews = (embed for message in messages for embed in _embeds(message, previews=True))
    return found or [part for embed in previews for part in _embed(embed)]


def _texts_of(message: Mapping[str, Any]) -> Iterator[str]:
    candidates = (
        text(message.get("content")),
        *(text(component.get("content")) for component in _components(message) if _is(component, _TEXT_DISPLAY)),
        *(part for embed in _embeds(message, previews=False) for part in _embed(embed)),
        *_poll(mapping(message.get("poll"))),
        *(f"[{name}]" for sticker in _stickers(message) if (name := text(sticker.get("name")))),
    )
    yield from (candidate for candidate in candidates if candidate.strip())


def _stickers(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    return mappings(message.get("sticker_items")) or mappings(message.get("stickers"))


def _embeds(message: Mapping[str, Any], *, previews: bool) -> Iterator[Mapping[str, Any]]:
    for embed in mappings(message.get("embeds")):
        if (text(embed.get("type")) in _PREVIEWS) is previews:
            yield embed


def _embed(embed: Mapping[str, Any]) -> Iterator[str]:
    """The texts of an embed. The result of a poll is an embed whose fields have technical names."""
    fields = mappings(embed.get("fields"))
    if embed.get("type") == _POLL_RESULT:
        yield from (text(field.get("value")) for field in fields if text(field.get("name")).endswith("_text"))
        return
    yield text(mapping(embed.get("author")).get("name"))
    yield text(embed.get("title"))
    yield text(embed.get("description"))
    for field in fields:
        yield f"{text(field.get('name'))}: {text(field.get('value'))}".strip(": ")
    yield text(mapping(embed.get("footer")).get("text"))


def _poll(poll: Mapping[str, Any]) -> Iterator[str]:
    """The question and the answers of a poll."""
    yield text(mapping(poll.get("question")).get("text"))
    for answer in mappings(poll.get("answers")):
        if words := text(mapping(answer.get("poll_media")).get("text")):
            yield f"- {words}"


def _components(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All components, also those inside of containers, sections and rows, in the order of their texts."""
    yield from _below(mappings(message.get("components")), _DEPTH)


def _below(components: list[dict[str, Any]], depth: int) -> Iterator[Mapping[str, Any]]:
    for component in components if depth else ():
        yield component
        yield from _below(mappings(component.get("components")), depth - 1)
        yield from _below(mappings([component.get("accessory")]), depth - 1)


def _files(message: Mapping[str, Any]) -> Iterator[AnyMedia]:
    yield from (file for entry in mappings(message.get("attachments")) if (file := media(entry)))
    for component in _components(message):
        if integer(component.get("type")) in _MEDIA_COMPONENTS:
            yield from _component_file(mapping(component.get("media")) or mapping(component.get("file")), component)
        for item in mappings(component.get("items")):
            yield from _component_file(mapping(item.get("media")), item)


def _component_file(file: Mapping[str, Any], component: Mapping[str, Any]) -> Iterator[AnyMedia]:
    """The file of a component. Discord docs: Unfurled Media Item."""
    address = text(file.get("url"))
    if address.startswith(("https://", "http://")):
        name = text(component.get("name")) or address.partition("?")[0].rpartition("/")[2]
        about = {"id": snowflake(file.get("attachment_id")), "filename": name, "size": component.get("size")}
        found = media({**file, **about})
        if found:
            yield found


def _is(component: Mapping[str, Any], type_: int) -> bool:
    return integer(component.get("type")) == type_
