"""What one passive reply carries: joined texts or one other message. The rest is left and nothing is lost."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.model import (
    AnySegment,
    Audio,
    Button,
    Card,
    Destination,
    File,
    Image,
    Link,
    Markdown,
    Other,
    Reply,
    Text,
    Video,
)
from parley.platforms.tencent.passive import WECHAT, WECOM, PassiveFormat, PassivePlan, plan
from parley.platforms.tencent.plain import LIMIT
from parley.text import utf8_size


def reply(*segments: AnySegment | str) -> Reply:
    return Reply(segments=tuple(Text(text=one) if isinstance(one, str) else one for one in segments))


def text(content: str) -> dict[str, str]:
    return {"MsgType": "text", "Content": content}


ARTICLE = Link(url="https://e.com", title="T", description="D", image="https://e.com/p.png")
NEWS = {
    "MsgType": "news",
    "ArticleCount": 1,
    "Articles": {"item": {"Title": "T", "Description": "D", "PicUrl": "https://e.com/p.png", "Url": "https://e.com"}},
}


@pytest.mark.parametrize("format_", [WECOM.format, WECHAT.format], ids=["wecom", "wechat"])
@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ((), PassivePlan(None, 0)),
        ((reply("hello"),), PassivePlan(text("hello"), 1)),
        ((reply("one"), reply("two"), reply(Markdown(text="**three**"))), PassivePlan(text("one\ntwo\nthree"), 3)),
        ((reply(), reply("  "), reply("text")), PassivePlan(text("text"), 3)),
        ((reply(),), PassivePlan(None, 1)),
        ((reply(Image(key="M1")),), PassivePlan({"MsgType": "image", "Image": {"MediaId": "M1"}}, 1)),
        ((reply(Audio(key="M2")), reply("x")), PassivePlan({"MsgType": "voice", "Voice": {"MediaId": "M2"}}, 1)),
        (
            (reply(Video(key="M3", name="film")),),
            PassivePlan({"MsgType": "video", "Video": {"MediaId": "M3", "Title": "film", "Description": ""}}, 1),
        ),
        ((reply(ARTICLE, ARTICLE),), PassivePlan(NEWS, 0, reply(ARTICLE))),
        ((reply(" ", Image(key="M1")),), PassivePlan({"MsgType": "image", "Image": {"MediaId": "M1"}}, 1)),
        ((reply("see", Image(key="M1"), "above"),), PassivePlan(text("see"), 0, reply(Image(key="M1"), "above"))),
        ((reply("one"), reply(Image(key="M1"))), PassivePlan(text("one"), 1)),
        ((reply("one"), reply("two", Image(key="M1"))), PassivePlan(text("one\ntwo"), 1, reply(Image(key="M1")))),
        ((Reply(op="edit", target="1", segments=(Text(text="x"),)), reply("two")), PassivePlan(text("x\ntwo"), 2)),
        ((Reply(op="recall", target="1"), reply("two")), PassivePlan(None, 0)),
        ((reply("one"), Reply(op="recall", target="1"), reply("two")), PassivePlan(text("one"), 1)),
        (
            (reply("one"), msgspec.structs.replace(reply("two"), to=Destination(platform="p", app="a"))),
            PassivePlan(text("one"), 1),
        ),
        ((reply("x" * 2000), reply("y" * 100)), PassivePlan(text("x" * 2000), 1)),
        ((reply("x" * 2000), reply("y" * 47)), PassivePlan(text("x" * 2000 + "\n" + "y" * 47), 2)),
    ],
)
def test_the_plan_of_one_response(replies: tuple[Reply, ...], expected: PassivePlan, format_: PassiveFormat) -> None:
    assert plan(replies, format_) == expected


@pytest.mark.parametrize(
    "part", [Image(url="https://e.com/p.png"), File(key="F"), Card(title="T", buttons=(Button(id="a", label="A"),))]
)
def test_wecom_leaves_cards_files_and_media_without_an_id_to_the_api(part: AnySegment) -> None:
    assert plan((reply(part),), WECOM.format) == PassivePlan(None, 0)
    assert plan((reply("see", part),), WECOM.format) == PassivePlan(text("see"), 0, reply(part))


def test_wechat_shows_other_segments_as_text() -> None:
    card = Card(
        title="Sure?",
        text="**Really**",
        buttons=(Button(id="yes&no", label="是 的", value="1"), Button(id="u", label="Site", url="https://e.com")),
    )
    parts = (
        Image(url="https://e.com/p.png", name="p"),
        "\n",
        card,
        "\n",
        File(key="F", name="f.pdf"),
        Other(name="typing"),
        Other(name="miniprogram", data={"title": "Shop"}),
    )
    found = plan((reply(*parts),), WECHAT.format)
    assert (found.sent, found.rest) == (1, None)
    assert found.body == text(
        '<a href="https://e.com/p.png">[p]</a>\n'
        "Sure?\nReally\n"
        '<a href="weixin://bizmsgmenu?msgmenucontent=是%20的&msgmenuid=%3D6%3Dyes%26no1">是 的</a>\n'
        '<a href="https://e.com">Site</a>\n'
        "[f.pdf: cannot be sent here]Shop"
    )


def test_wechat_transfers_to_customer_service_if_the_bot_asks_for_it() -> None:
    agent = Other(name="transfer_customer_service", data={"KfAccount": "a@b"})
    assert plan((reply(agent),), WECHAT.format).body == {
        "MsgType": "transfer_customer_service",
        "TransInfo": {"KfAccount": "a@b"},
    }
    any_agent = Other(name="transfer_customer_service")
    assert plan((reply(any_agent),), WECHAT.format) == PassivePlan({"MsgType": "transfer_customer_service"}, 1)


def test_wechat_leaves_a_template_message_to_the_api() -> None:
    assert plan((reply(Other(name="template", data={"template_id": "T"})),), WECHAT.format) == PassivePlan(None, 0)


SEGMENTS = st.one_of(
    st.text(alphabet="你好 a.。\n", max_size=1500).map(lambda text: Text(text=text)),
    st.sampled_from([Image(key="M"), ARTICLE, Link(url="https://e.com", title="t"), Text(text="")]),
)
REPLIES = st.lists(st.lists(SEGMENTS, max_size=4).map(lambda one: reply(*one)), max_size=4).map(tuple)


def content_of(replies: tuple[Reply, ...]) -> str:
    """The texts of `replies` without white space, and the types of other messages."""
    kinds = {Image: "image", Link: "news"}
    parts = [
        kinds[type(one)] if one in (Image(key="M"), ARTICLE) else WECHAT.format.style.text((one,))
        for each in replies
        for one in each.segments
    ]
    return "".join("".join(parts).split())


@settings(max_examples=150)
@given(REPLIES)
def test_consecutive_responses_carry_all_replies_in_order(replies: tuple[Reply, ...]) -> None:
    """Each response starts with the rest that the previous one has left."""
    expected = content_of(replies)
    carried: list[str] = []
    while replies:
        found = plan(replies, WECHAT.format)
        assert found.sent or found.rest is not None, "no progress"
        if found.body:
            assert utf8_size(found.body.get("Content", "")) <= LIMIT
            carried.append(found.body.get("Content", found.body["MsgType"]))
        rest = () if found.rest is None else (found.rest,)
        replies = (*rest, *replies[found.sent + len(rest) :])
    assert "".join("".join(carried).split()) == expected


BUTTONS = tuple(Button(id=f"b{number}", label=f"B{number}") for number in range(60))
LARGE = Button(id="large", label="Large", value="v" * LIMIT)


@pytest.mark.parametrize(
    "card",
    [
        Card(title="T", text="word " * 1000, buttons=BUTTONS[:2]),
        Card(title="T", text="x", buttons=BUTTONS),
        Card(title="t" * 3000, text="word " * 1000, buttons=BUTTONS),
        Card(buttons=BUTTONS),
    ],
    ids=["long text", "many buttons", "long title", "buttons only"],
)
def test_a_card_of_several_responses_keeps_its_buttons(card: Card) -> None:
    contents: list[str] = []
    rest: Reply | None = reply("before", card, "after")
    while rest is not None:
        made = plan((rest,), WECHAT.format)
        assert made.body
        contents.append(made.body["Content"])
        rest = made.rest
    assert len(contents) > 1
    assert max(map(utf8_size, contents)) <= LIMIT
    shown = "\n".join(contents)
    assert shown.startswith("before")
    assert shown.endswith("after")
    assert [shown.count(f'msgmenuid={button.id}"') for button in card.buttons] == [1] * len(card.buttons)


def test_a_button_that_is_too_large_for_a_response_becomes_its_label() -> None:
    card = Card(title="T", text="x", buttons=(BUTTONS[0], LARGE, BUTTONS[1]))
    link = '<a href="weixin://bizmsgmenu?msgmenucontent=B{0}&msgmenuid=b{0}">B{0}</a>'
    assert plan((reply(card),), WECHAT.format).body == text(f"T\nx\n{link.format(0)}\nLarge\n{link.format(1)}")
