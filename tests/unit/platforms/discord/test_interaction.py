"""Interactions as messages of the model."""

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


# --- who and where ----------------------------------------------------------------------------------------------------


def test_the_sender_is_named_as_in_the_guild() -> None:
    sender = read(slash()).sender
    assert (sender.id, sender.name, sender.kind) == (MEI["id"], "Mei", "user")


@pytest.mark.parametrize(
    ("user", "name"),
    [(MEI, "梅"), ({**MEI, "global_name": None}, "mei.lin"), ({"id": MEI["id"]}, "")],
)
def test_without_a_nickname_by_the_display_name_else_by_the_account(user: dict[str, Any], name: str) -> None:
    assert read({**press(), "user": user}).sender.name == name


def test_another_bot_is_known_as_one() -> None:
    assert read({**press(), "user": {**MEI, "bot": True}}).sender.kind == "bot"


def test_a_thread_belongs_to_its_channel() -> None:
    context = read(slash()).context
    assert (context.room_id, context.thread_id, context.tenant) == (CHANNEL, THREAD, GUILD)
    assert not context.private


@pytest.mark.parametrize("type_", [0, 2, 5, 13, 15])
def test_another_channel_is_a_room_although_it_has_a_category_above_it(type_: int) -> None:
    channel = {"id": CHANNEL, "type": type_, "parent_id": "1100000000000000099"}
    context = read(interaction(2, slash()["data"], channel=channel)).context
    assert (context.room_id, context.thread_id) == (CHANNEL, "")


def test_the_direct_chat_with_the_bot_is_private_and_of_no_guild() -> None:
    context = read(press()).context
    assert (context.private, context.tenant, context.room_id) == (True, "", "1100000000000000070")


def test_a_direct_chat_of_others_where_a_person_brought_the_app_along_is_not_private() -> None:
    assert not read({**press(), "context": 2}).context.private


@pytest.mark.parametrize(("channel", "private"), [({"type": 1}, True), (None, True), ({"type": 3}, False)])
def test_without_a_context_the_channel_tells(channel: Any, private: bool) -> None:
    body = {**press(), "channel": channel}
    del body["context"]
    assert read(body).context.private is private


def test_the_guild_and_the_channel_may_be_told_by_their_objects_alone() -> None:
    body = slash()
    for name in ("guild_id", "channel_id"):
        del body[name]
    context = read(body).context
    assert (context.tenant, context.room_id, context.thread_id) == (GUILD, CHANNEL, THREAD)


def test_the_persons_language_comes_before_the_guilds() -> None:
    assert read(slash()).context.locale == "zh-CN"
    assert read({**slash(), "locale": None}).context.locale == "en-US"


def test_the_time_is_in_the_id() -> None:
    assert read(slash()).timestamp == ((1442001234567890001 >> 22) + 1420070400000) // 1000


# --- commands ---------------------------------------------------------------------------------------------------------


def test_sub_commands_are_part_of_the_name_and_every_type_of_option_has_its_value() -> None:
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


def test_the_text_is_what_one_would_have_typed() -> None:
    assert read(slash()).content.text == (
        "/doc file check  please look at page 2, @Kai (review) 3 true @Kai (review) #general @editors @editors 0.5"
    )


def test_people_are_mentions_and_files_are_attachments_by_their_kind() -> None:
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
    [("image/png", "Image"), ("audio/ogg", "Audio"), ("video/mp4", "Video"), ("text/plain", "File"), (None, "File")],
)
def test_a_file_is_what_its_type_says(mime: str, type_: str) -> None:
    sent = {**attachment(FILE, "x", mime), "duration_secs": 2.5}
    (found,) = command(option(11, "file", FILE), attachments={FILE: sent}).content.attachments
    assert type(found).__name__ == type_
    assert getattr(found, "seconds", 2.5) == 2.5


def test_a_bare_command_is_its_name() -> None:
    message = read(interaction(2, {"name": "ping", "type": 1}))
    assert message.command == Command(name="ping")
    assert message.segments == (Text(text="/ping"),)


def test_what_was_not_sent_along_is_shown_by_its_id() -> None:
    message = command(
        option(6, "a", "1"), option(7, "b", "2"), option(8, "c", "3"), option(9, "d", "4"), option(11, "e", "5")
    )
    assert message.content.text == "/do @1 #2 @3 @4 5"


def test_a_mentionable_is_a_person_or_a_role() -> None:
    message = command(option(9, "a", "1"), option(9, "b", "2"), users={"1": KAI}, roles={"2": {"name": "editors"}})
    assert message.mentions == (Mention(id="1", name="Kai"),)
    assert message.content.text == "/do @Kai @editors"


def test_a_command_on_a_message_is_about_what_that_message_says() -> None:
    message = read(on_message())
    assert message.command == Command(name="Summarise", options={"target": "1441990000000000007"})
    assert message.content.text == "Long text @Kai"
    assert message.reply_to == "1441990000000000007"
    quote, mention, image = message.segments
    assert quote == Quote(message_id="1441990000000000007", text="Long text @Kai")
    assert mention == Mention(id=KAI["id"], name="Kai")
    assert isinstance(image, Image)


def test_a_command_on_a_person_mentions_them() -> None:
    message = read(on_user())
    assert message.command == Command(name="Greet", options={"target": KAI["id"]})
    assert message.content.text == "/Greet @Kai"


def test_a_command_being_typed_says_which_option_is() -> None:
    message = read(completion())
    assert message.command == Command(name="doc search", options={"title": "inv"}, focused="title")


def test_options_that_are_not_filled_in_yet_are_left_out() -> None:
    typing = interaction(
        4, {"name": "do", "type": 1, "options": [{"name": "a", "type": 3}, option(4, "b", "1", focused=True)]}
    )
    assert read(typing).command == Command(name="do", options={"b": "1"}, focused="b")


# --- actions ----------------------------------------------------------------------------------------------------------


def test_a_button_gives_back_what_it_carried_and_the_message_it_stands_under() -> None:
    message = read(press())
    assert message.kind == "action"
    assert message.action is not None
    assert (message.action.id, message.action.value, message.action.message_id) == ("vote", "yes", CARD["id"])


def test_a_select_gives_its_values_and_the_people_chosen() -> None:
    message = read(select())
    assert message.action is not None
    assert message.action.options == (KAI["id"],)
    assert message.mentions == (Mention(id=KAI["id"], name="Kai"),)
    assert message.content.text == "@Kai"


def test_choices_of_words_are_values_and_no_text() -> None:
    chosen = interaction(3, {"component_type": 3, "custom_id": "size", "values": ["s", "m"]}, message=CARD)
    message = read(chosen)
    assert message.action is not None
    assert (message.action.options, message.segments) == (("s", "m"), ())


def test_a_form_gives_each_field_by_its_id_whatever_its_layout() -> None:
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


def test_a_form_opened_from_a_button_knows_its_message() -> None:
    message = read({**form(), "message": CARD})
    assert message.action is not None
    assert message.action.message_id == CARD["id"]
