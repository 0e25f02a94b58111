"""Blocks of markdown that a platform lacks, in a form that it has: headings, tables, code blocks and rules.

markdown-it-py finds the blocks as CommonMark defines them, with tables. Only the lines of such a block at the top level
are written again; all other lines stay as they are, and each platform makes the whole text safe afterwards. Inline
marks are not parsed. The library is imported when a text may have such a block. See `docs/decisions/markdown.md`.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple
from unicodedata import east_asian_width

from msgspec.structs import replace

from parley.links import with_web_addresses
from parley.model import AnySegment, Card, Markdown

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


class Dialect(NamedTuple):
    """What the markdown of a platform has."""

    headings: int = 6
    """The deepest level. A deeper heading is bold."""
    tables: Literal["native", "code", "lines"] = "native"
    """A table as code with aligned columns, or as lines with bars between the cells."""
    code_blocks: bool = True
    """Without them, each line of a code block is code in a line: its marks stay. A line with a backtick, and each one
    where there is no code in a line, is text without links."""
    code: bool = True
    """Without it, also code in a line is shown as text, without links."""
    rules: bool = True
    """Without them, a rule is a line of dashes."""
    pictures: bool = True
    """Without them, a picture by its address is a link."""


_POSSIBLE = re.compile(
    r"^(?: {0,3}(?:#{1,6}[ \t]|`{3}|~{3}|={1,200}[ \t]*$|[-*_](?:[ \t]*[-*_]){0,200}[ \t]*$|.*\|)| {4}|\t)",
    re.MULTILINE,
)
"""The beginning of a line that may belong to such a block."""
_PICTURE = re.compile(r"(?P<code>```[\s\S]*?```|`[^`\n]*`)|!(?=\[[^\[\]\n]{0,500}\]\(\s{0,9}https?://)", re.IGNORECASE)
"""Code, or the mark that makes a picture of a link."""
_CODE_BLOCK = re.compile(r"```[\s\S]*?```")
_CODE = re.compile(r"```[\s\S]*?```|`[^`\n]*`")
_ADDRESS = re.compile(r"(?<=\w:)(?=//)|(?<=\])(?=\()|\bwww(?=\.)", re.IGNORECASE)
"""The place at which a text becomes an address or a link."""
_BREAK = "\u200b"
LONGEST = 20_000
"""Characters of a text that is parsed. A longer one stays as it is."""
_BARS = dict.fromkeys(map(ord, " \t|\\"))
_RULE = "──────────"
_MAX_LEVEL = 20
"""Lists and quotes within each other. Deeper ones are text."""


def in_dialect(segments: Iterable[AnySegment], dialect: Dialect) -> tuple[AnySegment, ...]:
    """`segments` with their markdown in `dialect`, also that of cards. Addresses that nobody can open are text."""
    return tuple(_segment(segment, dialect) for segment in with_web_addresses(segments))


def _segment(segment: AnySegment, dialect: Dialect) -> AnySegment:
    if not isinstance(segment, Markdown | Card) or (isinstance(segment, Card) and segment.literal):
        return segment
    text = segment.text
    if not (dialect.code and dialect.code_blocks):
        text = literal_code(text, _CODE_BLOCK if dialect.code else _CODE)
    if len(text) <= LONGEST and _POSSIBLE.search(text):
        text = rewritten(text, dialect)
    if not dialect.pictures:
        text = without_pictures(text)
    return segment if text is segment.text else replace(segment, text=text)


def without_pictures(text: str) -> str:
    """`text` with its pictures by address as links. Pictures by a handle of the platform stay."""
    return _PICTURE.sub(lambda found: found["code"] or "", text) if "![" in text else text


def literal_code(text: str, code: re.Pattern[str] = _CODE) -> str:
    """`text` for a place that shows its code as text: nothing in the code becomes a link there."""
    return code.sub(lambda found: literal(found[0]), text) if "`" in text else text


def literal(text: str) -> str:
    """`text` with a zero-width space in each address and in each link. A client makes no link of it."""
    return _ADDRESS.sub(lambda found: found[0] + _BREAK, text)


def rewritten(text: str, dialect: Dialect) -> str:
    """`text` with the blocks that `dialect` lacks in another form. The time is linear in the length of `text`."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    written: list[str] = []
    done = 0
    for start, end, new in _changes(lines, dialect):
        written += [*lines[done:start], *new]
        done = end
    return "\n".join([*written, *lines[done:]]) if done else text


def _changes(lines: list[str], dialect: Dialect) -> Iterator[tuple[int, int, list[str]]]:
    """The blocks to write again: the lines from which and to which each goes, and the new ones."""
    tokens = iter(_parser().parse("\n".join(lines)))
    for token in tokens:
        if token.level or token.map is None:
            continue
        first, last = token.map
        new = _block(token, tokens, lines[first:last], dialect)
        if new is not None:
            yield first, last, new


def _block(token: "Token", following: "Iterator[Token]", lines: list[str], dialect: Dialect) -> list[str] | None:
    """The new lines of the block in `lines`; None if it stays as it is. `following`: the tokens after its first one,
    which it may consume.
    """
    match token.type:
        case "heading_open":
            return _heading(token, next(following).content, dialect)
        case "hr":
            return None if dialect.rules else [_RULE]
        case "fence" | "code_block":
            return _code(token, dialect)
        case "table_open" if dialect.tables != "native":
            rows = list(_rows(following))
            if not _is_whole(rows, lines):
                return None
            return _aligned(rows) if dialect.tables == "code" else [" | ".join(filter(None, row)) for row in rows]
        case _:
            return None


def _heading(token: "Token", content: str, dialect: Dialect) -> list[str] | None:
    """A heading of a level that there is, with its marks in front; a deeper one in bold."""
    level, words = int(token.tag[1]), " ".join(content.split())
    if level > dialect.headings:
        return [words if "*" in words or not words else f"**{words}**"]
    return None if token.markup.startswith("#") else [f"{'#' * level} {words}"]


def _code(token: "Token", dialect: Dialect) -> list[str] | None:
    """A code block between backticks, which all platforms with code blocks know; or its lines. A language is no line of
    it; other words after the fence are.
    """
    content = token.content.rstrip("\n").split("\n")
    if not (dialect.code and dialect.code_blocks):
        content = [_code_line(line, dialect) for line in content]
    if not dialect.code_blocks:
        words = literal(token.info).split()
        return content if len(words) <= 1 and token.content.strip() else [" ".join(words), *filter(None, content)]
    if token.markup.startswith("`") or "```" in token.content:  # `literal_code` has read it
        return None
    return [f"```{token.info.strip()}", *content, "```"]


def _code_line(line: str, dialect: Dialect) -> str:
    return f"`{literal(line)}`" if dialect.code and line.strip() and "`" not in line else literal(line)


def _rows(tokens: "Iterator[Token]") -> Iterator[list[str]]:
    """The cells of the table whose tokens follow, row by row."""
    row: list[str] = []
    for token in tokens:
        match token.type:
            case "inline":
                row.append(token.content.strip())
            case "tr_close":
                yield row
                row = []
            case "table_close":
                return
            case _:
                pass


def _is_whole(rows: list[list[str]], lines: list[str]) -> bool:
    """Whether the cells hold all words of the table's lines: of a row that is longer than the head, they do not."""
    head, _, *rest = lines
    return "".join("".join(row) for row in rows).translate(_BARS) == "".join([head, *rest]).translate(_BARS)


def _aligned(rows: list[list[str]]) -> list[str]:
    """A table as a code block. A wide character takes two columns."""
    cells = [[cell.replace("```", "'''") for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    padded = ((cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)) for row in cells)
    head, *rest = ("  ".join(row).rstrip() for row in padded)
    return ["```", head, "  ".join("-" * width for width in widths), *rest, "```"]


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415  # most replies have no such block

    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_LEVEL}).enable("table").disable(["reference", "html_block"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser
