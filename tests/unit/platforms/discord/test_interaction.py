"""Interactions as unified messages."""

from typing import Any

import pytest

from parley.model import Command, File, Image, Mention, Message, Other, Quote, Text
from parley.platforms.discord.interaction import message_of
from tests.conformance.adapters.discord import (
    APP,
    CARD,
    CHANNEL,
    FILE,
    GUILD,
    KAI,
    MEI,
    THREAD,
    attachment,
    completion,
    form,
    interaction,
    on_message,
    on_user,
    option,
    press,
    select,
    slash,
)


def read(body: dict[str, Any]) -> Message:
    return message_of(body, APP)


def command(*options: dict[str, Any], **resolved: Any) -> Message:
    return read(interaction(2, {"name": "do", "type": 1, "options": list(options), "resolved": resolved}))


# --- sender and context -----------------------------------------------------------------------------------------------


def test_the_sender_has_the_nickname_of_the_guild() -> None:
    sender = read(slash()).sender
    assert (sender.id, sender.name, sender.kind) == (MEI["id"], "Mei", "user")


@pytest.mark.parametrize(
    ("user", "name"),
    [(MEI, "梅"), ({**MEI, "global_name": None}, "mei.lin"), ({"id": MEI["id"]}, "")],
)
def test_without_a_nickname_the_name_is_the_global_name_or_the_username(user: dict[str, Any], name: str) -> None:
    assert read({**press(), "user": user}).sender.name == name


def test_a_sender_can_be_a_bot() -> None:
    assert read({**press(), "user": {**MEI, "bot": True}}).sender.kind == "bot"


@pytest.mark.parametrize(
    ("permissions", "admin"),
    [("8", True), ("2248473465835081", True), ("2248473465835073", False), ("0", False), ("", False), (None, False)]
    + [(wrong, False) for wrong in (8, "-8", "8 ", "0x8", "８", "9" * 50)],
)
def test_an_administrator_of_the_guild_has_the_permission_bit(permissions: Any, admin: bool) -> None:
    body = slash()
    body["member"]["permissions"] = permissions
    assert bool(read(body).sender.admin) is admin


def test_nobody_is_an_administrator_in_a_direct_chat() -> None:
    assert not read({**press(), "user": {**MEI, "permissions": "8"}}).sender.admin


def test_a_thread_has_its_channel_as_room() -> None:
    context = read(slash()).context
    assert (context.room_id, context.thread_id, context.tenant) == (CHANNEL, THREAD, GUILD)
    assert not context.private


@pytest.mark.parametrize("type_", [0, 2, 5, 13, 15])
def test_a_channel_in_a_category_is_a_room(type_: int) -> None:
    channel = {"id": CHANNEL, "type": type_, "parent_id": "1100000000000000099"}
    context = read(interaction(2, slash()["data"], channel=channel)).context
    assert (context.room_id, context.thread_id) == (CHANNEL, "")


def test_the_direct_chat_with_the_bot_is_private_and_has_no_guild() -> None:
    context = read(press()).context
    assert (context.private, context.tenant, context.room_id) == (True, "", "1100000000000000070")


def test_a_direct_chat_between_other_people_is_not_private() -> None:
    assert not read({**press(), "context": 2}).context.private


@pytest.mark.parametrize(("channel", "private"), [({"type": 1}, True), (None, True), ({"type": 3}, False)])
def test_without_a_context_the_channel_type_decides_whether_it_is_private(channel: Any, private: bool) -> None:
    body = {**press(), "channel": channel}
    del body["context"]
    assert read(body).context.private is private


def test_the_guild_and_channel_can_be_read_from_their_objects() -> None:
    body = slash()
    for name in ("guild_id", "channel_id"):
        del body[name]
    context = read(body).context
    assert (context.tenant, context.room_id, context.thread_id) == (GUILD, CHANNEL, THREAD)


def test_the_locale_of_the_person_takes_precedence_over_that_of_the_guild() -> None:
    assert read(slash()).context.locale == "zh-CN"
    assert read({**slash(), "locale": None}).context.locale == "en-US"


def test_the_timestamp_is_read_from_the_id() -> None:
    assert read(slash()).timestamp == ((1442001234567890001 >> 22) + 1420070400000) // 1000


# --- commands ---------------------------------------------------------------------------------------------------------


def test_sub_commands_are_part_of_the_name_and_each_option_type_has_a_value() -> None:
    message = read(slash())
    assert message.kind == "command"
    assert message.command == Command(
        name="doc file check",
        options={
            "upload": FILE,
            "note": "please look at page 2, <@1100000000000000051>",
            "pages": 3,
            "urgent": True,
            "reviewer": KAI["id"],
            "where": CHANNEL,
            "team": "1100000000000000060",
            "whoever": "1100000000000000060",
            "ratio": 0.5,
        },
    )


def test_the_text_is_the_command_as_a_person_would_type_it() -> None:
    assert read(slash()).content.text == (
        "/doc file check  please look at page 2, @Kai (review) 3 true @Kai (review) #general @editors @editors 0.5"
    )


def test_people_become_mentions_and_files_become_attachments() -> None:
    message = read(slash())
    kai = Mention(id=KAI["id"], name="Kai (review)")
    assert message.mentions == (kai, kai)
    assert message.content.attachments == (
        File(
            key=FILE,
            url=attachment(FILE, "invoice.pdf", "application/pdf")["url"],
            name="invoice.pdf",
            mime="application/pdf",
            size=48213,
        ),
    )
    assert Other(name="role", text="@editors", data={"id": "1100000000000000060"}) in message.segments


@pytest.mark.parametrize(
    ("mime", "type_"),
    [
        ("image/png", "Image"),
        ("IMAGE/PNG; a=b", "Image"),
        ("audio/ogg", "Audio"),
        ("video/mp4", "Video"),
        ("text/plain", "File"),
        (None, "File"),
    ],
)
def test_the_mime_type_decides_the_segment_of_a_file(mime: str, type_: str) -> None:
    sent = {**attachment(FILE, "x", mime), "duration_secs": 2.5}
    (found,) = command(option(11, "file", FILE), attachments={FILE: sent}).content.attachments
    assert type(found).__name__ == type_
    assert getattr(found, "seconds", 2.5) == 2.5


@pytest.mark.parametrize("mime", [None, "", "application/octet-stream"])
@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("a.PNG", "Image"),
        ("a.b.webp", "Image"),
        ("a.heic", "Image"),
        ("voice-message.ogg", "Audio"),
        ("a.m4a", "Audio"),
        ("a.mov", "Video"),
        ("a.webm", "Video"),
        ("a.pdf", "File"),
        ("png", "File"),
        ("", "File"),
    ],
)
def test_without_a_mime_type_the_extension_decides(mime: str, name: str, type_: str) -> None:
    (found,) = command(option(11, "file", FILE), attachments={FILE: attachment(FILE, name, mime)}).content.attachments
    assert type(found).__name__ == type_


def test_a_command_without_options_has_its_name_as_text() -> None:
    message = read(interaction(2, {"name": "ping", "type": 1}))
    assert message.command == Command(name="ping")
    assert message.segments == (Text(text="/ping"),)


def test_an_id_without_a_resolved_object_is_its_own_text_and_that_of_a_person_is_empty() -> None:
    message = command(
        option(6, "a", "1"), option(7, "b", "2"), option(8, "c", "3"), option(9, "d", "4"), option(11, "e", "5")
    )
    assert message.content.text == "/do  #2 @3  5"


def test_a_mentionable_becomes_a_person_or_a_role() -> None:
    message = command(option(9, "a", "1"), option(9, "b", "2"), users={"1": KAI}, roles={"2": {"name": "editors"}})
    assert message.mentions == (Mention(id="1", name="Kai"),)
    assert message.content.text == "/do @Kai @editors"


def test_a_command_on_a_message_has_the_text_of_that_message() -> None:
    message = read(on_message())
    assert message.command == Command(name="Summarise", options={"target": "1441990000000000007"}, menu="message")
    assert message.content.text == "Long text @Kai"
    assert message.reply_to == "1441990000000000007"
    quote, mention, image = message.segments
    assert quote == Quote(message_id="1441990000000000007", text="Long text @Kai")
    assert mention == Mention(id=KAI["id"], name="Kai")
    assert isinstance(image, Image)


def test_a_command_on_a_person_mentions_them() -> None:
    message = read(on_user())
    assert message.command == Command(name="Greet", options={"target": KAI["id"]}, menu="user")
    assert message.content.text == "/Greet @Kai"


def test_a_command_being_typed_has_its_focused_option() -> None:
    message = read(completion())
    assert message.command == Command(name="doc search", options={"title": "inv"}, focused="title")


def test_options_without_a_value_are_left_out() -> None:
    typing = interaction(
        4, {"name": "do", "type": 1, "options": [{"name": "a", "type": 3}, option(4, "b", "1", focused=True)]}
    )
    assert read(typing).command == Command(name="do", options={"b": "1"}, focused="b")


# --- actions ----------------------------------------------------------------------------------------------------------


def test_a_button_returns_its_id_value_and_message() -> None:
    message = read(press())
    assert message.kind == "action"
    assert message.action is not None
    assert (message.action.id, message.action.value, message.action.message_id) == ("vote", "yes", CARD["id"])


def test_a_select_returns_its_values_and_mentions_the_chosen_people() -> None:
    message = read(select())
    assert message.action is not None
    assert message.action.options == (KAI["id"],)
    assert message.mentions == (Mention(id=KAI["id"], name="Kai"),)
    assert message.content.text == "@Kai"


def test_choices_of_a_string_select_are_not_part_of_the_text() -> None:
    chosen = interaction(3, {"component_type": 3, "custom_id": "size", "values": ["s", "m"]}, message=CARD)
    message = read(chosen)
    assert message.action is not None
    assert (message.action.options, message.segments) == (("s", "m"), ())


def test_a_form_returns_each_field_by_its_id_in_both_layouts() -> None:
    message = read(form())
    assert message.action is not None
    assert (message.action.id, message.action.value, message.action.message_id) == ("ticket", "new", "")
    assert message.action.form == {
        "subject": "Printer on fire",
        "prio": "high\nnow",
        "shots": FILE,
        "agree": "true",
        "legacy": "old style",
    }
    assert message.content.text == "Printer on fire\nold style"
    assert [file.name for file in message.content.attachments] == ["fire.png"]


def test_a_form_opened_from_a_button_has_its_message() -> None:
    message = read({**form(), "message": CARD})
    assert message.action is not None
    assert message.action.message_id == CARD["id"]
