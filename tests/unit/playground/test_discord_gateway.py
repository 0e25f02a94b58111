"""The simulated Gateway refuses what Discord refuses, and repeats what a session has missed."""

import json
import math
from random import Random
from typing import Any

import pytest

from playground.platforms.base import NotFoundError
from playground.platforms.discord import Discord
from playground.platforms.discord.gateway import CONTENT, MEMBERS, Connection
from playground.platforms.model import NewMessage
from tests.unit.playground.clock import Clock
from tests.unit.playground.discord import APP, APPLICATION, TOKEN

ALL = 1 | MEMBERS | 1 << 9 | 1 << 10 | 1 << 12 | CONTENT
QUERY = {"v": "10", "encoding": "json"}


@pytest.fixture
def clock() -> Clock:
    return Clock(1_764_000_000.0)


@pytest.fixture
def discord(clock: Clock) -> Discord:
    made = Discord(clock=clock, random=Random(7))
    made.add_app("demo", APP)
    return made


def opened(discord: Discord) -> Connection:
    connection = discord.connect(lambda: None)
    (hello,) = connection.opened(QUERY)
    assert isinstance(hello, dict)
    assert hello["d"]["heartbeat_interval"] == 41_250
    return connection


def send(connection: Connection, op: int, d: Any = None) -> list[Any]:
    return connection.received(json.dumps({"op": op, "d": d}))


def identify(connection: Connection, **more: Any) -> list[Any]:
    return send(connection, 2, {"token": TOKEN, "intents": ALL, "properties": {}, **more})


def live(discord: Discord, **more: Any) -> tuple[Connection, dict[str, Any]]:
    connection = opened(discord)
    assert identify(connection, **more) == []
    (ready,) = connection.due()
    assert isinstance(ready, dict)
    return connection, ready["d"]


def resume(discord: Discord, ready: dict[str, Any], seq: int) -> tuple[Connection, list[Any]]:
    connection = opened(discord)
    out = send(connection, 6, {"token": TOKEN, "session_id": ready["session_id"], "seq": seq})
    return connection, out or connection.due()


def names(out: list[Any]) -> list[str]:
    return [frame["t"] for frame in out]


def say(discord: Discord, text: str, room: str = "team", **more: Any) -> None:
    discord.send_message("demo", room, "lin", NewMessage(text=text, **more))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"intents": 1 << 17}, 4013),
        ({"intents": "x"}, 4013),
        ({"intents": ALL, "shard": [1, 1]}, 4010),
    ],
)
def test_a_wrong_identify_closes_the_connection(discord: Discord, change: dict[str, Any], code: int) -> None:
    assert identify(opened(discord), **change) == [code]
    assert not discord.gateway.identified


def test_an_intent_that_is_not_switched_on_closes_the_connection(discord: Discord) -> None:
    discord.gateway.privileged = 0
    assert identify(opened(discord)) == [4014]
    assert identify(opened(discord), intents=4609) == []


def test_another_version_or_encoding_closes_the_connection(discord: Discord) -> None:
    assert discord.connect(lambda: None).opened({**QUERY, "v": "6"}) == [4012]
    assert discord.connect(lambda: None).opened({**QUERY, "encoding": "etf"}) == [4012]


@pytest.mark.parametrize(
    ("raw", "code"),
    [("{", 4002), ("[]", 4002), ('{"op": 99}', 4001), ('{"op": 3}', 4003), ('{"op": 1, "d": "x"}', 4002)],
)
def test_a_frame_that_discord_does_not_know_closes_the_connection(discord: Discord, raw: str, code: int) -> None:
    assert opened(discord).received(raw) == [code]


def test_frames_that_are_too_large_too_many_or_a_second_identify_close_the_connection(
    discord: Discord, clock: Clock
) -> None:
    assert opened(discord).received("x" * 4097) == [4002]
    connection, _ = live(discord)
    assert identify(connection) == [4005]
    fast, answers = opened(discord), []
    for _ in range(121):
        answers += send(fast, 1)
    assert answers[-1] == 4008


def test_a_second_identify_within_five_seconds_is_an_invalid_session(discord: Discord, clock: Clock) -> None:
    live(discord)
    assert identify(opened(discord)) == [{"op": 9, "d": False, "s": None, "t": None}]
    clock.now += 5
    assert identify(opened(discord)) == []


def test_a_client_without_heartbeats_is_closed(discord: Discord, clock: Clock) -> None:
    connection, _ = live(discord)
    clock.now += 60
    assert send(connection, 1, 1) == [{"op": 11, "d": None, "s": None, "t": None}]
    clock.now += 60
    assert connection.due() == []
    clock.now += 60
    assert connection.due() == [4009]
    assert connection.wake_at < math.inf


def test_a_resume_repeats_what_was_missed_and_then_says_so(discord: Discord) -> None:
    connection, ready = live(discord)
    say(discord, "1")
    assert names(connection.due()) == ["MESSAGE_CREATE"]
    connection.lost(4000)
    say(discord, "2")
    say(discord, "3")
    _, out = resume(discord, ready, 2)
    assert [(frame["t"], frame["s"]) for frame in out] == [("MESSAGE_CREATE", 3), ("MESSAGE_CREATE", 4), ("RESUMED", 5)]


@pytest.mark.parametrize("how", ["unknown", "closed with 1000", "too late"])
def test_a_session_that_is_gone_cannot_be_resumed(discord: Discord, clock: Clock, how: str) -> None:
    connection, ready = live(discord)
    connection.lost(1000 if how == "closed with 1000" else 4000)
    clock.now += 91 if how == "too late" else 1
    _, out = resume(discord, {"session_id": "x"} if how == "unknown" else ready, 1)
    assert out == [{"op": 9, "d": False, "s": None, "t": None}]


def test_a_resume_with_a_number_that_was_never_sent_closes_the_connection(discord: Discord) -> None:
    connection, ready = live(discord)
    connection.lost(4000)
    assert resume(discord, ready, 99)[1] == [4007]


def test_a_resume_ends_the_connection_that_the_session_had(discord: Discord) -> None:
    connection, ready = live(discord)
    resume(discord, ready, 1)
    assert connection.due() == [4000]
    connection.lost(None)
    assert discord.gateway.is_watched("demo")


def test_the_content_is_hidden_without_the_intent_unless_it_is_for_the_bot(discord: Discord) -> None:
    connection, _ = live(discord, intents=ALL & ~CONTENT)
    say(discord, "secret", mention=False)
    say(discord, "for you")
    say(discord, "direct", room="private")
    found = [frame["d"] for frame in connection.due() if isinstance(frame, dict)]
    assert [data["content"] for data in found] == ["", f"<@{APPLICATION}> for you", "direct"]
    assert ["guild_id" in data for data in found] == [True, True, False]


def test_a_session_gets_only_the_events_of_its_intents_and_shard(discord: Discord, clock: Clock) -> None:
    connection, _ = live(discord, intents=1 << 12)
    say(discord, "in the server")
    assert connection.due() == []
    clock.now += 5
    other, _ = live(discord, shard=[1, 3])
    say(discord, "direct", room="private")
    assert names(connection.due()) == ["MESSAGE_CREATE"]
    assert other.due() == []


def test_without_a_session_plain_text_reaches_nobody(discord: Discord) -> None:
    with pytest.raises(NotFoundError, match="Gateway"):
        say(discord, "hello")
    live(discord)
    say(discord, "hello")


def test_the_start_limit_counts_the_identifies_of_a_day(discord: Discord, clock: Clock) -> None:
    live(discord)
    limit = discord.gateway.start_limit()
    assert (limit["remaining"], limit["reset_after"], limit["max_concurrency"]) == (999, 86_400_000, 1)
    clock.now += 86_400
    assert discord.gateway.start_limit()["remaining"] == 1000
