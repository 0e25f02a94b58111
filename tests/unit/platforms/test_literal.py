"""Literal text is shown as the letters that were written: nothing in it is markup, on every platform."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from parley.bot import Bot
from parley.model import AnySegment, Button, Card, CardField, Markdown, Mention, Reply, Text
from parley.platforms import NAMES
from parley.testing import PLATFORMS, Chat
from tests.conformance.kit import answered_by
from tests.conformance.test_golden import ADAPTERS, calls_of

WORDS = """**Approved by the boss**
# Paid
- done
+ done
* done
> a quote
  > another
| a | b |
|---|:-:|
[click](https://evil.example) <at id=all></at> <@!1> <@&2> <font color="info">x</font>
@everyone `code` ~~x~~ &#42; \\*
```
block
```
---
==="""
"""What a person may write to look like the bot."""
_LINES = [line.strip() for line in WORDS.splitlines()]
_BUTTONS = (Button(id="ok", label="OK"), Button(id="page", label="Page", url="https://example.com"))
_CARD = Card(title="Pay?", text=WORDS, literal=True)
_CARDS = {
    "alone": _CARD,
    "no title": replace(_CARD, title=""),
    "buttons": replace(_CARD, buttons=_BUTTONS),
    "mention": replace(_CARD, mentions=(Mention(id="1100000000000000001", name="Ann"),), buttons=_BUTTONS[:1]),
    "fields": replace(_CARD, fields=tuple(CardField(label="a", value="b") for _ in range(30)), buttons=_BUTTONS[:1]),
    "picture": replace(_CARD, image="https://example.com/p.png"),
    "long": replace(_CARD, text=f"{WORDS}\n" * 20, buttons=_BUTTONS[:1]),
}
_MARKS = {
    "discord": r"(?<!\\)[*_~`\[<]|^[ ]*[#>+-]",
    "feishu": r"[*_~`\[\]|]|<(?!/?at|/?font)|^[ ]*[#+=-]",
    "markdown": r"\*\*|\]\(|<[\w@/]|`|^[ ]*([#>]|[-+*=|:]([-+*=|: ]|$))",
    "text": r"<@|<\s*/?a[\s>]",
    "http": r"(?!)",  # a client reads no marks in a text, nor in a card with `literal`
}
"""By dialect: a mark that the platform would read as one."""


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """The texts in a request, each with its key. JSON in a text is decoded."""
    if isinstance(value, dict):
        yield from (leaf for name, each in value.items() for leaf in leaves(each, name))
    elif isinstance(value, list):
        yield from (leaf for each in value for leaf in leaves(each, key))
    elif isinstance(value, str):
        if value.startswith('{"'):
            yield from leaves(json.loads(value), key)
        else:
            yield key, value


def letters(platform: str, written: str) -> str:
    """What a person reads of a text without marks, in the platform's dialect."""
    if platform == "discord":
        return re.sub(r"\\([^\w\s])", r"\1", written)
    return html.unescape(written) if platform == "feishu" else written.replace("\u200b", "").replace("ˋ", "`")


def shown(platform: str, *segments: AnySegment, **fields: Any) -> str:
    """The person's words in what is sent, after a check that nothing in them is a mark."""
    reply = json.loads(msgspec.json.encode(Reply(segments=segments, **fields)))
    found = calls_of({"reply": reply, "to": answered_by(platform)}, ADAPTERS[platform])
    assert "polled" in found or "undeliverable" not in found
    requests = [found["polled"]] if "polled" in found else [call["json"] for call in found["calls"]]
    texts: list[str] = []
    for request in requests:
        for key, text in leaves(request):
            if not any(line in letters(platform, text) for line in _LINES):
                continue
            is_markdown = (platform == "wecom_bot" and key == "content") or request.get("msgtype") == "markdown"
            marks = _MARKS["markdown" if is_markdown else platform if platform in _MARKS else "text"]
            mark = re.search(marks, text.removeprefix("**Pay?**"), re.MULTILINE)
            assert not mark, (mark, text)
            texts.append(letters(platform, text))
    return "\n".join(texts)


@pytest.mark.parametrize("platform", NAMES)
@pytest.mark.parametrize("name", _CARDS)
def test_a_literal_card_shows_the_letters_that_were_written(platform: str, name: str) -> None:
    text = shown(platform, _CARDS[name])
    assert [line for line in _LINES if line not in text] == []


@pytest.mark.parametrize("platform", [platform for platform in NAMES if platform != "wechat"])
def test_an_edit_shows_the_letters_that_were_written(platform: str) -> None:
    """WeChat edits nothing."""
    target = {"feishu": "om_1", "http": "0" * 32}.get(platform, "1442001200000000004")
    text = shown(platform, _CARDS["buttons"], op="edit", target=target)
    assert [line for line in _LINES if line not in text] == []


@pytest.mark.parametrize("platform", NAMES)
def test_a_text_beside_markdown_shows_the_letters_that_were_written(platform: str) -> None:
    text = shown(platform, Text(text="Ann said:\n"), Text(text=WORDS), Markdown(text="\nThe end"))
    assert [line for line in _LINES if line not in text] == []


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("with_button", [False, True])
def test_the_marks_in_code_are_shown(platform: str, with_button: bool) -> None:
    """A person approves a call by what is shown of it, and reads a program as it is."""
    bot = Bot()
    lines = ("def f(*a, **b, **c):", "    return __d__ + ~~e~~", "# _g_")

    @bot.command()
    def code() -> Card:
        buttons = (Button(id="ok", label="OK"),) if with_button else ()
        return Card(text="\n".join(("**Sure?**", "```py", *lines, "```")), buttons=buttons)

    chat = Chat(bot, platform)
    chat.say("/code")
    shown = " ".join(line.strip().strip("`").strip() for line in chat.shown().splitlines())
    assert " ".join(line.strip() for line in lines) in shown
