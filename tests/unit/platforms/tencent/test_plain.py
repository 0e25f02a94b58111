"""Words: what a person sees, that nothing in a text becomes a link, and that nothing is cut where it must not be."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.model import AnySegment, Button, Card, Image, Link, Markdown, Text
from parley.platforms.tencent.plain import LIMIT, anchor, groups, joined, literal, texts, unmarked, written
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
        ("\ue0000\ue001", "0"),
        ("这是**重点**内容", "这是重点内容"),
    ],
)
def test_markdown_without_its_marks(markdown: str, plain: str) -> None:
    assert unmarked(markdown) == plain


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="*_`[]()~#- \nab\ue000\ue0017<", max_size=200))
def test_any_markdown_can_be_read(markdown: str) -> None:
    assert "\ue000" not in unmarked(markdown)


def test_only_a_web_address_becomes_a_link() -> None:
    assert anchor("https://e.com/?a=1&b=2", "t\n t") == '<a href="https://e.com/?a=1&b=2">t t</a>'
    assert anchor("https://e.com", "") == '<a href="https://e.com">https://e.com</a>'
    assert anchor('https://e.com/"x', "t") == 't https://e.com/"x'
    assert anchor("javascript:alert(1)", "t") == "t javascript:alert(1)"


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="<>/aAbB \u200b", max_size=60))
def test_no_text_opens_a_tag(said: str) -> None:
    assert not re.search(r"<(?=/?a\b)", literal(said), re.IGNORECASE)
    assert literal(said).replace("\u200b", "") == said.replace("\u200b", "")


def test_a_card_and_media_in_words() -> None:
    card = Card(
        title="T", text="**x**", buttons=(Button(id="a", label="A"), Button(id="b", label="B", url="https://e.com"))
    )
    assert written(card) == 'T\nx\n[A]\n<a href="https://e.com">B</a>'
    assert written(Image(url="https://e.com/p.png", name="p")) == '<a href="https://e.com/p.png">[p]</a>'
    assert written(Image()) == "[image]"


LINK = Link(url="https://example.com/path", title="a title of some words", description="")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(alphabet="你好 a.。\n🙂<", max_size=120).map(lambda said: Text(text=said)),
            st.text(alphabet="**_ ab。", max_size=120).map(lambda said: Markdown(text=said)),
            st.just(LINK),
        ),
        max_size=8,
    ),
    st.integers(120, 300),
)
def test_parts_are_within_the_limit_and_lose_nothing_but_white_space(run: list[AnySegment], limit: int) -> None:
    parts = list(texts(run, written, limit))
    assert all(0 < utf8_size(part) <= limit for part in parts)
    assert all(part.count("<a ") == part.count("</a>") for part in parts)
    everything = "".join(joined(group, written) for group in groups(run, written, limit))
    if not any(isinstance(one, Markdown) for one in run):
        wanted = "".join(written(one) for one in run)
        assert re.sub(r"\s", "", everything) == re.sub(r"\s", "", wanted)


def test_a_link_beyond_the_limit_becomes_text() -> None:
    (first, *rest) = texts([Link(url="https://e.com/" + "x" * 3000, title="t")], written, LIMIT)
    assert first.startswith("t https://e.com/")
    assert len(rest) == 1
