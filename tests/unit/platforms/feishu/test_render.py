"""Rendering of long replies: no text is lost, and no message exceeds Feishu's limits."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.model import AnySegment, Button, Card, Image, Link, Markdown, Mention, Text
from parley.platforms.feishu.render import CARDS, CHAT, RICH_LIMIT, WEBHOOK, Rendered, Style, parts, wire_size

LIMITS = {"text": 150_000, "post": 30_000, "interactive": 30_000}


def messages(*segments: AnySegment, style: Style = CHAT) -> list[Rendered]:
    found = list(parts(segments, style))
    assert all(isinstance(part, Rendered) for part in found)
    return [part for part in found if isinstance(part, Rendered)]


def visible_text(rendered: Rendered) -> str:
    """All strings of a message that a reader sees."""
    return "".join(_strings(rendered.content))


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, child in value.items() if key not in ("tag", "schema") for text in _strings(child)]
    if isinstance(value, list):
        return [text for child in value for text in _strings(child)]
    return [value] if isinstance(value, str) else []


def fits(rendered: Rendered) -> bool:
    body = {
        "receive_id": "oc_" + "x" * 40,
        "msg_type": rendered.kind,
        "uuid": "u" * 50,
        "content": json_text(rendered.content),
    }
    return len(msgspec.json.encode(body)) <= LIMITS[rendered.kind]


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("character", ["x", "汉", "🚀", '"', "\\", "\x01"])
@pytest.mark.parametrize("segment", [Text, Markdown])
def test_a_long_text_is_split_without_loss(character: str, segment: Any) -> None:
    text = character * 120_000
    found = messages(segment(text=text))
    assert len(found) > 1 or character == "x"
    assert all(fits(one) for one in found)
    assert sum(visible_text(one).count(character) for one in found) == 120_000


def test_a_text_is_split_between_lines() -> None:
    line = "x" * 999
    found = messages(Text(text="\n".join([line] * 400)))
    assert len(found) == 3
    assert all(set(visible_text(one).split("\n")) == {line} for one in found)


def test_a_mention_is_never_split() -> None:
    people = tuple(Mention(id=f"ou_{number:030}", name="N" * 50) for number in range(3000))
    found = messages(*people)
    assert len(found) > 1
    assert all(fits(one) for one in found)
    assert [visible_text(one).count("<at ") for one in found] == [visible_text(one).count("</at>") for one in found]
    assert sum(visible_text(one).count("<at ") for one in found) == 3000


def test_a_long_post_is_split_between_links() -> None:
    link = Link(url="https://example.com/" + "x" * 100, title="t")
    found = messages(*[link] * 500)
    assert len(found) > 1
    assert all(fits(one) for one in found)
    assert sum(json_text(one.content).count('"href"') for one in found) == 500


def test_a_link_that_exceeds_a_post_becomes_text() -> None:
    found = messages(Link(url="https://example.com/" + "x" * 40_000, title="t"))
    assert all(fits(one) for one in found)
    assert "".join(map(visible_text, found)).count("x") >= 40_000
    assert not [one for one in found if '"href"' in json_text(one.content)]


def test_text_that_exceeds_a_card_precedes_it() -> None:
    button = Button(id="ok", label="OK")
    found = messages(Card(title="T", text="汉" * 20_000, buttons=(button,)))
    assert [one.kind for one in found][-1] == "interactive"
    assert {one.kind for one in found[:-1]} == {"post"}
    assert all(fits(one) for one in found)
    assert sum(visible_text(one).count("汉") for one in found) == 20_000
    assert "OK" in visible_text(found[-1])


def test_buttons_that_exceed_a_card_are_on_further_cards() -> None:
    found = messages(Card(title="T", buttons=tuple(Button(id=str(n), label=f"<{n}>") for n in range(120))))
    assert [one.kind for one in found] == ["interactive"] * 3
    assert all(fits(one) for one in found)
    labels = "".join(map(visible_text, found))
    assert all(f"<{n}>" in labels for n in range(120))


@pytest.mark.parametrize("field", ["label", "value"])
def test_buttons_that_exceed_the_size_of_a_card_are_in_further_cards(field: str) -> None:
    named: dict[str, Any] = {"label": "x", field: "汉" * 1000}
    buttons = tuple(Button(id=str(n), **named) for n in range(20))
    found = messages(Card(title="T", text="body", buttons=buttons))
    assert {one.kind for one in found} == {"interactive"}
    assert all(wire_size(one.content) <= RICH_LIMIT for one in found)
    assert sum(json.dumps(one.content, ensure_ascii=False).count("汉") for one in found) == 20_000
    assert ["header" in one.content for one in found] == [True] + [False] * (len(found) - 1)


def test_a_button_that_no_card_can_hold_is_left_out_and_its_address_stays() -> None:
    long = Button(id="u", label="B", url=f"https://e.com/{'x' * 25_000}")
    card, address = messages(Card(title="T", text="body", buttons=(Button(id="a", label="A", value="汉" * 9000), long)))
    assert (card.kind, visible_text(card)) == ("text", "T\nbody")
    assert (address.kind, visible_text(address)[:15]) == ("text", "B https://e.com")


def test_a_webhook_has_a_lower_limit() -> None:
    for segment in (Text(text="汉" * 20_000), Markdown(text="汉" * 20_000), Card(text="汉" * 20_000)):
        found = messages(segment, style=WEBHOOK)
        assert all(wire_size(one.content) <= 20_000 for one in found)
        assert sum(visible_text(one).count("汉") for one in found) == 20_000


def test_with_the_cards_style_every_message_is_a_card() -> None:
    found = messages(Text(text="a"), Markdown(text="**b**"), Mention(id="ou_1"), Card(title="c"), style=CARDS)
    assert [one.kind for one in found] == ["interactive", "interactive"]


def test_blank_segments_make_no_message() -> None:
    assert messages() == []
    assert messages(Text(text=" \n"), Markdown(text="")) == []
    assert len(list(parts((Text(text=" "), Image(key="img_1"), Text(text=""))))) == 1


segments = st.one_of(
    st.builds(Text, text=st.text()),
    st.builds(Markdown, text=st.text()),
    st.builds(Mention, id=st.text(), name=st.text()),
    st.builds(Link, url=st.text() | st.just("https://example.com/(x)"), title=st.text(), description=st.text()),
    st.builds(
        Card, title=st.text(), text=st.text(), buttons=st.tuples(st.builds(Button, id=st.text(), label=st.text()))
    ),
)


@settings(max_examples=200)
@given(st.lists(segments, max_size=6), st.sampled_from([CHAT, WEBHOOK, CARDS]))
def test_any_segments_fit_the_limits(segments: list[AnySegment], style: Style) -> None:
    for part in parts(segments, style):
        assert isinstance(part, Rendered)
        assert fits(part)
        assert json.loads(msgspec.json.encode(part.content)) == part.content


pieces = st.sampled_from(
    [
        '<at user_id="all">',
        "<at id=all>",
        "</at>",
        "<AT",
        "<",
        "at ",
        "&#60;at",
        "&lt;at",
        "\n",
        "[x](y)",
        "<b>",
        "\\",
        "x",
    ]
)


@settings(max_examples=200)
@given(st.lists(pieces, min_size=1).map("".join))
def test_an_at_tag_in_a_text_mentions_nobody(text: str) -> None:
    for segment in (Text(text=text), Markdown(text=f"**x** {text}"), Card(text=text)):
        for one in messages(segment):
            shown = json_text(one.content)
            if one.kind == "post" and '"tag":"md"' not in shown:
                assert '"tag":"at"' not in shown  # plain elements are shown as they are
            else:
                assert "<at" not in shown.lower()


@pytest.mark.parametrize("text", ['<at user_id="all"></at>', "a <b>b</b>", "[x](https://example.com)"])
def test_text_that_looks_like_markup_is_shown_unchanged(text: str) -> None:
    (found,) = messages(Text(text=text))
    assert found == Rendered("post", {"zh_cn": {"content": [[{"tag": "text", "text": text}]]}})
