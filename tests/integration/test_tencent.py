"""WeCom and WeChat on the deployed stack: encrypted callbacks in; answers within them, or by the imitated APIs."""

import base64
import subprocess
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
    """Somebody whom no other test knows, and with them a chat of its own."""
    return f"person{uuid.uuid4().hex[:8]}"


def send(stack: Stack, platform: str, person: str, text: str, app: str = "demo") -> tuple[str, str]:
    """A person writes to the app: the ids of the message and of their chat."""
    said = stack.post("/api/messages", platform=platform, app=app, sender=person, text=text)
    return said["message_id"], said["room"]


def texts(stack: Stack, platform: str, room: str, count: int = 1, seconds: float = 60) -> list[str]:
    """What the bot has said, once there is so much of it."""
    found = stack.wait(lambda: said if len(said := stack.answers(room, platform)) >= count else None, seconds)
    return [message["text"] for message in found]


def journal(stack: Stack, message_id: str, state: str) -> list[dict[str, Any]]:
    """The replies to a message, once the first is in that state."""

    def look() -> list[dict[str, Any]] | None:
        replies = stack.get(f"/api/journal/{message_id}")["replies"]
        return replies if replies and replies[0]["state"] == state else None

    return stack.wait(look)


@each_app
def test_the_console_gets_its_echo(stack: Stack, platform: str, app: str) -> None:
    assert stack.post("/api/challenge", platform=platform, app=app)["ok"]


@pytest.mark.parametrize("platform", BOTH)
def test_a_text_is_answered(stack: Stack, platform: str, person: str) -> None:
    id_, room = send(stack, platform, person, "/echo 你好 <b>]]>")
    assert texts(stack, platform, room) == ["你好 <b>]]>"]
    assert [reply["state"] for reply in journal(stack, id_, "SENT")] == ["SENT"]


@pytest.mark.parametrize("platform", BOTH)
def test_a_button_is_answered(stack: Stack, platform: str, person: str) -> None:
    _, room = send(stack, platform, person, "/card")
    texts(stack, platform, room)
    (card,) = stack.answers(room, platform)
    stack.post("/api/press", platform=platform, app="demo", message_id=card["id"], button="tea", sender=person)
    assert texts(stack, platform, room, 2)[1] == "You chose tea."


@pytest.mark.parametrize("platform", BOTH)
def test_a_picture_is_told_as_one(stack: Stack, platform: str, person: str) -> None:
    said = stack.post("/api/messages", platform=platform, app="demo", sender=person, image=True)
    assert texts(stack, platform, said["room"]) == ["Thank you for the image."]


@pytest.mark.parametrize("how", ["signature", "stale", "plain", "truncated"])
@pytest.mark.parametrize("platform", BOTH)
def test_a_forgery_is_refused_and_nothing_comes_of_it(stack: Stack, platform: str, person: str, how: str) -> None:
    id_, room = send(stack, platform, person, "/count")
    texts(stack, platform, room)
    (attempt,) = stack.post("/api/deliver", message_id=id_, forge=how)["attempts"]
    assert attempt["status"] == (400 if how == "truncated" else 401)
    send(stack, platform, person, "/count")
    assert texts(stack, platform, room, 2) == ["1", "2"]


@pytest.mark.parametrize("platform", BOTH)
def test_three_deliveries_are_handled_once(stack: Stack, platform: str, person: str) -> None:
    id_, room = send(stack, platform, person, "/count")
    repeated = stack.post("/api/deliver", message_id=id_, times=2)["attempts"]
    assert [attempt["status"] for attempt in repeated] == [200, 200]
    send(stack, platform, person, "/count")
    assert texts(stack, platform, room, 2) == ["1", "2"]


@pytest.mark.parametrize("platform", BOTH)
def test_a_token_that_dies_is_replaced(stack: Stack, platform: str, person: str) -> None:
    stack.post("/api/faults", platform=platform, kind="token_expired", times=1)
    try:
        _, room = send(stack, platform, person, "/echo later")
        assert texts(stack, platform, room) == ["later"]
    finally:
        stack.http.delete("/api/faults", params={"platform": platform})


@each_app
def test_the_trace_of_a_reply_leads_to_its_message_and_call(stack: Stack, platform: str, app: str, person: str) -> None:
    said = [send(stack, platform, person, f"/echo {number}", app) for number in range(3)]
    room = said[0][1]
    texts(stack, platform, room, 3)
    for (id_, _), answer in zip(said, stack.answers(room, platform), strict=True):
        journal(stack, id_, "SENT")
        trace = stack.get(f"/api/trace/{answer['id']}")
        assert trace["message_id"] == id_
        shown = [call["body"]["text"]["content"] for call in trace["calls"] if call["path"].endswith("/send")]
        assert shown == ([] if app == "passive" else [answer["text"]])


@pytest.mark.parametrize("kind", ["WW", "MP"])
def test_a_domain_file_is_served_at_the_root_and_nothing_else_is(stack: Stack, kind: str) -> None:
    name, content = f"{kind}_verify_{uuid.uuid4().hex[:16]}.txt", uuid.uuid4().hex[:16]
    parameter = f"/parley/{stack.facts['stage']}/domain/{name}"
    stack.client("ssm").put_parameter(Name=parameter, Value=content, Type="String")

    def get(file: str) -> tuple[int, str]:
        answer = httpx.get(f"{stack.facts['api']}/{file}", timeout=30)
        return answer.status_code, answer.text

    stack.wait(lambda: get(name) == (200, content), 30)
    assert get(f"{kind}_verify_{uuid.uuid4().hex[:16]}.txt") == (404, "")
    assert get("index.html") == (404, "")


@pytest.mark.parametrize("platform", BOTH)
def test_an_operator_is_told_where_callbacks_come_from(stack: Stack, platform: str, tmp_path: Path) -> None:
    def asked(*options: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "tools.callback_addresses", platform, "demo", *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    assert stack.facts["apps"][platform]["demo"]
    told = asked()
    assert told == (0, "127.0.0.1/32\n")
    known = tmp_path / "known"
    known.write_text(told[1])
    assert asked("--known", str(known)) == (0, "")
    known.write_text("10.0.0.0/8\n")
    assert asked("--known", str(known)) == (3, "+ 127.0.0.1/32\n- 10.0.0.0/8\n")
    known.unlink()
    assert asked("--known", str(known)) == (1, f"error: {known}: No such file or directory\n")


# --- within the callback ----------------------------------------------------------------------------------------------


def bot_runs(stack: Stack, message_id: str) -> int:
    """How often the bot was run on a message. Each time leaves a line in the log, which comes a moment later."""

    def lines() -> int:
        found = logged()
        if not found:
            # The emulator takes up what a worker wrote a few milliseconds late with that worker's next call.
            with ThreadPoolExecutor(len(BOTH)) as pool:
                list(pool.map(idle, BOTH))
        return found

    def idle(_: str) -> None:
        stack.client("lambda").invoke(FunctionName=stack.facts["functions"]["processor"], Payload=b'{"Records": []}')

    def logged() -> int:
        pages = stack.client("logs").get_paginator("filter_log_events")
        found = [
            event["message"]
            for page in pages.paginate(logGroupName=stack.facts["log_groups"]["processor"])
            for event in page["events"]
            if message_id in event["message"]
        ]
        return sum("message decided" in line or "handler failed" in line for line in found)

    handled = stack.wait(lines)
    # A worker that died would have left no line; that the bot was started again is noted before it is.
    assert stack.get(f"/api/journal/{message_id}")["attempts"] is None
    return handled


def attempts(stack: Stack, message_id: str, count: int) -> list[int]:
    """The statuses of the deliveries of a message, once there are so many."""

    def look() -> list[int] | None:
        found = [attempt["status"] for attempt in stack.get(f"/api/trace/{message_id}")["delivery"]["attempts"]]
        return found if len(found) >= count else None

    return stack.wait(look, 30)


@pytest.fixture(scope="module")
def slowly(stack: Stack) -> Callable[[str, int], tuple[str, str]]:
    """Asks for an answer that takes so many seconds: the ids of the message and of its chat. The first time for both
    platforms, so that they wait side by side.
    """

    @cache
    def ask(seconds: int) -> dict[str, tuple[str, str]]:
        who = f"person{uuid.uuid4().hex[:8]}"
        return {platform: send(stack, platform, who, f"/slow {seconds}", "passive") for platform in BOTH}

    return lambda platform, seconds: ask(seconds)[platform]


@pytest.mark.parametrize("platform", BOTH)
@pytest.mark.parametrize(("seconds", "deliveries"), [(1, 1), (6, 2), (11, 3)])
def test_a_late_answer_goes_with_the_delivery_that_still_waits(
    stack: Stack, slowly: Callable[[str, int], tuple[str, str]], platform: str, seconds: int, deliveries: int
) -> None:
    id_, room = slowly(platform, seconds)
    assert texts(stack, platform, room) == [f"That took {seconds} seconds."]
    assert attempts(stack, id_, deliveries) == [504] * (deliveries - 1) + [200]
    assert [reply["receipts"] for reply in journal(stack, id_, "SENT")] == [["passive"]]
    assert bot_runs(stack, id_) == 1


@pytest.mark.parametrize(("platform", "path"), [("wecom", "message/send"), ("wechat", "message/custom/send")])
def test_an_answer_after_the_last_delivery_goes_by_the_api(
    stack: Stack, slowly: Callable[[str, int], tuple[str, str]], platform: str, path: str
) -> None:
    id_, room = slowly(platform, 20)
    assert attempts(stack, id_, 3) == [504, 504, 200]
    assert texts(stack, platform, room) == ["That took 20 seconds."]
    (reply,) = journal(stack, id_, "SENT")
    assert reply["receipts"] != ["passive"]
    calls = [call["path"] for call in stack.get("/api/calls", platform=platform) if call["room"] == room]
    assert calls == [f"/cgi-bin/{path}"]
    assert bot_runs(stack, id_) == 1


def test_where_nothing_may_be_sent_any_more_it_goes_with_the_next_answer(stack: Stack, person: str) -> None:
    id_, room = send(stack, "wechat", person, "/slow 20", "passive")
    assert attempts(stack, id_, 3) == [504, 504, 200]
    stack.post("/api/events", platform="wechat", app="passive", kind="close_window", sender=person)

    def owed() -> bool:
        replies = stack.get(f"/api/journal/{id_}")["replies"]
        return bool(replies) and replies[0]["reason"].startswith("45015")

    stack.wait(owed)
    next_, _ = send(stack, "wechat", person, "/echo next", "passive")
    assert texts(stack, "wechat", room) == ["That took 20 seconds.\nnext"]
    assert [reply["receipts"] for reply in journal(stack, id_, "SENT")] == [["passive"]]
    assert [bot_runs(stack, one) for one in (id_, next_)] == [1, 1]


def test_an_account_that_answers_actively_is_told_that_it_came_too_late(stack: Stack, person: str) -> None:
    id_, _ = send(stack, "wechat", person, "/slow 3")
    stack.post("/api/events", platform="wechat", app="demo", kind="close_window", sender=person)
    (reply,) = journal(stack, id_, "FAILED")
    assert reply["reason"].startswith("45015")


def test_no_log_holds_a_secret_or_what_was_said(stack: Stack, person: str) -> None:
    hidden: list[str] = []
    ids: list[str] = []
    for platform, secret in zip(BOTH, ("secret", "app_secret"), strict=True):
        words = f"text-{uuid.uuid4().hex}"
        id_, room = send(stack, platform, person, f"/echo {words}", "passive")
        assert texts(stack, platform, room) == [words]
        encrypted = base64.b64decode(stack.get(f"/api/trace/{id_}")["wire"]["body"]).decode()
        config = stack.facts["apps"][platform]["passive"]
        hidden += [words, encrypted, *(config[name] for name in (secret, "token", "encoding_aes_key"))]
        ids.append(id_)
    logs, found = stack.client("logs"), ""
    for group in stack.facts["log_groups"].values():
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            found += "\n".join(event["message"] for event in page["events"])
    assert [id_ for id_ in ids if id_ not in found] == []
    assert not [value for value in hidden if value in found]
