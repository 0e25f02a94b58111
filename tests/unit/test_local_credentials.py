"""The apps of the local stack are kept in a file, so people have the same ids when it is started again."""

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parley.adapter import Accepted, App, Headers, Request
from parley.bot import Bot
from parley.platforms import NAMES, config_type, inbound
from parley.testing import Chat
from playground.platforms import simulated_platforms
from tools.local import credentials

EVENTS = {
    "feishu": "entered",
    "wecom": "entered",
    "wecom_bot": "entered",
    "wechat": "subscribe",
    "discord": "authorize",
}
"""An event of a person on each platform, which says who it is. A new platform may have none."""


class Aws:
    """Parameter Store without a network."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def client(self, service: str) -> "Aws":
        assert service == "ssm"
        return self

    def put_parameter(self, *, Name: str, **_: Any) -> None:  # noqa: N803  # AWS's name
        self.names.append(Name)


def start(file: Path, playground: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Start a stack: its apps, and the private fields."""
    aws: Any = Aws()
    apps, private = credentials.install(aws, playground, file)
    assert {f"/parley/local/{platform}/demo" for platform in NAMES} <= set(aws.names)
    return apps, private


def sender(platform: str, apps: dict[str, Any], private: dict[str, Any], person: str) -> str:
    """The id that the bot reads of a person, from a playground that has just started."""
    config = apps[platform]["demo"]
    simulated = simulated_platforms()[platform]()
    simulated.add_app("demo", {**config, **private[platform]["demo"]})
    details = {"sender": person, "message_id": "", "room": ""}
    delivery = simulated.emit_event("demo", EVENTS[platform], details)
    assert delivery is not None
    wire = delivery.wire
    request = Request(method=wire.method, headers=Headers(wire.headers), query=dict(wire.query), body=wire.body)
    app = App(platform, "demo", msgspec.convert(config, type=config_type(platform)))
    accepted = inbound(platform).receive(request, app, time.time())
    assert isinstance(accepted, Accepted), accepted
    return accepted.messages[0].sender.id


@pytest.mark.parametrize("platform", EVENTS)
def test_the_ids_of_people_are_the_same_after_a_restart(platform: str, tmp_path: Path) -> None:
    file = tmp_path / "apps.json"
    before, after = start(file, "http://127.0.0.1:8400"), start(file, "http://127.0.0.1:8500")
    ids = [sender(platform, *before, person) for person in ("lin", "sam")]
    assert all(ids)
    assert len(set(ids)) == 2
    assert [sender(platform, *after, person) for person in ("lin", "sam")] == ids


@pytest.mark.parametrize("platform", EVENTS)
def test_people_have_the_ids_of_parley_testing(platform: str, tmp_path: Path) -> None:
    """So the settings of an example name people of the page, and its tests use them."""
    bot = Bot()
    bot.command("hello")(lambda: "hi")
    chat = Chat(bot, platform)
    chat.say("/hello", by="lin")
    started = start(tmp_path / "apps.json", "http://127.0.0.1:8400")
    assert sender(platform, *started, "lin") == chat.received.sender.id


def test_the_file_is_for_its_owner_only_and_a_broken_one_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "apps.json"
    file.write_text("{")
    first, _ = start(file, "http://127.0.0.1:8400")
    assert file.stat().st_mode & 0o777 == 0o600
    second, _ = start(file, "http://127.0.0.1:8400")
    assert first == second


def test_apps_that_a_newer_version_adds_are_made_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "apps.json"
    credentials.install(Aws(), "http://page", file)  # type: ignore[arg-type]
    kept = msgspec.json.decode(file.read_bytes())
    added = kept["wecom"].pop("suite")
    file.write_bytes(msgspec.json.encode(kept))
    apps, _ = credentials.install(Aws(), "http://page", file)  # type: ignore[arg-type]
    assert apps["wecom"]["demo"]["secret"] == kept["wecom"]["demo"]["secret"]
    assert apps["wecom"]["suite"].keys() == added.keys()
