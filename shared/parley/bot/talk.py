"""What a conversation has said with a language model. It is a state of its own (`talk#`), which handlers do not see.

Kept are the texts of the person and the last answers to them; calls of tools and their results are not. It is trimmed
from the oldest exchange on. So it is small, and what a hostile text has made the model do is not read again.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from parley.bot.turn import Turn
from parley.model import Message, is_direct
from parley.models.model import Said, tokens_of, tokens_of_message

_LETTERS = r"\s*".join(rf"(?:{letter}|[^\x00-\x7f])" for letter in "quoted")
_END = re.compile(rf"<[\s/\\]+({_LETTERS})")
"""The end of a quote, as `_plain` has it. Inside of one it is none. A letter of another alphabet can look like each of
its letters."""
_LIKE = str.maketrans(
    dict.fromkeys("\u2039\u27e8\u2329\u3008\u300a\u02c2\u1438\u276e\u2770\u29fc", "<")
    | dict.fromkeys("\u2044\u2215\u2571\u29f8\u27cb\u3033\u30ce\u4e3f", "/")
)
"""Characters that look like those of a tag."""
_EMPTY = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CUT = "\n(cut: the whole text has {count} characters)"
_MISSING = "({count} quoted texts or files are left out: there is no room)"
LEAST = 40
"""Tokens that a text gets at least, if it is cut, with the note that says so."""
_KEY = "exchanges"
"""Of the exchanges in the state, the oldest first: `[{"by": ID, "asked": TEXT, "answered": TEXT}, ...]`."""


def earlier(turn: Turn) -> list[Said]:
    """The messages of earlier exchanges, the oldest first. Only the person who writes now gives orders: the texts of
    other persons are marked as quotes.
    """
    own = turn.message.sender.id
    found: list[Said] = []
    for each in _state(turn).get(_KEY, ()):
        asked, answered = _said(each)
        is_own = bool(own) and each.get("by") == own
        found += [asked if is_own else replace(asked, text=marked(asked.text)), answered]
    return found


def add(turn: Turn, exchange: Sequence[Said], answer: str, budget: int) -> None:
    """Keep an exchange, and drop the oldest ones beyond `budget` tokens."""
    state = _state(turn)
    asked = next((said.text for said in exchange if said.role == "user"), "")
    new: dict[str, Any] = {"by": turn.message.sender.id, "asked": cut(asked, budget), "answered": cut(answer, budget)}
    exchanges: list[Any] = [*state.get(_KEY, ()), new]
    while len(exchanges) > 1 and sum(tokens_of_message(said) for each in exchanges for said in _said(each)) > budget:
        del exchanges[0]
    state[_KEY] = exchanges


def fitting(before: Sequence[Said], exchange: Sequence[Said], budget: int) -> list[Said]:
    """The messages for the model: `exchange`, and the last ones `before` it that fit into `budget` tokens."""
    left = budget - sum(map(tokens_of_message, exchange))
    found: list[Said] = []
    for asked, answered in zip(before[-2::-2], before[::-2], strict=True):
        left -= tokens_of_message(asked) + tokens_of_message(answered)
        if left < 0:
            break
        found = [asked, answered, *found]
    return [*found, *exchange]


def asked(turn: Turn, text: str, quoted: Iterable[str], budget: int) -> str:
    """The text of a person for the model, in at most `budget` tokens. In a room it begins with who wrote it.

    What it quotes is marked as data, and gets the tokens that the text leaves. The model reads what is missing.
    """
    own = shortened(text if is_direct(turn.message) else _by(turn.message, text), budget)
    parts = [each for each in quoted if each.strip()]
    left = budget - tokens_of(own) - tokens_of(_MISSING) - len(parts) * tokens_of(marked("") + "\n")
    shown = shared(parts, left)
    missing = [_MISSING.format(count=len(parts) - len(shown))] if len(shown) < len(parts) else []
    return "\n".join([*map(marked, shown), *missing, own])


def with_heard(said: Said, turn: Turn, count: int, tokens: int) -> Said:
    """`said` below the last `count` messages of the room that were not for the bot, as a quote of at most `tokens`: the
    last ones.
    """
    texts = [_by(each, each.content.text) for each in turn.heard(count) if each.content.text.strip()]
    while texts and sum(map(tokens_of, texts)) > tokens:
        del texts[0]
    return replace(said, text="\n".join([marked("\n".join(texts)), said.text])) if texts else said


def marked(text: str) -> str:
    """`text`, marked as data. No text in it looks like the end of the mark, to people or to programs."""
    return f"<quoted>\n{_open(text)}\n</quoted>"


def _open(text: str) -> str:
    """`text` without the slash of each end mark."""
    plain, places = _plain(text)
    found: list[str] = []
    last = 0
    for end in _END.finditer(plain):
        found += [text[last : places[end.start()]], "<"]
        last = places[end.start(1)]
    return "".join([*found, text[last:]])


def _plain(text: str) -> tuple[str, list[int]]:
    """`text` as it looks: in small letters, compatible forms as plain ones, without characters that show nothing. Also
    the place in `text` of each of its characters. Empty if nothing in `text` looks like a tag.
    """
    if text.isascii() and "<" not in text:
        return "", []
    looks = list(map(_look, text))
    return "".join(looks), [place for place, look in enumerate(looks) for _ in look]


@lru_cache(1_000)
def _look(character: str) -> str:
    """How `character` looks; empty if it shows nothing."""
    plain = unicodedata.normalize("NFKD", character.translate(_LIKE)).translate(_LIKE).lower()
    return "".join(each for each in plain if each.isspace() or not _is_unseen(each))


def _is_unseen(character: str) -> bool:
    return character in _EMPTY or unicodedata.category(character) in ("Cf", "Cc", "Mn", "Me")


def note(what: str, done: Iterable[str] = ()) -> str:
    """What the next prompts have in place of an answer of the model: results that are `done`, as data, and `what` has
    become of it. The texts of the library are not in it: the model has not said them.
    """
    return "\n".join([*map(marked, done), f"({what})"])


def shared(texts: Sequence[str], tokens: int) -> list[str]:
    """`texts` in `tokens` together: each gets an equal share of what the ones before it leave. One for which there is
    no room is left out.
    """
    found: list[str] = []
    for number, text in enumerate(texts):
        share = min(tokens, max(LEAST, tokens // (len(texts) - number)))
        short = shortened(text, share)
        if tokens_of(short) <= share:
            found.append(short)
            tokens -= tokens_of(short)
    return found


def shortened(text: str, tokens: int) -> str:
    """`text` in at most `tokens`, without characters that show nothing. The model reads that it is cut."""
    plain = _CONTROLS.sub("", text)
    if tokens_of(plain) <= tokens:
        return plain
    end = _CUT.format(count=len(plain))
    return plain.encode("utf-8", "replace")[: max(0, 3 * tokens - len(end))].decode("utf-8", "ignore") + end


def _by(message: Message, text: str) -> str:
    """`text` with the name of its sender."""
    name = " ".join((message.sender.name or message.sender.id).split())[:60]
    return f"[{name}] {text}"


def cut(text: str, tokens: int) -> str:
    """`text`, at most as long as `tokens` (three bytes of UTF-8 each)."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= 3 * tokens else f"{data[: 3 * tokens].decode('utf-8', 'ignore')} …"


def _state(turn: Turn) -> dict[str, Any]:
    return turn.states["talk"].get()


def _said(exchange: Any) -> tuple[Said, Said]:
    return Said(role="user", text=exchange["asked"]), Said(role="assistant", text=exchange["answered"])
