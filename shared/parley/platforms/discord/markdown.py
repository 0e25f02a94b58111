"""Discord's markdown: escapes plain text for it, and converts its tokens for people, roles and channels to segments."""

import re
from collections.abc import Iterator

from parley.model import AnySegment, Text
from parley.platforms.discord.resolved import Resolved

_SPECIAL = re.compile(
    r"(?P<address>https?://[^\s<\[\\`|]*)"
    r"|(?P<mark>[\\*_~|`\[<])"
    r"|^(?P<line>[^\S\n]*)(?=[#>+-])"
    r"|^(?P<number>[^\S\n]*\d+)(?=[.)]\s)",
    re.MULTILINE,
)
_CONTROLS = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_AFTER_ADDRESS = ("<", "[", "\\", "`", "|")
_START = re.compile(r"https?://")
_TO_AN_ESCAPE = re.compile(r"[^\s<]*\\")
_ADDRESS = re.compile(r"https?://[^\s/?#@:<>\"\\]+(?::\d{1,5})?(?:[/?#][^\s<>\"\\^`{|}\x00-\x1f]*)?", re.IGNORECASE)
_ADDRESS_LENGTH = 2048
_TOKEN = re.compile(
    r"<@!?(?P<user>\d{1,20})>"
    r"|<@&(?P<role>\d{1,20})>"
    r"|<#(?P<channel>\d{1,20})>"
    r"|<(?P<command>/[^:<>\n]{1,100}):\d{1,20}>"
    r"|<a?(?P<emoji>:\w{1,32}:)\d{1,20}>"
)


def escape(text: str) -> str:
    """`text` with its markdown escaped, so that Discord shows it unchanged. Web addresses stay links.

    White space of any kind before a mark at the start of a line counts, because it may be stripped later. A backslash
    directly after an address would be a part of it and escape nothing, so a space separates them.
    """
    return _SPECIAL.sub(_escaped, without_controls(text))


def without_controls(text: str) -> str:
    """`text` without control characters, which show nothing and could separate what is escaped from what is shown."""
    return _CONTROLS.sub("", text)


def address(url: str) -> str:
    """`url` if Discord takes it for a web address, with spaces encoded; empty otherwise.

    Discord docs: Embed › URL. The id of a file in another message is no address.
    """
    encoded = url.strip().replace(" ", "%20")
    return encoded if _ADDRESS.fullmatch(encoded) and len(encoded) <= _ADDRESS_LENGTH else ""


def joined(before: str, after: str) -> str:
    """Two markdown texts, with a space between them if an address at the end of `before` would take in an escape."""
    last = before.rsplit(None, 1)[-1].rpartition("<")[2] if before and not before[-1].isspace() else ""
    glued = _START.search(last) and _TO_AN_ESCAPE.match(after)
    return f"{before} {after}" if glued else f"{before}{after}"


def _escaped(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "mark" | "line" | "number":
            return f"\\{found[0]}" if found.lastgroup == "mark" else f"{found[0]}\\"
        case _:
            return f"{found[0]} " if found.string[found.end() : found.end() + 1] in _AFTER_ADDRESS else found[0]


def segments_of(text: str, resolved: Resolved) -> Iterator[AnySegment]:
    """The markdown `text` of a person, with its mentions of people, roles and channels as separate segments."""
    start = 0
    for found in _TOKEN.finditer(text):
        if found.start() > start:
            yield Text(text=text[start : found.start()])
        yield _segment(found, resolved)
        start = found.end()
    if start < len(text):
        yield Text(text=text[start:])


def _segment(found: re.Match[str], resolved: Resolved) -> AnySegment:
    match found.lastgroup:
        case "user":
            return resolved.user(found["user"])
        case "role":
            return resolved.role(found["role"])
        case "channel":
            return resolved.channel(found["channel"])
        case _:
            return Text(text=found["command"] or found["emoji"])
