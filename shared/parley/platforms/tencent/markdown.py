"""Markdown without its marks, in one pass over the text.

Links and bare addresses are kept as they are, and code but for its addresses: code has no links. Marks count in pairs
within one line, as in CommonMark. The time is linear in the size of the text: each pattern matches a
bounded text or stops at the next character that starts a match.
"""

import re
from collections.abc import Callable

from parley.markdown import literal
from parley.platforms.tencent.markup import Piece, Pieces

_TOKEN = re.compile(
    r"(?P<heading>^\#{1,6}\ +)"
    r"|(?P<bullet>^\ *[-*+]\ +)"
    r"|(?P<fence>```)"
    r"|`(?P<code>[^`\n]+)`"
    r"|!?\[(?P<title>[^\[\]\n]{0,500})\]\((?P<url>[^()\s]{1,2000})\)"
    r"|(?P<address>(?:(?:https?|weixin)://|(?<![A-Za-z0-9.])www\.)[!\#-;=?-_a-~]+)"
    r"|(?P<mark>\*\*|__|~~|\*|_)",
    re.MULTILINE | re.VERBOSE,
)
_INFO = re.compile(r"[\w+#.-]{0,30}\n?")
"""The language of a code block."""
_AFTER_ADDRESS = "*_~.,;:!?'()[]{}"
"""Characters at the end of an address that belong to the text around it."""

Link = Callable[[str, str], Pieces]
"""Renders a link, given its address and its title."""


def strip_markdown(markdown: str, link: Link) -> Pieces:
    """`markdown` as readable text. `link` renders links; code has none."""
    return _Stripper(markdown, link).pieces()


class _Stripper:
    """Reads a text from its start to its end. `parts` are the pieces so far; a mark that has no partner stays."""

    def __init__(self, text: str, link: Link) -> None:
        self.text = text
        self.link = link
        self.parts: list[Piece] = []
        self.open: dict[str, list[int]] = {}
        """For each mark the places in `parts` where it may begin, in this line."""
        self.last_fence = text.rfind("```")

    def pieces(self) -> Pieces:
        place = 0
        while (token := _TOKEN.search(self.text, place)) is not None:
            self._add(self.text[place : token.start()])
            place = self._read(token)
        self._add(self.text[place:])
        return tuple(part for part in self.parts if part.text)

    def _add(self, text: str) -> None:
        if text:
            self.parts.append(Piece(text))
        if "\n" in text:
            self.open.clear()

    def _read(self, token: re.Match[str]) -> int:
        """Add what `token` stands for. Returns the place after it."""
        match token.lastgroup:
            case "bullet":
                self._add(f"{' ' * (len(token[0]) - len(token[0].lstrip()))}• ")
            case "fence":
                return self._fence(token)
            case "code":
                self._add(literal(token["code"]))
            case "url":
                self.parts += self.link(token["url"], token["title"])
            case "address":
                address = token[0].rstrip(_AFTER_ADDRESS)
                self._add(address)
                return token.start() + len(address)
            case "mark":
                return self._mark(token)
            case _:  # a heading
                pass
        return token.end()

    def _fence(self, token: re.Match[str]) -> int:
        if self.last_fence < token.end():  # no other fence: the search for one would read the whole text
            self._add(token[0])
            return token.end()
        info = _INFO.match(self.text, token.end())
        start = info.end() if info else token.end()
        end = self.text.index("```", start)
        self._add(literal(self.text[start:end]))
        self.open.clear()
        return end + 3

    def _mark(self, token: re.Match[str]) -> int:
        mark, before = token[0], self.text[max(0, token.start() - 1) : token.start()]
        after = self.text[token.end() : token.end() + 1]
        begins, ends = bool(after) and not after.isspace(), bool(before) and not before.isspace()
        if mark[0] == "_":
            begins, ends = begins and not _is_word(before), ends and not _is_word(after)
        if ends and self._close(mark):
            return token.end()
        if ends and mark != mark[0] and self._close(mark[0]):
            return token.start() + 1  # the first of two marks; the second one is the next token
        if begins:
            self.open.setdefault(mark, []).append(len(self.parts))
        self.parts.append(Piece(mark))
        return token.end()

    def _close(self, mark: str) -> bool:
        """Remove the mark that begins here, if there is one with content after it."""
        places = self.open.get(mark)
        if not places or places[-1] >= len(self.parts) - 1:
            return False
        self.parts[places.pop()] = Piece("")
        return True


def _is_word(character: str) -> bool:
    return character == "_" or character.isalnum()
