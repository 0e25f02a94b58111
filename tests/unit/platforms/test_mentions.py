"""The id of a mention is never visible text: on a platform without mentions people read its name, or nothing."""

import html
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.adapter import App, Call, Sent, UndeliverableError, fallback
from parley.model import (
    AnySegment,
    Button,
    Card,
    Destination,
    Link,
    Markdown,
    Mention,
    Outgoing,
    Quote,
    Reply,
    Text,
    plain_text,
)
from parley.platforms import NAMES, outbound
from parley.platforms.tencent import passive
from parley.platforms.tencent.passive_rules import carried
from tests.conformance.kit import adapters, answered_by

ID = "x1100000000000000050x"
"""An id of no platform but Feishu and WeCom."""
IDS = {"discord": ("1100000000000000050", ID), "feishu": ("ou_1100000000000000050", ID, f'{ID}"> <at id={ID}')}
TAGS = {
    "discord": re.compile(r"<@\d{1,20}>"),
    "feishu": re.compile(r'<at user_id="[^"]*">|<at id=[\w.@+-]{1,128}>'),
    "wecom": re.compile(r"<@[\w]+>"),
}
"""What a client shows as a mention, where there are mentions."""
NO_TAG = re.compile(r"(?!)")
CONTROL = {"mentioned_list", "users", "touser", "user_id", "receive_id", "recipient_id", "userids"}
"""Fields that hold ids and are not shown."""


def mentions(platform: str) -> st.SearchStrategy[Mention]:
    ids = st.sampled_from(IDS.get(platform, (ID,)))
    return st.builds(Mention, id=ids, name=st.sampled_from(["", "Li", "<b>", "**"]))


def segments(platform: str) -> st.SearchStrategy[tuple[AnySegment, ...]]:
    mention = mentions(platform)
    words = st.sampled_from(["hi", "", "<", "**bold**", "long " * 900])
    buttons = st.lists(
        st.builds(Button, id=st.just("b"), label=st.just("OK"), url=st.sampled_from(["", "https://a.b"]))
    )
    card = st.builds(
        Card, title=words, text=words, buttons=buttons.map(tuple), mentions=st.lists(mention, max_size=3).map(tuple)
    )
    others = st.one_of(
        st.builds(Text, text=words),
        st.builds(Markdown, text=words),
        st.just(Link(url="https://a.b", title="log")),
        st.just(Quote(message_id="", text="said")),
    )
    return st.lists(st.one_of(mention, card, others), min_size=1, max_size=4).map(tuple)


def calls(out: Outgoing, app: App) -> Iterator[Call]:
    try:
        steps = outbound(app.platform).deliver(out, app, 1)
        call = next(steps)
        while True:
            yield call
            call = steps.send(Sent(id="1", data={"channel": "1", "key": "k"}))
    except (StopIteration, UndeliverableError):
        return


def shown(value: Any) -> Iterator[str]:
    """The texts of a body, decoded where Feishu nests JSON, without the fields that no client shows."""
    match value:
        case dict():
            # The HTTP channel passes mentions on as they are, and the client shows the name.
            hidden = CONTROL | ({"id"} if {"id", "name", "bot"} <= value.keys() else set())
            for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
                if name not in hidden:
                    yield from shown(inner)
        case list() | tuple():
            for inner in value:  # pyright: ignore[reportUnknownVariableType]
                yield from shown(inner)
        case str() if value.startswith("{"):
            yield from shown(msgspec.json.decode(value))
        case str():
            yield html.unescape(value)
        case _:
            pass


def assert_no_id(platform: str, body: Any) -> None:
    for text in shown(body):
        visible = TAGS.get(platform, NO_TAG).sub("", text)
        assert "110000000000000005" not in visible, text


DESTINATIONS = {
    "feishu": [{"room_id": "oc_1", "user_id": "ou_9"}, {"webhook": "alerts"}],
    "discord": [{"room_id": "1100000000000000030", "tenant": "1"}, {"user_id": "1100000000000000031"}],
    "wecom": [{"user_id": "lin"}, {"room_id": "chat"}, {"webhook": "alerts"}],
}
"""The places where a platform shows mentions in different ways."""
PLACES = [(name, place) for name in NAMES for place in DESTINATIONS.get(name, [answered_by(name)])]


@pytest.mark.parametrize(("platform", "place"), PLACES, ids=str)
@settings(max_examples=60)
@given(data=st.data())
def test_no_call_shows_the_id_of_a_mention(platform: str, place: dict[str, Any], data: st.DataObject) -> None:
    app = adapters()[platform].app
    to = Destination(platform=platform, app=app.name, **place)
    reply = Reply(segments=data.draw(segments(platform)))
    edit = data.draw(st.booleans()) and "webhook" not in place
    if edit:
        reply = msgspec.structs.replace(reply, op="edit", target="1100000000000000099")
    out = Outgoing(id="r1", message_key="", ordinal=0, to=to, reply=reply, created=0)
    for form in (out, fallback(out, "mention"), fallback(out, "form"), fallback(out, "buttons")):
        for call in calls(form, app) if form else ():
            assert_no_id(platform, call.upload.fields if call.upload else call.json)


@pytest.mark.parametrize("platform", ["wecom", "wechat"])
@settings(max_examples=100)
@given(data=st.data())
def test_no_passive_reply_shows_the_id_of_a_mention(platform: str, data: st.DataObject) -> None:
    rules = passive.WECOM if platform == "wecom" else passive.WECHAT
    found = data.draw(segments(platform))
    in_words = tuple(part for segment in found for part in carried(segment, rules.format))
    for parts in (found, in_words):
        assert_no_id("wechat", passive.plan((Reply(segments=parts),), rules.format).body)


@given(found=segments("feishu"))
def test_plain_text_has_no_id(found: tuple[AnySegment, ...]) -> None:
    assert "11000000" not in plain_text(found)


def test_a_mention_of_everyone_is_a_word_and_the_names_of_a_card_are_a_line() -> None:
    card = Card(title="T", text="x", mentions=(Mention(id="1", name="Li"), Mention(id="2"), Mention(id="all")))
    assert plain_text((card,)) == "T\n@Li @all\nx"


def test_a_card_whose_mentions_are_refused_keeps_the_names() -> None:
    out = Outgoing(
        id="r1",
        message_key="",
        ordinal=0,
        to=Destination(platform="feishu", app="demo", room_id="oc_1"),
        reply=Reply(segments=(Card(title="T", mentions=(Mention(id="ou_1", name="[Li]"),)),)),
        created=0,
    )
    without = fallback(out, "mention")
    assert without is not None
    (call,) = calls(without, adapters()["feishu"].app)
    (card,) = [text for text in shown(call.json) if "Li" in text]
    assert card == "@[Li]"
