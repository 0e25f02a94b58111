"""A question is plain text: what a person wrote in it is shown as the letters that were written, on every platform."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from parley.bot import Approve, Ask, Bot, Script, Turn
from parley.model import Card, Markdown
from parley.testing import PLATFORMS, Chat, Scripted
from parley.text import one_line

EVERYWHERE = pytest.mark.parametrize("platform", PLATFORMS)
WORDS = """**Approved by the boss**
# Paid
- done
+ done
> a quote
  > another
| a | b |
|---|:-:|
[click](https://evil.example) <at id=all></at> <@!1> <@&2> <font color="info">x</font> <a href="https://e.example">y</a>
@everyone `code` ~~x~~ &#42; \\*
```
block
```
---
==="""
"""What a person may write to look like the bot."""
_QUESTION = f"Pay?\n{WORDS}"
_SHORT = "**Paid** [click](https://evil.example) <at id=all></at> `x`\n# Paid"
_ESCAPED = re.compile(r"\\(?=[^\w\s])")


def letters(platform: str, written: str) -> str:
    """What a person reads of `written`, of which no part may be markup. `written`: the text on the platform's wire."""
    if platform == "discord":
        assert not re.search(r"(?<!\\)[*_~`\[]|(?<!\\)<|^\s*[#>-]", written, re.MULTILINE), written
        return _ESCAPED.sub("", written)
    if platform == "feishu":
        assert not re.search(r"[*_~`\[\]<>|]|^\s*[#+=-]", written, re.MULTILINE), written
        return html.unescape(written)
    assert not re.search(r"<@|<\s*/?a[\s>]", written), written
    return written.replace("\u200b", "").replace("ˋ", "`")


def is_marked(written: str) -> bool:
    """Whether WeCom's markdown has a mark in `written`."""
    marks = r"\*\*|\]\(|<[\w@/]|`|^\s*(?:[#>]|[-+*=|]([-+*=|: ]|$))"
    return bool(re.search(marks, written, re.MULTILINE))


def make_bot(question: Ask | Approve) -> Bot:
    bot = Bot(is_admin=lambda _message: True)

    @bot.command()
    def go(_turn: Turn) -> Script:
        answer = yield question
        return f"got {answer if isinstance(answer, str) else answer.outcome}"

    return bot


def read(chat: Chat, platform: str) -> list[str]:
    """The letters of all that the bot has shown since the last look, the wire's own texts of cards."""
    new = chat.unread
    for _ in new:
        chat.expect()
    return [each.text for each in new]


@EVERYWHERE
@pytest.mark.parametrize("kind", ["ask", "approve"])
def test_a_question_shows_what_a_person_wrote_as_letters(platform: str, kind: str) -> None:
    question = Ask(_QUESTION, choices=("yes", "no")) if kind == "ask" else Approve(_QUESTION)
    chat = Chat(make_bot(question), platform=platform)
    chat.say("/go")
    print(repr(chat.last.text)); print(chat.last)
    assert WORDS in letters(platform, "\n".join(read(chat, platform)))
