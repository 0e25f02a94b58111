"""Events of Discord's Gateway as messages."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import UNSET

from parley.bot.addressing import is_addressed
from parley.bot.events import names_of
from parley.model import Destination, Image, Mention, Message, Text
from parley.platforms.discord.config import Config
from parley.platforms.discord.gateway import USED, Event, channels_of, messages_of, unknown_channel
from parley.platforms.discord.servers import roles_of, unknown_role
from parley.untrusted import decode_json
from tests.conformance.adapters.discord import APP, CHANNEL, GUILD, KAI, MEI, THREAD, attachment
from tests.conformance.attacks import wrong_types

BOT = "1100000000000000001"
NOW = 1_800_000_000.0
ID = "1442001234567890001"


def written(content: str = "hi", **more: Any) -> dict[str, Any]:
    """A message in a channel of a server."""
    return {
        "id": ID,
        "channel_id": CHANNEL,
        "guild_id": GUILD,
        "author": MEI,
        "member": {"nick": "Mei (ops)", "roles": []},
        "content": content,
        "timestamp": "2026-11-29T10:00:00.000000+00:00",
        "edited_timestamp": None,
        "mentions": [],
        "attachments": [],
        "embeds": [],
        "type": 0,
        **more,
    }


def direct(content: str = "hi", **more: Any) -> dict[str, Any]:
    data = written(content, channel_type=1, **more)
    return {name: value for name, value in data.items() if name not in ("guild_id", "member")}


def event(data: dict[str, Any], name: str = "MESSAGE_CREATE", id_: str = "event-1") -> Event:
    return Event(name, data, BOT, id_, NOW)


def read(data: dict[str, Any], name: str = "MESSAGE_CREATE", parents: dict[str, str] | None = None) -> Message:
    (message,) = messages_of(event(data, name), APP, parents or {})
    return message


BOT_USER = {"id": BOT, "username": "parley", "bot": True}


def test_a_direct_message_is_for_the_bot() -> None:
    message = read(direct())
    assert (message.id, message.kind, message.content.text) == (ID, "message", "hi")
    assert message.context.private
    assert message.context.tenant == ""
    assert message.context.mentioned is UNSET
    assert is_addressed(message)


def test_words_in_a_server_are_for_the_bot_only_if_they_mention_it() -> None:
    assert not is_addressed(read(written()))
    message = read(written(f"<@{BOT}> what is <@{KAI['id']}> doing", mentions=[BOT_USER, KAI]))
    assert is_addressed(message)
    assert message.content.text == "what is @Kai doing"
    assert message.mentions == (Mention(id=BOT, name="parley", bot=True), Mention(id=KAI["id"], name="Kai"))
    assert message.sender.name == "Mei (ops)"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<@{bot}> hi", "hi"),
        ("<@!{bot}>hi", "hi"),
        ("hi <@{bot}>", "hi"),
        ("a <@{bot}> b", "a b"),
        ("<@{bot}>", ""),
    ],
)
def test_the_mention_of_the_bot_leaves_no_gap_in_the_text(content: str, text: str) -> None:
    assert read(written(content.format(bot=BOT), mentions=[BOT_USER])).content.text == text


def test_a_reply_to_the_bot_is_for_it_without_a_mention() -> None:
    reference = {"message_id": "9", "channel_id": CHANNEL}
    message = read(written(type=19, message_reference=reference, referenced_message={"id": "9", "author": BOT_USER}))
    assert is_addressed(message)
    assert message.reply_to == "9"


def test_a_reply_to_another_person_is_not_for_the_bot() -> None:
    reference = {"message_id": "9"}
    message = read(written(type=19, message_reference=reference, referenced_message={"id": "9", "author": KAI}))
    assert not is_addressed(message)


@pytest.mark.parametrize(
    "data",
    [
        written(author=BOT_USER),
        written(author={"id": "77", "username": "other", "bot": True}),
        written(webhook_id="5", author={"id": "5", "username": "hook", "bot": True}, mentions=[BOT_USER]),
        written(type=7),
        written(""),
        written(author={}),
    ],
    ids=["its own", "another bot", "a webhook", "a join", "without content", "nobody"],
)
def test_messages_that_the_bot_does_not_need_are_left_out(data: dict[str, Any]) -> None:
    assert messages_of(event(data), APP, {}) == ()


def test_another_bot_that_mentions_the_bot_is_passed_on_as_a_bot() -> None:
    author = {"id": "77", "username": "other", "bot": True}
    assert read(written(f"<@{BOT}>", author=author, mentions=[BOT_USER])).sender.kind == "bot"


def test_a_message_in_a_thread_belongs_to_the_channel_of_the_thread() -> None:
    message = read(written(channel_id=THREAD), parents={THREAD: CHANNEL})
    assert (message.context.room_id, message.context.thread_id) == (CHANNEL, THREAD)


def test_a_channel_that_no_event_has_named_is_looked_up_once_it_matters() -> None:
    assert unknown_channel(event(written(channel_id=THREAD)), APP, {}) == THREAD
    assert unknown_channel(event(written(channel_id=THREAD)), APP, {THREAD: CHANNEL}) == ""
    assert unknown_channel(event(written(channel_id=THREAD, channel_type=11)), APP, {}) == THREAD
    assert unknown_channel(event(written(channel_type=0)), APP, {}) == ""
    assert unknown_channel(event(direct()), APP, {}) == ""
    assert unknown_channel(event(written(author=BOT_USER)), APP, {}) == ""


def test_the_threads_of_a_server_are_known_from_its_events() -> None:
    thread, channel = {"id": THREAD, "type": 11, "parent_id": CHANNEL}, {"id": CHANNEL, "type": 0, "parent_id": "4"}
    expected = {CHANNEL: "", THREAD: CHANNEL}
    assert channels_of("GUILD_CREATE", {"channels": [channel], "threads": [thread]}) == expected
    assert channels_of("THREAD_CREATE", thread) == {THREAD: CHANNEL}
    assert channels_of("THREAD_LIST_SYNC", {"threads": [thread]}) == {THREAD: CHANNEL}
    assert channels_of("MESSAGE_CREATE", thread) == {}


def test_files_stickers_and_forwards_are_content() -> None:
    picture = attachment("1442001230000000009", "a.png", "image/png")
    message = read(written("look", attachments=[picture]))
    assert isinstance(message.content.attachments[0], Image)
    assert message.content.text == "look"
    assert read(written("", sticker_items=[{"name": "wave"}])).content.text == "[wave]"
    forwarded = read(direct("", message_snapshots=[{"message": {"content": "from there"}}]))
    assert forwarded.segments == (Text(text="from there"),)


def test_an_edit_is_an_event_with_an_id_of_its_own() -> None:
    edited = written("new", edited_timestamp="2026-11-29T10:05:00+00:00")
    message = read(edited, "MESSAGE_UPDATE")
    assert (message.kind, message.event, message.reply_to) == ("event", "MESSAGE_UPDATE", ID)
    assert message.id == f"{ID}.edited.2026-11-29T10:05:00+00:00"
    assert message.content.text == "new"
    assert messages_of(event(written("with a preview"), "MESSAGE_UPDATE"), APP, {}) == ()


def test_deletions_are_one_event_for_each_message() -> None:
    data = {"ids": ["8", "9"], "channel_id": CHANNEL, "guild_id": GUILD}
    found = messages_of(event(data, "MESSAGE_DELETE_BULK"), APP, {})
    assert [(one.id, one.reply_to) for one in found] == [("8.deleted", "8"), ("9.deleted", "9")]
    assert names_of(found[0]) == ("MESSAGE_DELETE", "message_recalled")
    single = read({"id": "8", "channel_id": CHANNEL, "guild_id": GUILD}, "MESSAGE_DELETE")
    assert single.id == found[0].id


def test_a_reaction_names_the_person_and_the_message() -> None:
    data = {
        "user_id": MEI["id"],
        "channel_id": CHANNEL,
        "message_id": "9",
        "guild_id": GUILD,
        "member": {"user": MEI, "nick": None},
        "emoji": {"name": "👍", "id": None},
    }
    message = read(data, "MESSAGE_REACTION_ADD")
    assert (message.id, message.sender.id, message.sender.name) == ("event-1", MEI["id"], "梅")
    assert names_of(message) == ("MESSAGE_REACTION_ADD", "reaction_added")
    assert Destination.answering(message).message_id == "9"
    assert messages_of(event(data | {"user_id": BOT, "member": {}}, "MESSAGE_REACTION_ADD"), APP, {}) == ()


@pytest.mark.parametrize(
    ("name", "portable"), [("GUILD_MEMBER_ADD", "member_joined"), ("GUILD_MEMBER_REMOVE", "member_left")]
)
def test_members_who_join_and_leave_are_events(name: str, portable: str) -> None:
    message = read({"guild_id": GUILD, "user": MEI, "nick": "Mei"}, name)
    assert names_of(message) == (name, portable)
    assert (message.sender.id, message.context.tenant, message.context.room_id) == (MEI["id"], GUILD, "")


def test_other_events_are_not_needed() -> None:
    assert messages_of(event({"user_id": "1"}, "TYPING_START"), APP, {}) == ()


@pytest.mark.parametrize("name", sorted(USED))
def test_an_event_with_values_of_wrong_types_raises_nothing(name: str) -> None:
    whole = written(
        f"<@{BOT}>",
        mentions=[{**BOT_USER, "member": {"nick": "x"}}],
        edited_timestamp="2026-11-29T10:05:00+00:00",
        referenced_message={"author": BOT_USER},
        message_reference={"message_id": "9"},
        user=MEI,
        user_id=MEI["id"],
        ids=["1"],
        message_id="9",
        channel_type=0,
        mention_roles=["7"],
        roles=[{"id": "7", "tags": {"bot_id": BOT}}],
        role={"id": "7", "tags": {"bot_id": BOT}},
        joined_at=datetime.fromtimestamp(NOW, UTC).isoformat(),
        system_channel_id=CHANNEL,
    )
    for payload in wrong_types(json.dumps(whole).encode()):
        try:
            data = decode_json(payload)
        except ValueError:
            continue
        if isinstance(data, dict):
            messages_of(event(data, name), APP, {})
            unknown_channel(event(data, name), APP, {})
            channels_of("GUILD_CREATE", data)
            for about in ("GUILD_CREATE", "GUILD_ROLE_UPDATE"):
                roles_of(about, data, BOT)
            unknown_role("MESSAGE_CREATE", data, {})


@pytest.mark.parametrize(
    ("field", "value"), [("gateway_intents", ("GUILD",)), ("gateway_shards", 0), ("gateway_shards", -1)]
)
def test_a_wrong_setting_of_the_gateway_is_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        Config(application_id="1", public_key="0" * 64, bot_token="t", **{field: value})
