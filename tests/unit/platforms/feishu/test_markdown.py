"""No text becomes a mention, a tag or a link that the bot did not write, and a card is acceptable before it is sent."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.model import (
    AnySegment,
    Button,
    Card,
    File,
    Link,
    Location,
    Markdown,
    Mention,
    Other,
    Quote,
    Text,
)
from parley.platforms.feishu.content import segments as read_segments
from parley.platforms.feishu.markdown import card_markdown, literal, safe
from parley.platforms.feishu.mentions import Mentions
from parley.platforms.feishu.render import CARDS, CHAT, WEBHOOK, Rendered, Style, parts
from tests.linear import assert_linear

STYLES = {"chat": CHAT, "webhook": WEBHOOK, "cards": CARDS}
each_style = pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)


def rendered(*segments: AnySegment, style: Style = CHAT) -> list[Rendered]:
    return [part for part in parts(segments, style) if isinstance(part, Rendered)]


def markup(message: Rendered) -> str:
    """The strings of a message that Feishu interprets: of a text, of `md` elements and of cards' markdown."""
    content = message.content
    if message.kind == "text":
        return content["text"]
    if message.kind == "post":
        lines = content["zh_cn"]["content"]
        return "\n".join(element["text"] for line in lines for element in line if element["tag"] == "md")
    return "\n".join(part["content"] for part in content["body"]["elements"] if part["tag"] == "markdown")


def mentioned(message: Rendered) -> list[str]:
    """The ids of the mentions in a message, in every form."""
    found = re.findall(r"<\s*/?\s*at\b[^>]*id=\"?([^\s\">]*)", markup(message), re.IGNORECASE)
    if message.kind == "post":
        lines = message.content["zh_cn"]["content"]
        found += [element["user_id"] for line in lines for element in line if element["tag"] == "at"]
    return found


DANGEROUS = re.compile(r"<[\s/]*(?:at|a|audio|person|link|number_tag|local_datetime)\b", re.IGNORECASE)
LINK = re.compile(r"\[[^\[\]]*\]\([^()]*\)")


def written(*segments: AnySegment, style: Style) -> None:
    """Check that nothing dangerous is in the messages beside the mentions of `Mention` segments."""
    wanted = [segment.id for segment in segments if isinstance(segment, Mention)]
    for message in rendered(*segments, style=style):
        text = re.sub(r'<at (?:user_)?id="?ou_1"?>[^<>]*</at>', "", markup(message))
        assert not DANGEROUS.search(text), text[:200]
        assert set(mentioned(message)) <= set(wanted)


# --- splitting and joining --------------------------------------------------------------------------------------------

GAPS = [" " * 29_000, "\u3000" * 29_000, "\n" * 2_100, "\t" * 40_000, "\x1c" * 30_000, ""]
HALVES = [("<", 'at user_id="all"></at>'), ("<a", "t id=all></at>"), ("<", "a href=https://evil.example>x</a>")]


@each_style
@pytest.mark.parametrize("gap", GAPS, ids=range(len(GAPS)))
@pytest.mark.parametrize(("one", "other"), HALVES)
def test_the_halves_of_a_tag_never_come_together(style: Style, gap: str, one: str, other: str) -> None:
    for kind in (Text, Markdown):
        written(kind(text=f"{one}{gap}{other}"), style=style)
        written(kind(text=one), kind(text=f"{gap}{other}"), style=style)
        written(kind(text=f"{one}{gap}"), Text(text=other), Mention(id="ou_1"), style=style)
    written(Card(text=f"{one}{gap}{other}"), style=style)


@each_style
def test_the_words_at_a_cut_never_come_together(style: Style) -> None:
    for gap in ("\n" * 2_100, " " * 29_000, "\u3000" * 29_000):
        for kind in (Text, Markdown):
            found = "".join(json.dumps(message.content) for message in rendered(kind(text=f"hello{gap}world")))
            assert "hello" in found
            assert "world" in found
            assert "helloworld" not in found
        assert "helloworld" not in str(rendered(Card(text=f"hello{gap}world"), style=style))


@each_style
def test_two_segments_make_no_link_together(style: Style) -> None:
    for first in (Text(text="[x]"), Markdown(text="[x]"), Mention(id="ou_1", name="[x]")):
        for message in rendered(first, Text(text="(https://evil.example)"), style=style):
            assert not LINK.search(markup(message))


@each_style
def test_a_link_keeps_its_address_and_adds_nothing(style: Style) -> None:
    address = "https://example.com/<at id=all></at>)[x](https://evil.example)"
    for message in rendered(Markdown(text="see "), Link(url=address, title="a](https://evil.example"), style=style):
        assert not DANGEROUS.search(markup(message))
        assert [link for link in LINK.findall(markup(message)) if "evil.example)" in link] == []


def test_a_mention_whose_id_is_none_mentions_nobody_in_a_card() -> None:
    for id_ in ("ou_1 id=all", "x></at><at id=all", "a\u3000b", "all\n"):
        (message,) = rendered(Mention(id=id_, name="N"), Markdown(text=" x"), style=CARDS)
        assert "<at" not in markup(message)


MARKS = ("<", "</", ">", "at", "at ", 'user_id="all"', "id=all", "a ", "href=x", "person", "link", "&#60;", "&lt;", "&")
OTHERS = (
    "#60;",
    " ",
    "\n",
    "\u3000",
    "\x1c",
    "\0",
    "`",
    "```",
    "[",
    "]",
    "(",
    ")",
    "![",
    "](",
    "https://e.example",
    "**",
)
fragments = st.sampled_from((*MARKS, *OTHERS, "\\", "x"))
texts = st.lists(fragments, max_size=12).map("".join)
anything = st.one_of(
    st.builds(Text, text=texts),
    st.builds(Markdown, text=texts),
    st.just(Mention(id="ou_1", name="Li")),
    st.builds(Link, url=texts.map(lambda text: f"https://e.example/{text}"), title=texts, description=texts),
    st.builds(Card, title=texts, text=texts, image=texts, buttons=st.tuples(st.builds(Button, id=texts, label=texts))),
    st.builds(Quote, message_id=st.just(""), text=texts),
    st.builds(Other, name=texts, text=texts),
    st.builds(File, name=texts),
    st.builds(Location, latitude=st.just(1.0), longitude=st.just(2.0), name=texts),
)


@settings(max_examples=400)
@given(st.lists(anything, max_size=6), st.sampled_from([CHAT, WEBHOOK, CARDS]))
def test_no_text_becomes_a_tag_or_a_mention(found: list[AnySegment], style: Style) -> None:
    written(*found, style=style)


plain = st.one_of(
    st.builds(Text, text=texts),
    st.builds(Other, name=texts, text=texts),
    st.builds(Quote, message_id=st.just(""), text=texts),
)


@settings(max_examples=300)
@given(st.lists(plain, max_size=6), st.sampled_from([CHAT, WEBHOOK, CARDS]))
def test_plain_text_becomes_no_link(found: list[AnySegment], style: Style) -> None:
    for message in rendered(Markdown(text="**b**"), *found, style=style):
        assert not LINK.search(markup(message))
    for message in rendered(*found, style=style):
        assert not LINK.search(markup(message))


# --- what a card accepts ----------------------------------------------------------------------------------------------

TABLE = "| a | b |\n| --- | :-: |\n| 1 | 2 |\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("![a chart](https://example.com/c.png)", "[a chart](https://example.com/c.png)"),
        ("![](https://example.com/c.png)", "[https://example.com/c.png](https://example.com/c.png)"),
        ("![hover](img_v3_1)", "![hover](img_v3_1)"),
        ("[x](https://example.com)", "[x](https://example.com)"),
        ("[x](javascript:alert(1))", "[x&#93;(javascript:alert(1))"),
        ("[x](mailto:li@example.com)", "[x&#93;(mailto:li@example.com)"),
        ("[x](/relative)", "[x&#93;(/relative)"),
        ("[**a [b]**](ftp://example.com)", "[**a [b]**&#93;(ftp://example.com)"),
        ("`handlers[name](event)`", "`handlers[name](event)`"),
        ("```py\nhandlers[name](event)\n```", "```py\nhandlers[name](event)\n```"),
        ("a < b and c > d", "a < b and c > d"),
        ("<font color='red'>r</font>", "<font color='red'>r</font>"),
    ],
)
def test_a_card_gets_markdown_that_it_accepts(text: str, expected: str) -> None:
    assert card_markdown(text) == expected


def test_the_sixth_table_of_a_card_is_code() -> None:
    text = "\n\n".join(f"T{number}\n{TABLE}" for number in range(7))
    found = card_markdown(text)
    fenced = re.findall(r"```\n(.*?)```", found, re.DOTALL)
    assert fenced == [TABLE, TABLE]
    assert found.count("| 1 | 2 |") == 7
    assert card_markdown("\n".join([TABLE] * 5)) == "\n".join([TABLE] * 5)
    assert card_markdown(f"```\n{TABLE * 8}```") == f"```\n{TABLE * 8}```"


@each_style
def test_a_card_keeps_its_buttons_whatever_its_text(style: Style) -> None:
    text = "![c](https://example.com/c.png) [x](ftp://x)\n" + "\n".join([TABLE] * 6)
    card = Card(text=text, image="https://example.com/p.png", buttons=(Button(id="a", label="A"),))
    (message,) = rendered(card, style=style)
    tags = [element["tag"] for element in message.content["body"]["elements"]]
    assert tags == ["markdown", "column_set"]
    assert markup(message).startswith("[https://example.com/p.png](https://example.com/p.png)\n[c](https://")


def test_a_button_whose_address_is_not_http_becomes_text_and_the_others_stay() -> None:
    buttons = (Button(id="a", label="Mail", url="mailto:li@example.com"), Button(id="b", label=" "))
    (message,) = rendered(Card(text="x", buttons=buttons))
    assert markup(message) == "x"
    assert "Mail mailto:li@example.com" in json.dumps(message.content)
    assert json.dumps(message.content).count('"button"') == 1
    assert '"content": "b"' in json.dumps(message.content)


def test_a_text_that_looks_like_a_reference_is_shown_unchanged() -> None:
    assert literal("&#60;at&gt; AT&T (x)") == "&#38;#60;at&#38;gt; AT&T (x)"
    assert safe("1 <") == "1 &#60;"


# --- linear time ------------------------------------------------------------------------------------------------------

HOSTILE = [
    "<",
    "[",
    "![",
    "](",
    "![a](",
    "`",
    "```",
    "|",
    "|-\n",
    "\n|-|\n",
    "< ",
    "</",
    "@",
    "@_user_1",
    "*",
    "&#",
    "\\",
]
HOSTILE += ["<at ", '<at id="', "<at id=a>", "[x](https://e/", "{a", "{from_user}", "\U0001f1e8", "\u0301", "\n\n \n"]


def read_post(text: str) -> Any:
    mentions = Mentions.of([{"key": f"@_user_{number}", "id": f"ou_{number}"} for number in range(200)], "")
    return read_segments("post", {"content": [[{"tag": "md", "text": text}, {"tag": "text", "text": text}]]}, mentions)


READERS: dict[str, Callable[[str], Any]] = {
    "text in a chat": lambda text: rendered(Text(text=text)),
    "markdown in a chat": lambda text: rendered(Markdown(text=text)),
    "markdown in a card": lambda text: rendered(Markdown(text=text), style=CARDS),
    "card": lambda text: rendered(Card(text=text, buttons=(Button(id="a", label="A"),))),
    "received post": read_post,
    "received notice": lambda text: read_segments("system", {"template": text, "from_user": ["x"]}),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("piece", HOSTILE)
def test_the_time_grows_with_the_length_and_no_faster(name: str, piece: str) -> None:
    """Five times the length takes about five times as long; 25 times would be quadratic."""
    assert_linear(READERS[name], lambda size: piece * (size // len(piece)), small=30_000, large=150_000, least=0.02)
