"""What a language model writes, made safe to show: it is data, like the text of a person.

A model that reads a hostile text can be made to write an address that holds what it has read. A picture is fetched, and
many apps fetch a preview of a link, without anybody's press. So pictures are never shown, and an address is text in
code, without its scheme, unless its host is allowed. Mentions are no markup: only a `Mention` segment mentions.
Characters that turn the direction of writing are removed: a text reads as it is written.
"""

import re
from collections.abc import Iterable

from parley.model import Markdown
from parley.text import without_direction

_FENCE = "```"
_CODE = re.compile(r"[\w+#.-]{0,30}\n[^`]*\n")
"""A block of code, between two fences: the language, and lines without backticks."""
_LINK = re.compile(r"!?\[((?:[^\[\]\\]|\\.){0,500})\]\(\s*<?([^\s<>()]{1,2000})>?[^()\n]{0,300}\)")
_MARK = r"[*_~`|\\\u00ad\u200b-\u200d\u2060\ufeff]"
"""Marks of markdown, and characters that show nothing: plain text is without them."""
_COLON, _SLASH = r"(?::|&(?:#0{0,5}58|#x0{0,5}3a|colon);)", r"(?:/|&(?:#0{0,5}47|#x0{0,5}2f|sol);)"
_DOT = r"(?:\.|&(?:#0{0,5}46|#x0{0,5}2e|period);)"
_ADDRESS = re.compile(
    rf"(`?)<?((?:([a-z](?:[a-z0-9+.-]|{_MARK}|&#\w{{1,8}};){{1,60}}){_COLON}{_MARK}*+(?:{_SLASH}{_MARK}*+){{1,3}}"
    rf"|(?<![a-z])w{_MARK}*+w{_MARK}*+w{_MARK}*+{_DOT}{_MARK}*+))"
    r"([^\s<>()`\"'|\]）】」，。；、]{0,2000})>?",
    re.IGNORECASE,
)
"""An address as plain text has it: a scheme with slashes, or `www.`, and what follows. Marks can be in them."""
_SCHEME = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}|(?:{_MARK}*[htpsf]){3,5}{_MARK}*".replace("{_MARK}", _MARK), re.IGNORECASE
)
_PART = re.compile(rf"(?:{_MARK}|\s)*+(?:{_COLON}|{_SLASH}|{_DOT})", re.IGNORECASE)
"""The beginning of a label that continues an address before it."""
_HOST = re.compile(r"https://([a-z0-9.-]+)(?::443)?(?:[/?#]|\Z)", re.IGNORECASE)


def spoken(text: str, links: Iterable[str] = ()) -> Markdown:
    """The text of a model to show. `links`: hosts that may be linked, by https, with their subdomains."""
    hosts = tuple(host.lower() for host in links)
    text = without_direction(text)
    parts = text.split(_FENCE)
    if not _are_blocks(parts):
        return Markdown(text=_safe(text, hosts))
    return Markdown(text=_FENCE.join(part if n % 2 else _safe(part, hosts) for n, part in enumerate(parts)))


def _are_blocks(parts: list[str]) -> bool:
    """Whether every second one of `parts` is a block of code for each parser of markdown: none can be misled."""
    if len(parts) % 2 == 0 or "~~~" in "".join(parts):
        return False
    before, blocks, after = parts[:-1:2], parts[1::2], parts[2::2]
    return (
        all(not part or part.endswith("\n") for part in before)
        and all(_CODE.fullmatch(part) for part in blocks)
        and all(not part.strip(" \t") or part.lstrip(" \t").startswith("\n") for part in after)
        and all("\n" in part for part in before[1:])
    )


def _safe(text: str, hosts: tuple[str, ...]) -> str:
    """`text` with links and addresses of other hosts as text."""

    def link(found: re.Match[str]) -> str:
        label, address = found[1], found[2]
        is_part = _PART.match(label) is not None
        if found[0].startswith("!") or is_part or not _is_allowed(address, hosts):
            return f"{label} ({address})" if label.strip() != address else address
        return found[0]

    def address(found: re.Match[str]) -> str:
        code, start, scheme, rest = found.groups()
        if _is_allowed(found[0].strip("`<>"), hosts):
            return found[0]
        code = "" if "`" in start else code
        if not scheme:
            return f"{code}`www.{rest}`" if rest else found[0]
        before = code if _SCHEME.fullmatch(scheme) else f"{code}{scheme}: "
        if rest:
            return f"{before}`{rest}`"
        follows = found.string[found.end() : found.end() + 1].strip()
        return f"{code}{scheme}: // " if follows else found[0]

    return _ADDRESS.sub(address, _LINK.sub(link, text))


def _is_allowed(address: str, hosts: tuple[str, ...]) -> bool:
    found = _HOST.match(address)
    host = found[1].lower() if found else ""
    return any(host == each or host.endswith(f".{each}") for each in hosts)
