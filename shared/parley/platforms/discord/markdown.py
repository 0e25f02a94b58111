"""Discord's markdown: escapes plain text for it, and converts its tokens for people, roles and channels to segments."""

import re
from collections.abc import Iterator

from parley.model import AnySegment, Text
from parley.platforms.discord.resolved import Resolved

_SPECIAL = re.compile(
    r"(?P<address>https?://[^\s<>]+)"
    r"|(?P<mark>[\\*_~|`\[<])"
    r"|^(?P<line>[ \t]*)(?=[#>+-])"
    r"|^(?P<number>[ \t]*\d+)(?=\.\s)",
    re.MULTILINE,
)
_TOKEN = re.compile(
    r"<@!?(?P<user>\d{1,20})>"
    r"|<@&(?P<role>\d{1,20})>"
    r"|<#(?P<channel>\d{1,20})>"
    r"|<(?P<command>/[^:<>\n]{1,100}):\d{1,20}>"
    r"|<a?(?P<emoji>:\w{1,32}:)\d{1,20}>"
)


def escape(text: str) -> str:
    """`text` with its markdown escaped, so that Discord shows it unchanged. Web addresses stay links."""
    return _SPECIAL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "mark" | "line" | "number":
            return f"\\{found[0]}" if found.lastgroup == "mark" else f"{found[0]}\\"
        case _:
            return found[0]


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
