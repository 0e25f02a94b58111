"""A card as embeds. Discord docs: Message › Embed Structure, Embed Limits."""

from collections.abc import Iterable, Iterator
from typing import Any

from parley.model import Card, CardField, field_line
from parley.platforms.discord.content_limits import LIMITS
from parley.platforms.discord.markdown import escape, without_controls
from parley.platforms.discord.split import parts, shorten
from parley.text import utf16_size

_TITLE, _DESCRIPTION = LIMITS.card_title.most, LIMITS.card_text.most
_FIELDS, _VALUE, _NAME = LIMITS.card_fields.most, LIMITS.field_value.most, 256
_TOTAL = 6000
"""Characters of all texts of an embed."""
_BLANK = "\u200b"
"""Stands for a missing label or value, which Discord refuses."""


def embeds(card: Card, links: Iterable[str], picture: str) -> Iterator[dict[str, Any]]:
    """The embeds of `card`, each for a message of its own; the first one may be empty. `links`: lines of markdown
    under its text. `picture`: its address; empty for none.
    """
    short = [field for field in card.fields if _fits(field)]
    long = [escape(field_line(field)) for field in card.fields if not _fits(field)]
    text = escape(card.text) if card.literal else without_controls(card.text)
    texts = list(parts("\n".join((text, *long, *links)), _DESCRIPTION)) or [""]
    title = {"title": shorten(escape(card.title), _TITLE)} if card.title.strip() else {}
    image = {"image": {"url": picture}} if picture else {}
    made: list[dict[str, Any]] = [{"description": text} if text else {} for text in texts]
    made[0] = {**title, **made[0], **image}
    *before, last = made
    yield from before
    yield from _with_fields(last, short)


def _with_fields(embed: dict[str, Any], fields: Iterable[CardField]) -> Iterator[dict[str, Any]]:
    """`embed` with `fields`, and further embeds with those for which it has no room."""
    used = utf16_size(embed.get("title", "")) + utf16_size(embed.get("description", ""))
    for field in fields:
        written = _written(field)
        size = utf16_size(written["name"]) + utf16_size(written["value"])
        listed = embed.get("fields", [])
        if len(listed) == _FIELDS or used + size > _TOTAL:
            yield embed
            embed, used, listed = {}, 0, []
        embed = {**embed, "fields": [*listed, written]}
        used += size
    yield embed


def _fits(field: CardField) -> bool:
    written = _written(field)
    return utf16_size(written["name"]) <= _NAME and utf16_size(written["value"]) <= _VALUE


def _written(field: CardField) -> dict[str, Any]:
    label, value = (escape(text).strip() or _BLANK for text in (field.label, field.value))
    return {"name": label, "value": value, "inline": field.short}
