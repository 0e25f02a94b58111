"""Chat messages of every type as unified messages."""

import json
from typing import Any

import pytest
from msgspec import UNSET, UnsetType

from parley.adapter import Accepted, App, Request
from parley.model import Audio, File, Image, Link, Location, Markdown, Mention, Message, Other, Quote, Text, Video
from parley.platforms.feishu.inbound import receive
from tests.conformance.feishu import CONTENTS, PLAIN_APP, POST, TOKEN, chat, dump, make_app

NOW = 1_718_000_001.234
BOT = Mention(id="ou_bot01", name="Helper", bot=True)


def message(payload: dict[str, Any], app: App = PLAIN_APP) -> Message:
    outcome = receive(Request(body=dump(payload)), app, NOW)
    assert isinstance(outcome, Accepted), outcome
    (found,) = outcome.messages
    return found


def message_of(kind: str, content: Any, **more: Any) -> Message:
    return message(chat(NOW, kind, content, **more))


def mention(key: str, open_id: str, name: str, kind: str = "user") -> dict[str, Any]:
    return {"key": key, "id": {"open_id": open_id}, "mentioned_type": kind, "name": name}


def test_every_field_of_a_message_is_mapped() -> None:
    found = message(chat(NOW))
    assert (found.platform, found.app, found.kind) == ("feishu", "demo", "message")
    assert found.id == "om_1f0c2d3e4a5b6c7d8e9f0a1b2c3d4e5f"
    assert (found.sender.id, found.sender.kind) == ("ou_4d5e6f708192a3b4", "user")
    assert found.timestamp == 1_718_000_001
    assert found.context.room_id == "oc_84f1c2d0a9b35e6c7d8e9f0a1b2c3d4e"
    assert found.context.thread_id == "omt_d4be107c616a"
    assert found.context.tenant == "2ed263bf32cf1651"
    assert not found.context.private
    assert found.reply_to == "om_0aa2"
    assert found.content.text == "deploy status?"
    assert found.segments == (BOT, Text(text=" deploy status?"))
    assert found.mentions == (BOT,)
    assert found.raw["event"]["message"]["root_id"] == "om_0aa1"
    assert TOKEN not in json.dumps(found.raw)


def test_a_direct_chat_is_private_and_has_a_room() -> None:
    found = message(chat(NOW, chat_type="p2p"))
    assert found.context.private
    assert found.context.room_id


def test_a_sender_can_be_a_bot() -> None:
    payload = chat(NOW)
    payload["event"]["sender"]["sender_type"] = "bot"
    assert message(payload).sender.kind == "bot"


@pytest.mark.parametrize(
    ("ids", "known"),
    [
        ({"open_id": "", "union_id": "on_1", "user_id": "u1"}, "on_1"),
        ({"open_id": None, "user_id": "u1"}, "u1"),
        ({}, ""),
        ("ou_plain", "ou_plain"),
    ],
)
def test_a_sender_without_an_open_id_has_the_union_id_or_user_id(ids: Any, known: str) -> None:
    payload = chat(NOW)
    payload["event"]["sender"]["sender_id"] = ids
    assert message(payload).sender.id == known


def test_the_message_id_is_the_same_for_each_delivery() -> None:
    first, again = chat(NOW), chat(NOW)
    again["header"]["event_id"] = "another"
    assert message(first).id == message(again).id


def test_a_message_without_an_id_has_the_event_id() -> None:
    payload = chat(NOW)
    del payload["event"]["message"]["message_id"]
    assert message(payload).id == "event-im.message.receive_v1"


# --- mentions ---------------------------------------------------------------------------------------------------------


def test_placeholders_become_mentions_and_the_text_omits_the_bot() -> None:
    mentions = [mention("@_user_1", "ou_bot", "Helper", "bot"), mention("@_user_2", "ou_li", "Li")]
    found = message_of("text", {"text": "hi @_user_1 ask @_user_2 please"}, mentions=mentions)
    assert found.content.text == "hi ask @Li please"
    assert [part.id for part in found.mentions] == ["ou_bot", "ou_li"]


def test_the_longest_placeholder_matches() -> None:
    mentions = [mention("@_user_1", "ou_1", "One"), mention("@_user_10", "ou_10", "Ten")]
    assert (
        message_of("text", {"text": "@_user_10 @_user_1 @_user_12"}, mentions=mentions).content.text
        == "@Ten @One @One2"
    )


def test_a_mention_of_everyone_needs_no_entry() -> None:
    found = message_of("text", {"text": "@_all lunch"}, mentions=[])
    assert found.segments == (Mention(id="all"), Text(text=" lunch"))
    assert found.content.text == "@all lunch"


def test_a_placeholder_without_an_entry_is_plain_text() -> None:
    assert message_of("text", {"text": "@_user_7 hi"}, mentions=None).content.text == "@_user_7 hi"


def test_a_mention_of_the_bot_alone_leaves_an_empty_text() -> None:
    assert message_of("text", {"text": "@_user_1"}).content.text == ""
    assert message_of("text", {"text": "@_user_1 "}).content.text == ""


def test_with_bot_open_id_other_bots_stay_in_the_text() -> None:
    mentions = [mention("@_user_1", "ou_me", "Me", "bot"), mention("@_user_2", "ou_other", "Other", "bot")]
    payload = chat(NOW, content={"text": "@_user_1 and @_user_2 do"}, mentions=mentions)
    assert message(payload, make_app(bot_open_id="ou_me")).content.text == "and @Other do"
    assert message(payload).content.text == "and do"


def test_a_mention_without_an_id_has_its_placeholder_as_id() -> None:
    found = message_of(
        "text", {"text": "@_user_1"}, mentions=[{"key": "@_user_1", "id": {"open_id": ""}, "name": "Li"}]
    )
    assert found.mentions == (Mention(id="@_user_1", name="Li"),)


def test_a_command_in_the_text_stays_a_message() -> None:
    found = message_of("text", {"text": "@_user_1 /echo hi"})
    assert (found.kind, found.content.text, found.command) == ("message", "/echo hi", None)


# --- content ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "segment"),
    [
        ("image", Image(key="img_v3_01")),
        ("file", File(key="file_v3_01", name="plan.pdf")),
        ("audio", Audio(key="file_v3_02", seconds=2.3)),
        ("media", Video(key="file_v3_03", name="a.mp4", cover="img_v3_02", seconds=5.2)),
    ],
)
def test_media_are_segments_and_attachments(kind: str, segment: Any) -> None:
    found = message_of(kind, CONTENTS[kind])
    assert found.segments == (segment,)
    assert found.content.attachments == (segment,)


def test_an_unreadable_duration_is_none() -> None:
    for duration in (None, "long", [], "1" * 50):
        assert message_of("audio", {"file_key": "f", "duration": duration}).segments == (Audio(key="f"),)


def test_a_location_has_numeric_coordinates() -> None:
    assert message_of("location", CONTENTS["location"]).segments == (
        Location(latitude=39.908, longitude=116.397, name="HQ"),
    )
    assert message_of("location", {"latitude": "-0.5", "longitude": 7}).segments == (
        Location(latitude=-0.5, longitude=7),
    )


@pytest.mark.parametrize("degrees", [None, "", "north", "nan", "inf", "1e5", "1_0", "9" * 50])
def test_a_location_without_coordinates_becomes_other(degrees: Any) -> None:
    (found,) = message_of("location", {"latitude": degrees, "longitude": "1", "name": "HQ"}).segments
    assert isinstance(found, Other)


def test_each_element_of_a_post_becomes_a_segment() -> None:
    mentions = [mention("@_user_1", "ou_li", "Li")]
    found = message_of("post", POST, mentions=mentions)
    assert found.segments == (
        Text(text="T\na"),
        Link(url="https://example.com", title="x"),
        Mention(id="ou_li", name="Li"),
        Text(text="\n"),
        Image(key="img_v3_01"),
        Video(key="f", cover="i"),
        Text(text="\n"),
        Other(name="emotion", text="[SMILE]", data={"emoji_type": "SMILE"}),
        Markdown(text="\n---\n"),
        Text(text="\n"),
        Markdown(text="```go\nx := 1\n```"),
        Markdown(text="**b**"),
        Other(name="new"),
    )
    assert found.content.attachments == (Image(key="img_v3_01"), Video(key="f", cover="i"))
    assert found.content.text == "T\nax https://example.com@Li\n\n[SMILE]\n---\n\n```go\nx := 1\n```**b**"


@pytest.mark.parametrize(("who", "mentioned"), [("@_all", "all"), ("all", "all"), ("ou_9", "ou_9")])
def test_a_post_can_mention_everyone_and_people_without_an_entry(who: str, mentioned: str) -> None:
    found = message_of("post", {"content": [[{"tag": "at", "user_id": who, "user_name": "N"}]]}, mentions=[])
    assert [part.id for part in found.mentions] == [mentioned]


def test_a_post_can_be_wrapped_in_a_locale() -> None:
    found = message_of("post", {"zh_cn": {"title": "T", "content": [[{"tag": "text", "text": "a"}]]}})
    assert found.segments == (Text(text="T\na"),)


@pytest.mark.parametrize(
    ("kind", "segment"),
    [
        ("folder", Other(name="folder", text="plans", data=CONTENTS["folder"])),
        ("sticker", Other(name="sticker", data=CONTENTS["sticker"])),
        ("interactive", Other(name="interactive", text="Card\nrow\ngo")),
        ("share_chat", Other(name="share_chat", data={"chat_id": "oc_x"})),
        ("system", Other(name="system", text="a invited", data={"template": "{from_user} invited"})),
        ("vote", Other(name="vote", text="Lunch?\na\nb", data={"topic": "Lunch?"})),
        ("todo", Other(name="todo", text="Plan\nbuy milk", data={"task_id": "t1", "due_time": "1718000000000"})),
    ],
)
def test_a_type_without_a_reader_keeps_its_text_and_fields(kind: str, segment: Other) -> None:
    assert message_of(kind, CONTENTS[kind]).segments == (segment,)


def test_a_forward_quotes_what_is_in_it() -> None:
    found = message_of("merge_forward", CONTENTS["merge_forward"])
    named = Other(name="merge_forward", text="Merged and Forwarded Message", data=CONTENTS["merge_forward"])
    assert found.segments == (named, Quote(message_id=found.id))
    assert found.content.text == "Merged and Forwarded Message"


@pytest.mark.parametrize("content", ["", "no json", "[]", "null", '{"text":', None, 7, ["x"], "[" * 5000])
def test_unreadable_content_becomes_other(content: Any) -> None:
    payload = chat(NOW)
    payload["event"]["message"]["content"] = content
    found = message(payload)
    assert found.kind == "message"
    assert found.segments == (Other(name="text"),)


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    payload = chat(NOW, mentions=[])
    payload["event"]["message"]["content"] = r'{"text":"a\ud83d b\ude00 \ud83d\ude00"}'
    assert message(payload).content.text == "a\ufffd b\ufffd \U0001f600"
    broken = dump(chat(NOW, mentions=[], thread_id="HERE")).replace(b"HERE", rb"\udc00")
    outcome = receive(Request(body=broken), PLAIN_APP, NOW)
    assert isinstance(outcome, Accepted)
    assert outcome.messages[0].context.thread_id == "\ufffd"


@pytest.mark.parametrize(
    ("create_time", "seconds"),
    [("1718000001234", 1718000001), ("1718000001", 1718000001), (1718000001234, 1718000001), ("soon", 1718000001)],
)
def test_the_timestamp_is_in_seconds_and_falls_back_to_the_envelope(create_time: Any, seconds: int) -> None:
    assert message(chat(NOW, create_time=create_time)).timestamp == seconds


def test_nested_card_elements_give_their_text_in_order() -> None:
    content = {"title": "T", "elements": [[{"content": "a", "elements": [{"text": "b"}]}, {"text": "c"}], "x", None]}
    (found,) = message_of("interactive", content).segments
    assert found == Other(name="interactive", text="T\na\nb\nc")


NO_KIND = {"key": "@_user_1", "id": {"open_id": "ou_bot01"}, "name": "Helper"}
OTHER_BOT = mention("@_user_1", "ou_bot02", "Other", "bot")
PERSON = mention("@_user_1", "ou_ann", "Ann")


@pytest.mark.parametrize(
    ("mentions", "bot_open_id", "mentioned"),
    [
        ([mention("@_user_1", "ou_bot01", "Helper", "bot")], "", UNSET),
        ([mention("@_user_1", "ou_bot01", "Helper", "bot")], "ou_bot01", UNSET),
        ([PERSON], "", False),
        ([], "", False),
        ([OTHER_BOT], "", UNSET),
        ([OTHER_BOT], "ou_bot01", False),
        ([NO_KIND], "", UNSET),
        ([NO_KIND], "ou_bot01", UNSET),
        ([NO_KIND], "ou_bot03", False),
        ([mention("@_all", "all", "Everyone")], "", False),
    ],
)
def test_a_message_in_a_group_says_that_it_does_not_mention_the_bot(
    mentions: list[Any], bot_open_id: str, mentioned: bool | UnsetType
) -> None:
    app = make_app(bot_open_id=bot_open_id)
    content = {"text": "@_user_1 hello"}
    found = message(chat(NOW, "text", content, mentions=mentions, chat_type="group"), app)
    assert found.context.mentioned is mentioned
    direct = message(chat(NOW, "text", content, mentions=mentions, chat_type="p2p"), app)
    assert direct.context.mentioned is UNSET


def test_the_bot_is_a_bot_in_older_events_too() -> None:
    found = message(chat(NOW, "text", {"text": "@_user_1 hi"}, mentions=[NO_KIND]), make_app(bot_open_id="ou_bot01"))
    assert found.mentions == (BOT,)
    assert found.content.text == "hi"
