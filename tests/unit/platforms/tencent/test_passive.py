"""Answers within the response: what is joined, what goes alone, what is left, and that nothing is lost on the way."""

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
from parley.platforms.tencent.passive import PassivePlan, plan
from parley.platforms.tencent.plain import LIMIT
from parley.platforms.wechat.render import VOICE as WECHAT
from parley.platforms.wecom.passive import VOICE as WECOM
from parley.text import utf8_size


def reply(*segments: AnySegment | str) -> Reply:
    return Reply(segments=tuple(Text(text=one) if isinstance(one, str) else one for one in segments))


def text(words: str) -> dict[str, str]:
    return {"MsgType": "text", "Content": words}


ARTICLE = Link(url="https://e.com", title="T", description="D", image="https://e.com/p.png")
NEWS = {
    "MsgType": "news",
    "ArticleCount": 1,
    "Articles": {"item": {"Title": "T", "Description": "D", "PicUrl": "https://e.com/p.png", "Url": "https://e.com"}},
}


@pytest.mark.parametrize("voice", [WECOM, WECHAT], ids=["wecom", "wechat"])
@pytest.mark.parametrize(
    ("replies", "wanted"),
    [
        ((), PassivePlan(None, 0)),
        ((reply("hello"),), PassivePlan(text("hello"), 1)),
        ((reply("one"), reply("two"), reply(Markdown(text="**three**"))), PassivePlan(text("one\ntwo\nthree"), 3)),
        ((reply(), reply("  "), reply("said")), PassivePlan(text("said"), 3)),
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
        ((Reply(op="edit", target="1", segments=(Text(text="x"),)), reply("two")), PassivePlan(None, 0)),
        ((reply("one"), Reply(op="recall", target="1"), reply("two")), PassivePlan(text("one"), 1)),
        (
            (reply("one"), msgspec.structs.replace(reply("two"), to=Destination(platform="p", app="a"))),
            PassivePlan(text("one"), 1),
        ),
        ((reply("x" * 2000), reply("y" * 100)), PassivePlan(text("x" * 2000), 1)),
        ((reply("x" * 2000), reply("y" * 47)), PassivePlan(text("x" * 2000 + "\n" + "y" * 47), 2)),
    ],
)
def test_what_one_response_says(replies, wanted: PassivePlan, voice) -> None:
    assert plan(replies, voice) == wanted


@pytest.mark.parametrize(
    "part", [Image(url="https://e.com/p.png"), File(key="F"), Card(title="T", buttons=(Button(id="a", label="A"),))]
)
def test_wecom_leaves_to_the_api_what_only_the_api_can_say(part: AnySegment) -> None:
    assert plan((reply(part),), WECOM) == PassivePlan(None, 0)
    assert plan((reply("see", part),), WECOM) == PassivePlan(text("see"), 0, reply(part))


def test_wechat_says_everything_since_it_may_have_no_other_way() -> None:
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
    found = plan((reply(*parts),), WECHAT)
    assert (found.sent, found.rest) == (1, None)
    assert found.body == text(
        '<a href="https://e.com/p.png">[p]</a>\n'
        "Sure?\nReally\n"
        '<a href="weixin://bizmsgmenu?msgmenucontent=是%20的&msgmenuid=%3D6%3Dyes%26no1">是 的</a>\n'
        '<a href="https://e.com">Site</a>\n'
        "[f.pdf]Shop"
    )


def test_wechat_hands_over_to_a_person_where_the_bot_says_so() -> None:
    agent = Other(name="transfer_customer_service", data={"KfAccount": "a@b"})
    assert plan((reply(agent),), WECHAT).body == {
        "MsgType": "transfer_customer_service",
        "TransInfo": {"KfAccount": "a@b"},
    }
    anybody = Other(name="transfer_customer_service")
    assert plan((reply(anybody),), WECHAT) == PassivePlan({"MsgType": "transfer_customer_service"}, 1)


def test_a_template_message_is_left_to_its_own_call() -> None:
    assert plan((reply(Other(name="template", data={"template_id": "T"})),), WECHAT) == PassivePlan(None, 0)


SEGMENTS = st.one_of(
    st.text(alphabet="你好 a.。\n", max_size=1500).map(lambda said: Text(text=said)),
    st.sampled_from([Image(key="M"), ARTICLE, Link(url="https://e.com", title="t"), Text(text="")]),
)
REPLIES = st.lists(st.lists(SEGMENTS, max_size=4).map(lambda one: reply(*one)), max_size=4).map(tuple)


def heard(replies: tuple[Reply, ...]) -> str:
    """All that `replies` say, without white space; what goes alone as its type."""
    kinds = {Image: "image", Link: "news"}
    parts = [
        kinds[type(one)] if one in (Image(key="M"), ARTICLE) else WECHAT.write(one)
        for each in replies
        for one in each.segments
    ]
    return "".join("".join(parts).split())


@settings(max_examples=150, deadline=None)
@given(REPLIES)
def test_one_response_after_the_other_says_everything_in_order(replies: tuple[Reply, ...]) -> None:
    """What one response leaves is what the next one begins with."""
    wanted = heard(replies)
    said: list[str] = []
    while replies:
        found = plan(replies, WECHAT)
        assert found.sent or found.rest is not None, "no progress"
        if found.body:
            assert utf8_size(found.body.get("Content", "")) <= LIMIT
            said.append(found.body.get("Content", found.body["MsgType"]))
        rest = () if found.rest is None else (found.rest,)
        replies = (*rest, *replies[found.sent + len(rest) :])
    assert "".join("".join(said).split()) == wanted
