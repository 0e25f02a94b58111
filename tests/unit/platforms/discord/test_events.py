"""Webhook events."""

from typing import Any

import pytest

from parley.platforms.discord.events import message_of_event
from tests.conformance.adapters.discord import APP, GUILD, MEI, event

NOW = 1_764_000_000.0


def read(**inner: Any):
    body = event()
    return message_of_event({**body, "event": {**body["event"], **inner}}, APP, NOW)


def test_an_installation_has_its_person_and_guild() -> None:
    message = read()
    assert (message.kind, message.event) == ("event", "APPLICATION_AUTHORIZED")
    assert (message.sender.id, message.sender.name, message.sender.kind) == (MEI["id"], "梅", "user")
    assert message.context.tenant == GUILD
    assert message.raw == event()


def test_a_time_without_an_offset_is_utc() -> None:
    assert read().timestamp == 1_795_335_330
    assert read(timestamp="2026-11-22T09:15:30+01:00").timestamp == 1_795_335_330


@pytest.mark.parametrize("written", [None, "", "yesterday", "2026-13-01T00:00:00", 5])
def test_an_unreadable_time_becomes_the_current_time(written: object) -> None:
    assert read(timestamp=written).timestamp == NOW


def test_the_id_depends_on_the_event_but_not_on_the_order_of_its_fields() -> None:
    body = event()
    again = {**body, "event": dict(reversed(body["event"].items()))}
    assert message_of_event(again, APP, NOW).id == read().id
    assert len(read().id) == 64
    assert read(timestamp="2026-11-22T08:15:31.064834").id != read().id


@pytest.mark.parametrize(
    ("data", "sender", "kind"),
    [
        ({"user_id": "7"}, "7", "user"),
        ({"author": {"id": "8", "bot": True}}, "8", "bot"),
        ({}, "1100000000000000001", "system"),
        (None, "1100000000000000001", "system"),
    ],
)
def test_the_sender_is_read_from_several_fields(data: object, sender: str, kind: str) -> None:
    message = read(data=data)
    assert (message.sender.id, message.sender.kind) == (sender, kind)


def test_a_game_message_has_its_text_and_channel() -> None:
    message = read(type="LOBBY_MESSAGE_CREATE", data={"content": "gg", "channel_id": "9", "author": MEI})
    assert (message.content.text, message.context.room_id) == ("gg", "9")
