"""The deployed stack with WeCom and WeChat, over HTTP: above all, passive replies.

The cases that all platforms share are in test_demo.py.
"""

import base64
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stack import ROOT, Stack

BOTH = ("wecom", "wechat")
each_app = pytest.mark.parametrize(
    ("platform", "app"), [(platform, app) for platform in BOTH for app in ("demo", "passive")]
)


@pytest.fixture
def person() -> str:
    """A new person, and so a new chat, for each test."""
    return f"person{uuid.uuid4().hex[:8]}"


def send(stack: Stack, platform: str, person: str, text: str, app: str = "demo") -> tuple[str, str]:
    """Have a person write to the app. Returns the ids of the message and of the chat."""
    sent = stack.post("/api/messages", platform=platform, app=app, sender=person, text=text)
    return sent["message_id"], sent["room"]


def texts(stack: Stack, platform: str, room: str, count: int = 1, seconds: float = 60) -> list[str]:
    """The texts of the bot's messages, once there are `count`."""
    found = stack.wait(lambda: sent if len(sent := stack.replies(room, platform)) >= count else None, seconds)
    return [message["text"] for message in found]


def journal(stack: Stack, message_id: str, state: str) -> list[dict[str, Any]]:
    """The journal's replies to a message, once the first has that state."""

    def look() -> list[dict[str, Any]] | None:
        replies = stack.get(f"/api/journal/{message_id}")["replies"]
        return replies if replies and replies[0]["state"] == state else None

    return stack.wait(look)


@each_app
def test_the_console_accepts_the_url(stack: Stack, platform: str, app: str) -> None:
    assert stack.post("/api/challenge", platform=platform, app=app)["ok"]


@pytest.mark.parametrize("platform", BOTH)
def test_a_text_with_markup_gets_a_reply(stack: Stack, platform: str, person: str) -> None:
    id_, room = send(stack, platform, person, "/echo 你好 <b>]]>")
    assert texts(stack, platform, room) == ["你好 <b>]]>"]
    assert [reply["state"] for reply in journal(stack, id_, "SENT")] == ["SENT"]


@each_app
def test_the_trace_of_a_reply_leads_to_its_message_and_call(stack: Stack, platform: str, app: str, person: str) -> None:
    sent = [send(stack, platform, person, f"/echo {number}", app) for number in range(3)]
    room = sent[0][1]
    texts(stack, platform, room, 3)
    for (id_, _), reply in zip(sent, stack.replies(room, platform), strict=True):
        journal(stack, id_, "SENT")
        trace = stack.get(f"/api/trace/{reply['id']}")
        assert trace["message_id"] == id_
        shown = [call["body"]["text"]["content"] for call in trace["calls"] if call["path"].endswith("/send")]
        assert shown == ([] if app == "passive" else [reply["text"]])


@pytest.mark.parametrize("kind", ["WW", "MP"])
def test_only_a_domain_file_is_served_at_the_root(stack: Stack, kind: str) -> None:
    name, content = f"{kind}_verify_{uuid.uuid4().hex[:16]}.txt", uuid.uuid4().hex[:16]
    parameter = f"/parley/{stack.facts['stage']}/domain/{name}"
    stack.client("ssm").put_parameter(Name=parameter, Value=content, Type="String")

    def get(file: str) -> tuple[int, str]:
        response = httpx.get(f"{stack.facts['api']}/{file}", timeout=30)
        return response.status_code, response.text

    stack.wait(lambda: get(name) == (200, content), 30)
    assert get(f"{kind}_verify_{uuid.uuid4().hex[:16]}.txt") == (404, "")
    assert get("index.html") == (404, "")


@pytest.mark.parametrize("platform", BOTH)
def test_the_tool_prints_the_addresses_of_callbacks(stack: Stack, platform: str, tmp_path: Path) -> None:
    def run(*options: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "parley_cli", "app", "addresses", f"{platform}/demo", *options]
        environment = {**os.environ, "PARLEY_LOCAL_DIR": str(stack.directory)}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout + done.stderr

    assert stack.facts["apps"][platform]["demo"]
    printed = run()
    assert printed == (0, "127.0.0.1/32\n")
    known = tmp_path / "known"
    known.write_text(printed[1])
    assert run("--known", str(known)) == (0, "")
    known.write_text("10.0.0.0/8\n")
    assert run("--known", str(known)) == (3, "+ 127.0.0.1/32\n- 10.0.0.0/8\n")
    known.unlink()
    assert run("--known", str(known)) == (1, f"error: {known}: No such file or directory\n")


# --- passive replies --------------------------------------------------------------------------------------------------


def bot_runs(stack: Stack, message_id: str) -> int:
    """How often the bot ran for a message that has replies. A second run is recorded before it starts."""
    return stack.get(f"/api/journal/{message_id}")["attempts"] or 1


def attempts(stack: Stack, message_id: str, count: int) -> list[int]:
    """The response statuses of a message's deliveries, once there are `count`."""

    def look() -> list[int] | None:
        found = [attempt["status"] for attempt in stack.get(f"/api/trace/{message_id}")["delivery"]["attempts"]]
        return found if len(found) >= count else None

    return stack.wait(look, 30)


@pytest.fixture(scope="module")
def slow_reply(stack: Stack) -> Callable[[str, int], tuple[str, str]]:
    """Sends a message whose reply takes that many seconds. Returns the ids of the message and of the chat.

    The first call sends it on both platforms, so that both wait at the same time.
    """

    @cache
    def send_on_both(seconds: int) -> dict[str, tuple[str, str]]:
        who = f"person{uuid.uuid4().hex[:8]}"
        return {platform: send(stack, platform, who, f"/slow {seconds}", "passive") for platform in BOTH}

    return lambda platform, seconds: send_on_both(seconds)[platform]


@pytest.mark.parametrize("platform", BOTH)
@pytest.mark.parametrize(("seconds", "deliveries"), [(1, 1), (6, 2), (11, 3)])
def test_a_late_reply_is_returned_to_the_delivery_that_still_waits(
    stack: Stack, slow_reply: Callable[[str, int], tuple[str, str]], platform: str, seconds: int, deliveries: int
) -> None:
    id_, room = slow_reply(platform, seconds)
    assert texts(stack, platform, room) == [f"That took {seconds} seconds."]
    assert attempts(stack, id_, deliveries) == [504] * (deliveries - 1) + [200]
    assert [reply["receipts"] for reply in journal(stack, id_, "SENT")] == [["passive"]]
    assert bot_runs(stack, id_) == 1


@pytest.mark.parametrize(("platform", "path"), [("wecom", "message/send"), ("wechat", "message/custom/send")])
def test_a_reply_after_the_last_delivery_is_sent_by_the_api(
    stack: Stack, slow_reply: Callable[[str, int], tuple[str, str]], platform: str, path: str
) -> None:
    id_, room = slow_reply(platform, 20)
    assert attempts(stack, id_, 3) == [504, 504, 200]
    assert texts(stack, platform, room) == ["That took 20 seconds."]
    (reply,) = journal(stack, id_, "SENT")
    assert reply["receipts"] != ["passive"]
    calls = [call["path"] for call in stack.get("/api/calls", platform=platform) if call["room"] == room]
    assert calls == [f"/cgi-bin/{path}"]
    assert bot_runs(stack, id_) == 1


def test_a_reply_that_the_api_rejects_is_deferred_to_the_next_passive_reply(stack: Stack, person: str) -> None:
    id_, room = send(stack, "wechat", person, "/slow 20", "passive")
    assert attempts(stack, id_, 3) == [504, 504, 200]
    stack.post("/api/events", platform="wechat", app="passive", kind="close_window", sender=person)

    def deferred() -> bool:
        replies = stack.get(f"/api/journal/{id_}")["replies"]
        return bool(replies) and replies[0]["reason"].startswith("45015")

    stack.wait(deferred)
    next_, _ = send(stack, "wechat", person, "/echo next", "passive")
    assert texts(stack, "wechat", room) == ["That took 20 seconds.\nnext"]
    assert [reply["receipts"] for reply in journal(stack, id_, "SENT")] == [["passive"]]
    assert [bot_runs(stack, one) for one in (id_, next_)] == [1, 1]


def test_a_late_reply_of_an_active_account_fails_with_the_platforms_code(stack: Stack, person: str) -> None:
    id_, _ = send(stack, "wechat", person, "/slow 3")
    stack.post("/api/events", platform="wechat", app="demo", kind="close_window", sender=person)
    (reply,) = journal(stack, id_, "FAILED")
    assert reply["reason"].startswith("45015")


def test_logs_contain_ids_but_no_secrets_and_no_texts(stack: Stack, person: str) -> None:
    hidden: list[str] = []
    ids: list[str] = []
    for platform, secret in zip(BOTH, ("secret", "app_secret"), strict=True):
        text = f"text-{uuid.uuid4().hex}"
        id_, room = send(stack, platform, person, f"/echo {text}", "passive")
        assert texts(stack, platform, room) == [text]
        encrypted = base64.b64decode(stack.get(f"/api/trace/{id_}")["wire"]["body"]).decode()
        config = stack.facts["apps"][platform]["passive"]
        hidden += [text, encrypted, *(config[name] for name in (secret, "token", "encoding_aes_key"))]
        ids.append(id_)
    found = stack.logs()
    assert [id_ for id_ in ids if id_ not in found] == []
    assert not [value for value in hidden if value in found]
