"""Plain text: markdown is stripped, a text never becomes a link, and a long text is cut without cutting a tag."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.model import AnySegment, Button, Card, Image, Link, Markdown, Text
from parley.platforms.tencent.markup import finish, raw
from parley.platforms.tencent.plain import LIMIT, Style, anchor, as_text, groups, strip_markdown, texts
from parley.text import utf8_size


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("**bold** and *soft*", "bold and soft"),
        ("__loud__ and _low_", "loud and low"),
        ("~~gone~~", "gone"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("## Title\ntext", "Title\ntext"),
        ("- a\n  * b\n+ c", "• a\n  • b\n• c"),
        ("`a*b*c`", "a*b*c"),
        ("```py\nx = '**'\n```", "x = '**'\n"),
        ("[t](https://e.com/a_b_c)", '<a href="https://e.com/a_b_c">t</a>'),
        ("**[t](https://e.com)**", '<a href="https://e.com">t</a>'),
        ("![alt](https://e.com/p.png)", '<a href="https://e.com/p.png">alt</a>'),
        ("[t](/relative)", "t /relative"),
        ("<a href='x'>", "<\u200ba href='x'>"),
        ("`<a>`", "<\u200ba>"),
        ("\ue0000\ue001", "\ue0000\ue001"),
        ("这是**重点**内容", "这是重点内容"),
    ],
)
def test_markdown_is_stripped_of_its_marks(markdown: str, plain: str) -> None:
    assert finish(strip_markdown(markdown)) == plain


@settings(max_examples=300)
@given(st.text(alphabet="*_`[]()~#- \nab<", max_size=200))
def test_nothing_but_marks_is_lost_of_any_markdown(markdown: str) -> None:
    shown = finish(strip_markdown(markdown)).replace("\u200b", "")
    assert [char for char in markdown if char in "ab<"] == [char for char in shown if char in "ab<"]


def test_only_a_web_address_becomes_a_link() -> None:
    assert finish(anchor("https://e.com/?a=1&b=2", "t\n t")) == '<a href="https://e.com/?a=1&b=2">t t</a>'
    assert finish(anchor("https://e.com", "")) == '<a href="https://e.com">https://e.com</a>'
    assert finish(anchor('https://e.com/"x', "t")) == 't https://e.com/"x'
    assert finish(anchor("javascript:alert(1)", "t")) == "t javascript:alert(1)"


@settings(max_examples=150)
@given(st.text(alphabet="<>/aAbB \u200b", max_size=60))
def test_no_text_opens_a_tag(text: str) -> None:
    assert not re.search(r"<(?=/?a\b)", finish(raw(text)), re.IGNORECASE)
    assert finish(raw(text)).replace("\u200b", "") == text.replace("\u200b", "")


def test_a_card_and_media_as_text() -> None:
    card = Card(
        title="T", text="**x**", buttons=(Button(id="a", label="A"), Button(id="b", label="B", url="https://e.com"))
    )
    assert finish(as_text(card)) == 'T\nx\n<a href="https://e.com">B</a>'
    assert finish(as_text(Image(url="https://e.com/p.png", name="p"))) == '<a href="https://e.com/p.png">[p]</a>'
    assert finish(as_text(Image())) == "[image]"


LINK = Link(url="https://example.com/path", title="a title with several words", description="")


@settings(max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.text(alphabet="你好 a.。\n🙂<", max_size=120).map(lambda text: Text(text=text)),
            st.text(alphabet="**_ ab。", max_size=120).map(lambda text: Markdown(text=text)),
            st.just(LINK),
        ),
        max_size=8,
    ),
    st.integers(120, 300),
)
def test_parts_are_within_the_limit_and_lose_only_white_space(segments: list[AnySegment], limit: int) -> None:
    style = Style(as_text, limit=limit)
    parts = list(texts(segments, style))
    assert all(0 < utf8_size(part) <= limit for part in parts)
    assert all(part.count("<a ") == part.count("</a>") for part in parts)
    content = "".join(style.text(group) for group in groups(segments, style))
    if not any(isinstance(one, Markdown) for one in segments):
        expected = style.text(segments)
        assert re.sub(r"\s", "", content) == re.sub(r"\s", "", expected)


def test_a_link_beyond_the_limit_becomes_text() -> None:
    first, *rest = texts([Link(url="https://e.com/" + "x" * 3000, title="t")], Style(as_text, limit=LIMIT))
    assert first.startswith("t https://e.com/")
    assert len(rest) == 1
