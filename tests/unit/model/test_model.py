"""The unified model: JSON in both directions, stable keys, and the plain text of every segment."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.model import (
    Action,
    Audio,
    Button,
    Card,
    Command,
    Content,
    Context,
    Conversation,
    Destination,
    File,
    Image,
    Link,
    Location,
    Markdown,
    Mention,
    Message,
    Other,
    Outgoing,
    Quote,
    Reply,
    Sender,
    Text,
    Video,
    digest,
    message_key,
    plain_text,
    reply_id,
)
from parley.model.codec import decode_message, decode_outgoing, encode

# Characters that UTF-8 can encode. Half a surrogate pair has no JSON form.
texts = st.text(st.characters(codec="utf-8"), max_size=20)
media = st.builds(
    dict, key=texts, url=texts, data=texts, name=texts, mime=texts, size=st.none() | st.integers(0, 2**40)
)
segments = st.lists(
    st.one_of(
        st.builds(Text, text=texts),
        st.builds(Markdown, text=texts),
        st.builds(Mention, id=texts, name=texts, bot=st.booleans()),
        media.map(lambda m: Image(**m)),
        media.map(lambda m: File(**m)),
        media.map(lambda m: Audio(**m, seconds=1.5, text="hm")),
        media.map(lambda m: Video(**m, cover="c")),
        st.builds(Location, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180), name=texts),
        st.builds(Link, url=texts, title=texts),
        st.builds(Quote, message_id=texts, text=texts),
        st.builds(Card, title=texts, buttons=st.lists(st.builds(Button, id=texts, label=texts), max_size=2).map(tuple)),
        st.builds(Other, name=texts, data=st.dictionaries(texts, texts, max_size=2)),
    ),
    max_size=4,
).map(tuple)
messages = st.builds(
    Message,
    id=texts,
    platform=texts,
    app=texts,
    kind=st.sampled_from(["message", "command", "action", "event"]),
    sender=st.builds(Sender, id=texts, name=texts),
    content=st.builds(Content, text=texts),
    timestamp=st.integers(0, 2**33),
    context=st.builds(Context, room_id=texts, thread_id=texts, tenant=texts, private=st.booleans()),
    segments=segments,
    command=st.none()
    | st.builds(Command, name=texts, options=st.dictionaries(texts, texts | st.booleans(), max_size=2)),
    action=st.none() | st.builds(Action, id=texts, value=texts),
    raw=st.none() | st.dictionaries(texts, texts, max_size=2),
)


def a_message(**changed: Any) -> Message:
    fields: dict[str, Any] = {
        "id": "m1",
        "platform": "feishu",
        "app": "demo",
        "kind": "message",
        "sender": Sender(id="ann"),
        "content": Content(text="hi"),
        "timestamp": 1_800_000_000,
        "context": Context(room_id="room", tenant="acme"),
    }
    return Message(**(fields | changed))


@given(messages)
def test_a_message_is_equal_after_encoding_and_decoding(message: Message):
    assert decode_message(encode(message)) == message


@given(segments)
def test_a_reply_is_equal_after_encoding_and_decoding(content: tuple[Any, ...]):
    out = Outgoing(
        id="r",
        message_key="k",
        ordinal=0,
        to=Destination(platform="feishu", app="demo", room_id="room"),
        reply=Reply(segments=content, to=Destination(platform="feishu", app="demo", webhook="ops")),
        created=1.5,
    )
    assert decode_outgoing(encode(out)) == out


def test_the_json_of_a_message_has_the_specified_shape():
    message = a_message(
        sender=Sender(id="user_123", name="Ann"),
        context=Context(room_id="group_456", thread_id="t_789"),
        timestamp=1672531200,
    )
    value = json.loads(encode(message))
    assert value["platform"] == "feishu"
    assert {key: value["sender"][key] for key in ("id", "name")} == {"id": "user_123", "name": "Ann"}
    assert value["content"] == {"text": "hi", "attachments": []}
    assert value["timestamp"] == 1672531200
    assert {key: value["context"][key] for key in ("room_id", "thread_id")} == {
        "room_id": "group_456",
        "thread_id": "t_789",
    }
    assert value["version"] == 1


@pytest.mark.parametrize("field", ["id", "platform", "app", "kind", "sender", "content", "timestamp", "context"])
def test_a_message_without_a_required_field_is_refused(field: str):
    value = json.loads(encode(a_message()))
    del value[field]
    with pytest.raises(msgspec.ValidationError, match=field):
        decode_message(json.dumps(value))


def test_a_push_to_a_webhook_is_ordered_by_the_webhook_alone():
    one = Destination(platform="feishu", app="demo", webhook="ops", room_id="room")
    assert one.key == Destination(platform="feishu", app="demo", webhook="ops").key
    assert one.key != Destination(platform="feishu", app="demo", room_id="room").key


def test_text_beyond_ascii_is_not_escaped():
    assert "早上好" in encode(a_message(content=Content(text="早上好"))).decode()


def test_fields_of_a_newer_version_are_ignored():
    value = json.loads(encode(a_message())) | {"mood": "fine"}
    assert decode_message(json.dumps(value)) == a_message()


def test_an_error_names_the_field_with_the_wrong_type():
    value = json.loads(encode(a_message()))
    value["context"]["room_id"] = 7
    with pytest.raises(msgspec.ValidationError, match=r"\$\.context\.room_id"):
        decode_message(json.dumps(value))


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4))
def test_different_parts_have_different_digests(one: list[str], other: list[str]):
    assert (digest(*one) == digest(*other)) == (one == other)


def test_a_redelivery_has_the_same_key_and_other_messages_have_other_keys():
    again = a_message(raw={"attempt": 2}, timestamp=1_800_000_060)
    others = [
        a_message(id="m2"),
        a_message(platform="wecom"),
        a_message(app="other"),
        a_message(context=Context(room_id="room", tenant="globex")),
    ]
    assert message_key(again) == message_key(a_message())
    assert len({message_key(message) for message in [*others, a_message()]}) == 5


def test_keys_do_not_change_between_versions():
    """Rows and messages exist longer than a deployment. With a new key, every message in flight would run again."""
    assert message_key(a_message()) == "b8d30ffc687060b756a88e1d513e14596506d95c42b0f9dd37695cbf69f46c7b"
    assert Conversation.of(a_message()).key == "b56a0da0c135a19a83247b7e9084647fb6b49c0af1e8cf2f2533c711f01e6353"
    assert reply_id("k", 0) == "0d6f4aa67687a756c09d2b820f0c129f"


def test_reply_ids_are_stable_distinct_and_short_enough_for_every_platform():
    key = message_key(a_message())
    ids = {reply_id(key, ordinal) for ordinal in range(20)}
    assert reply_id(key, 0) == reply_id(key, 0)
    assert len(ids) == 20
    assert all(len(id_) == 32 and int(id_, 16) >= 0 for id_ in ids)


def test_a_conversation_is_a_room_or_a_person_without_a_room():
    in_room = Conversation.of(a_message())
    assert Conversation.of(a_message(sender=Sender(id="bob"))).key == in_room.key
    assert Conversation.of(a_message(context=Context(room_id="room", tenant="acme", thread_id="t"))).key == in_room.key
    alone = Context(tenant="acme")
    assert (
        Conversation.of(a_message(context=alone)).key
        != Conversation.of(a_message(context=alone, sender=Sender(id="bob"))).key
    )


def test_a_reply_goes_to_the_conversation_of_its_message():
    to = Destination.answering(a_message(context=Context(room_id="room", tenant="acme", thread_id="t")))
    assert (to.room_id, to.thread_id, to.user_id, to.message_id) == ("room", "t", "ann", "m1")
    assert to.key == Conversation.of(a_message()).key


def test_the_reply_to_a_pressed_button_refers_to_its_card():
    pressed = a_message(id="event-1", kind="action", action=Action(id="yes", message_id="card-1"))
    assert Destination.answering(pressed).message_id == "card-1"


def test_an_event_has_no_message_to_quote():
    assert Destination.answering(a_message(kind="event", event="joined")).message_id == ""


def test_a_reply_is_made_from_each_type_that_handlers_return():
    whole = Reply(segments=(Text(text="x"),), quote=True)
    assert Reply.of("hi") == Reply(segments=(Text(text="hi"),))
    assert Reply.of(Markdown(text="*hi*")).segments == (Markdown(text="*hi*"),)
    assert Reply.of(whole) is whole


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        (Text(text="hi"), "hi"),
        (Markdown(text="**hi**"), "**hi**"),
        (Mention(id="u1", name="Ann"), "@Ann"),
        (Mention(id="u1"), ""),
        (Image(key="k"), "[image]"),
        (File(key="k", name="plan.pdf"), "[plan.pdf]"),
        (Video(key="k"), "[video]"),
        (Audio(key="k", text="as I said"), "as I said"),
        (Audio(key="k"), "[audio]"),
        (Location(latitude=1.5, longitude=2.5, name="HQ"), "HQ (1.5, 2.5)"),
        (Link(url="https://example.com", title="Docs"), "Docs https://example.com"),
        (Quote(message_id="m", text="earlier"), "> earlier"),
        (Quote(message_id="m"), ""),
        (Card(title="Tea?", text="Press.", buttons=(Button(id="y", label="Yes"),)), "Tea?\nPress."),
        (Card(buttons=(Button(id="y", label="Go", url="https://example.com"),)), "Go https://example.com"),
        (Other(name="sticker"), "[sticker]"),
        (Other(name="vote", text="Lunch?"), "Lunch?"),
    ],
)
def test_every_segment_has_a_plain_text(segment: Any, words: str):
    assert plain_text((segment,)) == words


@given(segments)
def test_the_plain_text_of_any_segments_is_trimmed(content: tuple[Any, ...]):
    words = plain_text(content)
    assert words == words.strip()
