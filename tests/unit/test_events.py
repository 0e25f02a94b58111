"""The samples in events/: its function accepts each of them, and each is signed as the platform signs."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parley.adapter import Accepted, App, Rejected, Request
from parley.engine import callback, queues
from parley.engine.callback import Callback
from parley.engine.gateway import request_of
from parley.engine.incoming import messages_of
from parley.model import Message
from parley.model.codec import decode_message, decode_outgoing
from parley.platforms import config_type, inbound
from playground.platforms.feishu import Feishu
from tests.template import ROOT
from tools import bot
from tools.make_events import FOLDER, write
from tools.samples import APPS, FUNCTIONS, events

NOW = 1_800_000_000
UNDATED = ("challenge.json", "challenge_encrypted.json", "ping.json", "verification.json")
"""Samples of a console's check of a URL. Some platforms date or sign these in another way, or not at all."""
CALLBACKS = sorted(name for name in events(NOW) if name.split("/")[0] in APPS)


def received(name: str, *, now: int = NOW, event: dict[str, Any] | None = None) -> tuple[Request, Accepted | Rejected]:
    """The result of the platform's `receive` for the sample `name`, made at NOW and received at `now`."""
    platform = name.split("/", maxsplit=1)[0]
    app = App(platform, "sample", msgspec.convert(APPS[platform]("http://127.0.0.1:8400"), type=config_type(platform)))
    request = request_of(event or events(NOW)[name])
    return request, inbound(platform).receive(request, app, now)


def test_the_folder_holds_all_samples_and_nothing_else():
    committed = {path.relative_to(FOLDER).as_posix(): json.loads(path.read_text()) for path in FOLDER.rglob("*.json")}
    made_at = committed["feishu/text.json"]["requestContext"]["requestTimeEpoch"] // 1000
    assert committed == events(made_at), "make events"


def test_every_function_has_a_sample():
    functions = {path.parent.name for path in (FOLDER.parent / "functions").glob("*/app.py")}
    assert set(FUNCTIONS) == functions


def test_samples_of_one_time_are_always_the_same(tmp_path: Path):
    write(tmp_path, NOW)
    first = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    (tmp_path / "feishu" / "old.json").write_text("{}")
    write(tmp_path, NOW)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == first
    assert events(NOW) != events(NOW + 1)


@pytest.mark.parametrize(
    ("case", "event"),
    [
        ("send", "parley.send"),
        ("alarm", "aws.cloudwatch: CloudWatch Alarm State Change"),
        ("notification", "aws.cloudwatch: CloudWatch Alarm State Change"),
    ],
)
def test_an_event_of_aws_becomes_a_message(case: str, event: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PARLEY_STAGE", "local")
    (message,) = messages_of(events(NOW)[f"incoming/{case}.json"])
    assert (message.kind, message.event) == ("event", event)


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_callback_is_accepted(name: str):
    _, outcome = received(name)
    assert isinstance(outcome, Accepted), outcome
    wanted = {"discord/event": 204, "http/": 202}
    assert outcome.response.status == next((wanted[part] for part in wanted if name.startswith(part)), 200)


@pytest.mark.parametrize("name", [name for name in CALLBACKS if not name.endswith(UNDATED)])
def test_a_callback_is_rejected_if_it_is_a_day_old_or_changed(name: str):
    _, old = received(name, now=NOW + 86_400)
    assert isinstance(old, Rejected)
    assert old.status == 401
    event = events(NOW)[name]
    body = bytearray(base64.b64decode(event["body"]))
    body[len(body) // 2] ^= 1
    _, changed = received(name, event={**event, "body": base64.b64encode(body).decode()})
    assert isinstance(changed, Rejected)


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_callback_is_the_event_of_a_binary_rest_api(name: str):
    event = events(NOW)[name]
    assert event["isBase64Encoded"] is bool(event["body"])
    assert event["pathParameters"] == {"app": "sample"}
    assert event["path"] == event["resource"].replace("{app}", "sample")
    assert event["multiValueHeaders"] == {key: [value] for key, value in event["headers"].items()}


def test_the_response_to_a_challenge_contains_it():
    for name in ("feishu/challenge.json", "feishu/challenge_encrypted.json"):
        _, outcome = received(name)
        assert isinstance(outcome, Accepted)
        assert len(json.loads(outcome.response.body)["challenge"]) == 32


@pytest.mark.parametrize(
    ("case", "kind", "text"),
    [("text", "message", "/count"), ("group_mention", "message", "/card"), ("card_action", "action", "")],
)
def test_a_sample_of_feishu_is_what_its_name_says(case: str, kind: str, text: str):
    _, outcome = received(f"feishu/{case}.json")
    assert isinstance(outcome, Accepted)
    (message,) = outcome.messages
    assert (message.kind, message.content.text) == (kind, text)
    assert message.context.private == (case == "text")


DISCORD = {
    "ping": ("", "", {"type": 1}),
    "command": ("command", "/count", {"type": 5}),
    "button": ("action", "", {"type": 6}),
    "completion": ("", "", {"type": 8, "choices": ["Green tea", "Milk tea"]}),
    "form_to_open": ("", "", {"type": 9, "title": "Feedback"}),
    "form": ("action", "很好 Very good", {"type": 5}),
    "menu_of_message": ("command", "Please ask @Lin Mei about the invoice", {"type": 5}),
    "menu_of_person": ("command", "/Greet @Sam Okafor", {"type": 5}),
    "event": ("event", "", {}),
    "event_ping": ("", "", {}),
}


def test_every_sample_of_discord_is_tested():
    assert {name.split("/")[1].removesuffix(".json") for name in CALLBACKS if name.startswith("discord/")} == set(
        DISCORD
    )


@pytest.mark.parametrize("case", DISCORD)
def test_a_sample_of_discord_passes_through_its_function_with_the_sample_bot(
    case: str, monkeypatch: pytest.MonkeyPatch
):
    """The function with its bot, up to the queue."""
    queued: list[Message] = []
    monkeypatch.setattr(queues, "send_messages", lambda messages, **_: queued.extend(messages))
    monkeypatch.setattr(callback, "BUDGET", 60)  # a busy machine may need a second to start a thread
    app = App(
        "discord", "sample", msgspec.convert(APPS["discord"]("http://127.0.0.1:8400"), type=config_type("discord"))
    )
    instantly = bot.load(ROOT / bot.SAMPLE / "bot.py").instantly
    handler = Callback("discord", inbound("discord"), Known(app), lambda: NOW, instantly=instantly)  # type: ignore[arg-type]
    answer = handler(events(NOW)[f"discord/{case}.json"], None)

    kind, text, expected = DISCORD[case]
    body = json.loads(answer["body"] or "{}")
    data = body.pop("data", {})
    shown = {"title": data["title"]} if "title" in data else {}
    shown |= {"choices": [choice["name"] for choice in data["choices"]]} if "choices" in data else {}
    assert (answer["statusCode"], body | shown) == (204 if case.startswith("event") else 200, expected)
    assert [(message.kind, message.content.text) for message in queued] == ([(kind, text)] if kind else [])


class Known:
    """The apps of a deployment with one app."""

    def __init__(self, app: App) -> None:
        self.app = app

    def get(self, platform: str, name: str) -> App:
        assert (platform, name) == ("discord", "sample")
        return self.app


def test_the_rooms_of_the_samples_are_on_the_page():
    feishu = Feishu()
    feishu.add_app("sample", APPS["feishu"]("http://127.0.0.1:8400"))
    for name in ("text", "group_mention", "card_action"):
        _, outcome = received(f"feishu/{name}.json")
        assert isinstance(outcome, Accepted)
        room = feishu.rooms[outcome.messages[0].context.room_id]
        assert "sample" in room.bots


def test_the_samples_of_queue_records_contain_valid_messages_and_replies():
    made = events(NOW)
    (first,) = made["processor/message.json"]["Records"]
    (again,) = made["processor/message_again.json"]["Records"]
    assert decode_message(first["body"]) == decode_message(again["body"])
    assert [r["attributes"]["ApproximateReceiveCount"] for r in (first, again)] == ["1", "2"]
    (reply,) = made["deliverer/reply.json"]["Records"]
    assert decode_outgoing(reply["body"]).id == reply["attributes"]["MessageDeduplicationId"]
    assert decode_outgoing(reply["body"]).to.key == reply["attributes"]["MessageGroupId"]


@pytest.mark.parametrize("case", ["start", "callback", "refused"])
def test_a_sample_of_a_login_names_its_page(case: str):
    event = events(NOW)[f"oauth/{case}.json"]
    page = "start" if case == "start" else "callback"
    assert event["resource"] == f"/oauth/{{platform}}/{{app}}/{page}"
    assert event["path"] == f"/oauth/feishu/sample/{page}"
    assert ("Cookie" in event["headers"]) == (page == "callback")
