"""Feishu's markdown: what a text may contain, and what a card accepts (Feishu docs: Markdown component of a card).

No text of the bot or of a person becomes a mention, a tag that links, or a link that the bot did not write. A mark
stands for each mention while the text around it is made safe, so that only `Mention` segments become `<at>` tags.
"""

import re
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from parley.model import Card, Link, Markdown, Mention, Text, field_line
from parley.platforms.feishu.content_limits import LIMITS

Inline = Text | Markdown | Mention | Link
"""The segments that a text consists of. All others are converted to text first."""

_MARK = "\0"
"""The place of a mention. No text may contain it: it becomes U+FFFD."""
_MAX_TABLES = 5
"""Tables of a card. Feishu refuses a card with more (230099)."""
_MAX_FIELDS = LIMITS.card_fields.most
_MARKUP = re.compile(r"[*_~`\[\]<>|]|^\(|&(?=#?\w{1,10};)")
"""Characters of a text that are markup. An opening bracket would make the address of a link before it."""
_LINE_MARK = re.compile(r"^([^\S\n]*)(?:([#+=-])|(\d{0,9})([.)]))", re.MULTILINE)
"""The mark of a heading, list or rule at the start of a line. The number before it may be in another segment."""
_TAG = re.compile(rf"<(?=[\s/]*(?:a|person|link|number|local|{_MARK}|\Z))", re.IGNORECASE)
"""The beginning of a tag that mentions or links: `at`, `a`, `audio`, `person`, `link`, `number_tag`,
`local_datetime`. White space may be between: splitting and joining must not complete a tag. So a `<` at the end counts.
"""
_CODE = re.compile(r"(```[\s\S]*?```|`[^`\n]*`)")
_PICTURE = re.compile(r"!(?=\[[^\[\]]*\]\(\s*https?://)", re.IGNORECASE)
_UNTITLED = re.compile(r"\[\](?=\((https?://[^()\s]*)\))", re.IGNORECASE)
_NO_ADDRESS = re.compile(r"\](?=\((?!\s*(?:https?://|img_)))", re.IGNORECASE)
_TABLE_RULE = frozenset("|-: \t")
_IN_ADDRESS = {ord(character): f"%{ord(character):02X}" for character in '()<>"[]\\`|' + _MARK}


def joined(inlines: Iterable[Inline], tag: Callable[[Mention], str], final: Callable[[str], str]) -> str:
    """The markdown of `inlines`. `final` makes the text around the mentions safe, after it is joined."""
    parts: list[str] = []
    tags: list[str] = []
    for inline in inlines:
        if isinstance(inline, Mention):
            tags.append(tag(inline))
            parts.append(_MARK)
        else:
            parts.append(markdown_of(inline))
    first, *rest = final("".join(parts).strip()).split(_MARK)
    return first + "".join(f"{at}{text}" for at, text in zip(tags, rest, strict=True))


def markdown_of(inline: Text | Markdown | Link) -> str:
    """`inline` as markdown, not yet safe."""
    match inline:
        case Markdown(text=text):
            return text.replace(_MARK, "\ufffd")
        case Link(url=url, title=title, description=description):
            address = url.translate(_IN_ADDRESS)
            return f"[{literal(title or url)}]({address})" + (f"\n{literal(description)}" if description else "")
        case Text(text=text):
            return literal(text)


def literal(text: str) -> str:
    """`text` with its markup characters as character references, so that markdown shows it unchanged.

    The card docs define the references for the markdown of cards. That `md` in posts takes them too is unverified.
    """
    escaped = _MARKUP.sub(lambda match: _reference(match[0]), text.replace(_MARK, "\ufffd"))
    return _LINE_MARK.sub(_escaped_line, escaped)


def _escaped_line(start: re.Match[str]) -> str:
    return f"{start[1]}{start[3] or ''}{_reference(start[2] or start[4])}"


def _reference(character: str) -> str:
    return f"&#{ord(character)};"


def safe(markdown: str) -> str:
    """`markdown` without tags that mention or link. A reader sees them as text: markdown takes character references."""
    return _TAG.sub("&#60;", markdown)


def card_markdown(markdown: str) -> str:
    """`markdown` as a card accepts it, and safe.

    Feishu refuses the whole card (230099) for a picture by address, which becomes a link; for a link that is not
    http(s), which becomes text; and for more than five tables, of which the others become code.
    """
    pieces = _CODE.split(_few_tables(markdown))
    # The pieces at odd places are code. Nothing in it is a link or a picture.
    return safe("".join(piece if place % 2 else _few_links(piece) for place, piece in enumerate(pieces)))


def acceptable(card: Card) -> Card:
    """`card` with a picture by address as a link. Buttons whose address is not http(s), and fields beyond the limit,
    are text.
    """
    write = str if card.literal else literal
    buttons = tuple(button for button in card.buttons if not button.url or is_http(button.url))
    lines = [write(f"[{b.label}] {b.url}") for b in card.buttons if b.url and not is_http(b.url)]
    rest = [write(field_line(field)) for field in card.fields[_MAX_FIELDS:]]
    pictures = [address for address in (card.image, *(each.url for each in card.images if not each.key)) if address]
    links = [address if card.literal else markdown_of(Link(url=address)) for address in pictures if is_http(address)]
    text = "\n".join(filter(None, (*links, card.text, *rest, *lines)))
    image = "" if is_http(card.image) else card.image
    return replace(card, text=text, image=image, buttons=buttons, fields=card.fields[:_MAX_FIELDS])


def is_http(address: str) -> bool:
    """Whether it is an http or https address. Feishu accepts no other links."""
    return bool(re.match(r"https?://\S+\Z", address, re.IGNORECASE))


def _few_links(markdown: str) -> str:
    text = _UNTITLED.sub(r"[\1]", _PICTURE.sub("", markdown))
    return _NO_ADDRESS.sub("&#93;", text)


def _few_tables(markdown: str) -> str:
    """`markdown` with the tables after the fifth as code."""
    if markdown.count("|") <= _MAX_TABLES:
        return markdown
    lines = markdown.split("\n")
    shown: list[str] = []
    tables, fenced, extra = 0, False, False
    for number, line in enumerate(lines):
        if extra and "|" not in line:
            shown.append("```")
            extra = False
        fenced ^= line.lstrip().startswith("```")
        if not fenced and not extra and "|" in line and _is_rule(lines[number + 1 : number + 2]):
            tables += 1
            extra = tables > _MAX_TABLES
            shown += ["```"] if extra else []
        shown.append(line)
    return "\n".join([*shown, "```"] if extra else shown)


def _is_rule(following: list[str]) -> bool:
    """Whether the line after a table's header is `| --- | --- |`."""
    return bool(following) and "-" in following[0] and _TABLE_RULE.issuperset(following[0])
