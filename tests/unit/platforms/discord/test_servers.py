"""Servers on the Gateway: the mention of the bot's role, and that the bot was added or removed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.bot.addressing import is_addressed
from parley.bot.events import names_of
from parley.model import Message
from parley.platforms.discord.gateway import messages_of
from parley.platforms.discord.servers import bot_role, roles_of, unknown_role
from tests.conformance.adapters.discord import APP, CHANNEL, GUILD
from tests.unit.platforms.discord.test_gateway import BOT, NOW, event, written

ROLE, EDITORS = "1100000000000000070", "1100000000000000060"
ROLES = [{"id": EDITORS, "name": "editors"}, {"id": ROLE, "name": "Parley", "managed": True, "tags": {"bot_id": BOT}}]


def read(data: dict[str, Any], name: str = "MESSAGE_CREATE", role: str = ROLE) -> tuple[Message, ...]:
    return messages_of(replace(event(data, name), role=role), APP, {CHANNEL: ""})


def test_a_message_that_mentions_the_role_of_the_bot_is_for_it() -> None:
    (message,) = read(written(f"<@&{ROLE}> deploy it", mention_roles=[ROLE]))
    assert is_addressed(message)
    assert message.content.text == "deploy it"


@pytest.mark.parametrize("role", ["", ROLE])
def test_the_mention_of_another_role_is_not_for_the_bot(role: str) -> None:
    (message,) = read(written(f"<@&{EDITORS}> deploy it", mention_roles=[EDITORS]), role=role)
    assert not is_addressed(message)
    assert message.content.text == f"@{EDITORS} deploy it"


def test_a_role_that_is_only_written_and_not_mentioned_is_not_for_the_bot() -> None:
    """Discord lists a role in `mention_roles` only if its author may mention it."""
    (message,) = read(written(f"`<@&{ROLE}>`", mention_roles=[]))
    assert not is_addressed(message)


def test_without_the_text_of_the_message_the_mention_counts_all_the_same() -> None:
    """Discord leaves out the text without the intent MESSAGE_CONTENT."""
    (message,) = read(written("", mention_roles=[ROLE]))
    assert is_addressed(message)
    assert message.content.text == ""


def test_the_role_of_the_bot_is_the_one_that_discord_has_made_for_it() -> None:
    other = {"id": "1", "tags": {"bot_id": "2"}}
    assert bot_role([other, *ROLES], BOT) == ROLE
    assert bot_role([other], BOT) == bot_role(None, BOT) == bot_role([{"id": [], "tags": {"bot_id": BOT}}], BOT) == ""


def test_events_say_which_role_the_bot_has() -> None:
    assert roles_of("GUILD_CREATE", {"id": GUILD, "roles": ROLES}, BOT) == {GUILD: ROLE}
    assert roles_of("GUILD_CREATE", {"id": GUILD, "roles": ROLES[:1]}, BOT) == {GUILD: ""}
    assert roles_of("GUILD_CREATE", {"id": GUILD, "unavailable": True}, BOT) == {}
    assert roles_of("GUILD_ROLE_CREATE", {"guild_id": GUILD, "role": ROLES[1]}, BOT) == {GUILD: ROLE}
    # Another role says nothing about that of the bot.
    assert roles_of("GUILD_ROLE_UPDATE", {"guild_id": GUILD, "role": ROLES[0]}, BOT) == {}
    assert roles_of("MESSAGE_CREATE", written(), BOT) == {}


def test_roles_are_looked_up_only_for_a_message_that_mentions_one_in_a_server_that_is_not_known() -> None:
    mentions = written(mention_roles=[EDITORS])
    assert unknown_role("MESSAGE_CREATE", mentions, {}) == GUILD
    assert unknown_role("MESSAGE_CREATE", mentions, {GUILD: ""}) == ""
    assert unknown_role("MESSAGE_CREATE", written(mention_roles=[]), {}) == ""
    assert unknown_role("MESSAGE_DELETE", mentions, {}) == ""


# --- added and removed ------------------------------------------------------------------------------------------------


def server(joined_ago: float = 5, **more: Any) -> dict[str, Any]:
    joined = datetime.fromtimestamp(NOW, UTC) - timedelta(seconds=joined_ago)
    channels = [{"id": CHANNEL, "type": 0}] * 3
    return {"id": GUILD, "name": "Team", "joined_at": joined.isoformat(), "channels": channels, "roles": ROLES, **more}


def test_a_server_that_the_bot_has_just_joined_is_an_event() -> None:
    (message,) = read(server(system_channel_id=CHANNEL), "GUILD_CREATE")
    assert "bot_added" in names_of(message)
    assert (message.kind, message.sender.kind) == ("event", "system")
    assert (message.context.tenant, message.context.room_id) == (GUILD, CHANNEL)
    assert message.raw["name"] == "Team"
    # A message of the queue has room for 256 KB, and a large server is larger.
    assert "channels" not in message.raw
    assert "roles" not in message.raw


def test_the_servers_that_each_new_session_lists_are_none() -> None:
    assert read(server(joined_ago=90_000), "GUILD_CREATE") == ()
    assert read({"id": GUILD, "unavailable": True}, "GUILD_CREATE") == ()
    assert read({"id": GUILD, "joined_at": "yesterday"}, "GUILD_CREATE") == ()
    assert read({"joined_at": server()["joined_at"]}, "GUILD_CREATE") == ()


def test_a_new_session_on_the_same_day_lists_the_server_again_with_the_same_id() -> None:
    """The journal drops it then."""
    first = messages_of(event(server(), "GUILD_CREATE", "one"), APP, {})
    again = messages_of(event(server(), "GUILD_CREATE", "two"), APP, {})
    rejoined = messages_of(event(server(joined_ago=1), "GUILD_CREATE", "three"), APP, {})
    assert first[0].id == again[0].id != rejoined[0].id


def test_a_server_that_the_bot_has_left_is_an_event_and_an_outage_is_none() -> None:
    (message,) = read({"id": GUILD}, "GUILD_DELETE")
    assert "bot_removed" in names_of(message)
    assert (message.context.tenant, message.context.room_id) == (GUILD, "")
    assert read({"id": GUILD, "unavailable": True}, "GUILD_DELETE") == ()
