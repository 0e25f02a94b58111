"""Webhook events."""

from typing import Any

import pytest

from parley.platforms.discord.events import message_of_event
from tests.conformance.adapters.discord import APP, GUILD, MEI, event

NOW = 1_764_000_000.0


def read(**inner: Any):
    body = event()
    return message_of_event({**body, "event": {**body["event"], **inner}}, APP, NOW)


def test_an_installation_names_the_person_and_the_guild() -> None:
    message = read()
    assert (message.kind, message.event) == ("event", "APPLICATION_AUTHORIZED")
    assert (message.sender.id, message.sender.name, message.sender.kind) == (MEI["id"], "梅", "user")
    assert message.context.tenant == GUILD
    assert message.raw == event()


def test_a_time_without_an_offset_is_utc() -> None:
    assert read().timestamp == 1_795_335_330
    assert read(timestamp="2026-11-22T09:15:30+01:00").timestamp == 1_795_335_330


@pytest.mark.parametrize("written", [None, "", "yesterday", "2026-13-01T00:00:00", 5])
def test_without_a_readable_time_it_is_now(written: object) -> None:
    assert read(timestamp=written).timestamp == NOW


def test_the_same_event_has_the_same_id_however_it_is_written_and_another_event_another() -> None:
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
def test_who_did_it_is_told_in_several_ways_or_not_at_all(data: object, sender: str, kind: str) -> None:
    message = read(data=data)
    assert (message.sender.id, message.sender.kind) == (sender, kind)


def test_a_game_message_keeps_its_words_and_place() -> None:
    message = read(type="LOBBY_MESSAGE_CREATE", data={"content": "gg", "channel_id": "9", "author": MEI})
    assert (message.content.text, message.context.room_id) == ("gg", "9")
