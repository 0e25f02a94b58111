"""No text becomes a tag, a mention or a link that the bot did not write, on any way out of either platform."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.adapter import App, Sent, UndeliverableError
from parley.model import (
    AnySegment,
    Button,
    Card,
    Destination,
    Image,
    Link,
    Location,
    Markdown,
    Mention,
    Other,
    Outgoing,
    Quote,
    Reply,
    Text,
)
from parley.platforms import outbound
from parley.platforms.tencent.markup import finish, raw
from parley.platforms.tencent.passive import WECHAT, WECOM, plan
from parley.platforms.tencent.plain import LIMIT, Style, as_text, strip_markdown, texts
from parley.platforms.wecom.render import MARKDOWN_RULES, as_markdown
from parley.text import utf8_size
from tests.conformance.adapters import wechat, wecom
from tests.linear import assert_linear

HREF = '<a href="https://evil.example">pay</a>'
TAG = re.compile(r"<[\s/]*a\b", re.IGNORECASE)
PLACES = {
    "wecom": Destination(platform="wecom", app="demo", user_id="lin"),
    "chat": Destination(platform="wecom", app="demo", room_id="wr1"),
    "robot": Destination(platform="wecom", app="demo", webhook="alerts"),
    "wechat": Destination(platform="wechat", app="demo", user_id="oLin"),
}


def contents(place: str, *segments: AnySegment) -> list[str]:
    """The texts of the messages that are sent there."""
    to = PLACES[place]
    app: App = wechat.APP if to.platform == "wechat" else wecom.APP
    out = Outgoing(id="0" * 32, message_key="k", ordinal=0, to=to, reply=Reply(segments=segments), created=0)
    found: list[str] = []
    steps = outbound(to.platform).deliver(out, app, 0)
    try:
        call = next(steps)
        while True:
            found += _texts(call.json)
            call = steps.send(Sent("m"))
    except (StopIteration, UndeliverableError):
        return found


def _texts(body: Any) -> Iterator[str]:
    """Every text in a body that people read."""
    for name in ("text", "markdown"):
        if name in body:
            yield body[name]["content"]
    if "msgmenu" in body:
        yield body["msgmenu"]["head_content"]
        yield body["msgmenu"]["tail_content"]
        yield from (item["content"] for item in body["msgmenu"]["list"])


def passive(*segments: AnySegment) -> list[str]:
    """The texts of the passive replies of both platforms."""
    plans = (plan((Reply(segments=segments),), rules.format) for rules in (WECOM, WECHAT))
    return [found.body.get("Content", "") for found in plans if found.body]


SPACES = st.sampled_from(["", " ", "\n", "\t", "\u3000", "\u00a0", "\u2028", "\x1d", "\x00"])
GAP = st.tuples(SPACES, st.sampled_from([0, 1, 2, 700, 2100])).map(lambda pair: pair[0] * pair[1])
HALVES = [
    "<",
    "</",
    "< /",
    "a",
    "A href='https://e'",
    "a>",
    ">",
    HREF[:1],
    HREF[1:],
    HREF,
    "[",
    "x]",
    "](",
    "(https://e)",
]
HALVES += [
    "*",
    "**",
    "@",
    "@all>",
    "<@",
    "@lin>",
    "hello",
    "*a",
    "`",
    "```",
    "_",
    "https://e.com/a_b*c",
    "\u200b",
    "<font>",
]
HALF = st.sampled_from(HALVES)
TEXT = st.lists(st.one_of(HALF, GAP), max_size=8).map("".join)
SEGMENTS = st.lists(
    st.one_of(
        TEXT.map(lambda text: Text(text=text)),
        TEXT.map(lambda text: Quote(message_id="1", text=text)),
        TEXT.map(lambda text: Mention(id="u", name=text)),
        TEXT.map(lambda text: Image(name=text)),
        TEXT.map(lambda text: Location(latitude=1, longitude=2, name=text)),
        TEXT.map(lambda text: Other(name="vote", text=text)),
        TEXT.map(lambda text: Card(title=text, buttons=(Button(id="a", label="A"),))),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=80)
@given(SEGMENTS)
def test_texts_of_persons_become_no_tags(segments: list[AnySegment]) -> None:
    for place in PLACES:
        for content in contents(place, *segments):
            assert not TAG.search(content), (place, content)
    for content in passive(*segments):
        written = re.sub(r'<a href="weixin://bizmsgmenu[^"]*">A</a>', "", content)
        assert not TAG.search(written), content


@settings(max_examples=80)
@given(TEXT)
def test_markdown_with_the_text_of_a_person_mentions_nobody_and_opens_no_tag(text: str) -> None:
    for place in PLACES:
        for content in contents(place, Markdown(text=text)):
            assert not re.search(r"<\s*@", content), (place, content)
            if place == "wechat":
                tags = TAG.findall(content)
                links = re.findall(r'<a href="(?:https?|weixin)://[^"<>\s]+">[^<]*(?:<\u200b[^<]*)*</a>', content)
                assert len(tags) == 2 * len(links), content


@settings(max_examples=80)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_texts_beside_markdown_become_no_markup(parts: list[str]) -> None:
    """A text stays the same between any neighbours."""
    segments = (Markdown(text="bot "), *(Text(text=part) for part in parts))
    for place in ("wecom", "robot"):
        for content in contents(place, *segments):
            assert not re.search(r"\*\*|\]\(|<(?!\u200b)", content), (place, content)


@pytest.mark.parametrize("space", [" ", "\n", "\u3000", "\x1d", "\t"])
@pytest.mark.parametrize("count", [0, 1, 699, 700, 701, 2050, 29_000])
def test_the_halves_of_a_tag_stay_apart(space: str, count: int) -> None:
    text = f"<{space * count}{HREF[1:-4]}<{space * count}/a>"
    for segments in ((Text(text=text),), (Markdown(text=text),), (Text(text="<"), Text(text=text[1:]))):
        for place in PLACES:
            assert not [content for content in contents(place, *segments) if TAG.search(content)]
        assert not [content for content in passive(*segments) if TAG.search(content)]
    replies = (Reply.of("<"), Reply.of(HREF[1:]))
    for rules in (WECOM, WECHAT):
        body = plan(replies, rules.format).body
        assert body is not None
        assert not TAG.search(body["Content"])


@pytest.mark.parametrize("count", [1, 2100, 29_000])
def test_white_space_between_words_does_not_get_lost(count: int) -> None:
    for place in PLACES:
        for space in ("\n", " ", "\u3000"):
            joined = "\n".join(contents(place, Text(text=f"hello{space * count}world")))
            assert re.fullmatch(r"hello\s+world", joined)
    for content in passive(Text(text="hello" + "\n" * count + "world")):
        assert re.fullmatch(r"hello\s+world", content)


def test_the_bots_own_links_and_mentions_stay() -> None:
    link = Link(url="https://e.com/?a=1", title="<a> plan")
    assert contents("wechat", Text(text="<"), link, Text(text="a>")) == [
        '<<a href="https://e.com/?a=1"><\u200ba> plan</a>a>'
    ]
    assert contents("wecom", Markdown(text="**b** "), link) == ["**b** [<\u200ba> plan](https://e.com/?a=1)"]
    assert contents("robot", Markdown(text="hi "), Mention(id="lin"), Text(text="<@all>")) == ["hi <@lin><\u200b@all>"]


def test_an_escaped_text_is_not_changed_again() -> None:
    once = finish(raw(f"{HREF} <font> < / a"))
    assert finish(raw(once)) == once


@settings(max_examples=100)
@given(
    st.lists(st.one_of(TEXT.map(lambda text: Text(text=text)), TEXT.map(lambda text: Markdown(text=text)))),
    st.booleans(),
)
def test_every_message_is_within_the_limit(segments: list[AnySegment], as_tags: bool) -> None:
    style = Style(as_text) if as_tags else Style(as_markdown, MARKDOWN_RULES)
    for text in texts(segments, style):
        assert 0 < utf8_size(text) <= LIMIT


# --- quotes, addresses, native forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("answer", [Text(text="yes"), Markdown(text="yes")])
def test_a_quote_and_the_text_after_it_do_not_run_together(place: str, answer: AnySegment) -> None:
    quote = Quote(message_id="1", text="first\nsecond")
    assert contents(place, quote, answer) == ["> first\n> second\nyes"]
    assert contents(place, answer, quote) == ["yes\n> first\n> second"]


@pytest.mark.parametrize(
    "address",
    [
        "https://e.com/a_b_c",
        "https://e.com/*x*/_y_",
        "http://e.com/~~a~~?q=__init__&r=**x**#_f",
        "www.e.com/_a_",
        "https://e.com/`x",
    ],
)
def test_a_bare_address_in_markdown_keeps_its_characters(address: str) -> None:
    for around in ("{}", "see {} now", "**see {}**", "*{}*", "_{}_", "- {}\n", "({}).", "看{}，*好*"):
        shown = finish(strip_markdown(around.format(address)))
        assert address in shown, around
        assert not shown.startswith(("*", "_")), around


@pytest.mark.parametrize("name", ["transfer_customer_service", "template", "subscription", "miniprogram", "typing"])
@pytest.mark.parametrize("place", ["wecom", "chat", "robot"])
def test_a_form_of_another_platform_is_not_shown_by_its_name(place: str, name: str) -> None:
    form = Other(name=name, data={"template_id": "T"})
    assert contents(place, form) == []
    assert contents(place, Text(text="hi"), form, Markdown(text="!")) == ["hi!"]
    assert contents(place, msgspec.structs.replace(form, text="please call us")) == ["please call us"]


def test_the_transfer_to_an_agent_is_not_shown_in_active_mode() -> None:
    form = Other(name="transfer_customer_service")
    assert contents("wechat", Text(text="hi"), form) == ["hi"]
    out = Outgoing(id="0" * 32, message_key="k", ordinal=0, to=PLACES["wechat"], reply=Reply.of(form), created=0)
    steps = outbound("wechat").deliver(out, wechat.APP, 0)
    with pytest.raises(UndeliverableError, match="passive replies only"):
        next(steps)


# --- time -------------------------------------------------------------------------------------------------------------

HOSTILE = ["**a ", "*a ", "_a ", "__a ", "~~a ", "`a ", "```", "[a](", "[", "![", "](", "https://*", "www.", "# ", "- "]
HOSTILE += [
    "<",
    "</",
    "< ",
    "<\u3000",
    "*",
    "**a**",
    "_a_",
    "\n\n",
    "\n \n",
    " ",
    "a",
    "<a ",
    "*a\n",
    "`",
    "](x)",
    "\u200b",
]


def _markdown(text: str) -> object:
    return strip_markdown(text)


def _finished(text: str) -> object:
    return finish(raw(text)), finish(raw(text), MARKDOWN_RULES)


def _cut(text: str) -> object:
    return list(texts([Markdown(text=text[: len(text) // 4])], Style(as_text, limit=512)))


@pytest.mark.parametrize("function", [_markdown, _finished, _cut])
def test_the_time_is_linear_in_the_size_of_hostile_text(function: Callable[[str], object]) -> None:
    """The sizes are four apart: quadratic work takes 16 times as long, linear work 4 times."""
    for part in HOSTILE:
        assert_linear(function, partial(_repeated, part), small=16_000, large=64_000)


def _repeated(part: str, size: int) -> str:
    return part * (size // len(part))
