"""Reminders on a stack that enforces the roles: set and cancelled by the processor, sent by the sweeper, said once."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from parley.journal.table import timer_pk
from tests.stack import Stack, running


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own that enforces the roles of its functions, with the bot of tests/bots/planning."""
    with running(tmp_path_factory.mktemp("reminders"), "--iam", bot="tests/bots/planning") as found:
        yield found


@pytest.fixture
def room() -> str:
    """A new group."""
    return f"group-{uuid.uuid4().hex[:8]}"


def sweep(stack: Stack) -> dict[str, Any]:
    """Run the deployed sweeper. It waits for the reminders of the next minute."""
    answer = stack.client("lambda").invoke(FunctionName=stack.facts["functions"]["sweeper"], Payload=b"{}")
    result = json.load(answer["Payload"])
    assert "FunctionError" not in answer, result
    return result


def timers(stack: Stack) -> list[dict[str, Any]]:
    """The rows of all timers."""
    return stack.client("dynamodb").scan(
        TableName=stack.facts["table"],
        FilterExpression="begins_with(pk, :timer)",
        ExpressionAttributeValues={":timer": {"S": timer_pk("")}},
        ConsistentRead=True,
    )["Items"]


def said(stack: Stack, room: str, count: int, platform: str = "feishu") -> list[str]:
    """The texts of the bot in `room`, once there are `count`."""
    stack.wait(lambda: len(stack.replies(room, platform)) >= count)
    return [message["text"] for message in stack.replies(room, platform)]


@pytest.mark.parametrize("platform", ["feishu", "discord"])
def test_a_reminder_is_said_once_although_several_sweepers_run(strict: Stack, room: str, platform: str) -> None:
    strict.send("/nap 1 tea", room=room, platform=platform)
    assert said(strict, room, 1, platform) == ["planned"]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: sweep(strict), range(3)))
    assert said(strict, room, 2, platform) == ["planned", "tea"]
    sweep(strict)
    strict.send("/plans", room=room, platform=platform)
    assert said(strict, room, 3, platform) == ["planned", "tea", "nothing"]
    assert timers(strict) == []


def test_a_reminder_that_is_cancelled_is_not_said(strict: Stack, room: str) -> None:
    strict.send("/nap 2 tea", room=room)
    strict.send("/cancel", room=room)
    assert said(strict, room, 2) == ["planned", "1 cancelled"]
    assert timers(strict) == []
    sweep(strict)
    strict.send("/plans", room=room)
    assert said(strict, room, 3) == ["planned", "1 cancelled", "nothing"]


def test_a_repeated_reminder_gets_its_next_time(strict: Stack, room: str) -> None:
    strict.send("/every stretch", room=room)
    assert said(strict, room, 1) == ["planned"]
    (row,) = timers(strict)
    # An hour earlier, so that the test does not wait. The bot does not say it: it is before the first time.
    body = json.loads(row["body"]["S"])
    body["at"] -= 3600
    strict.client("dynamodb").update_item(
        TableName=strict.facts["table"],
        Key={"pk": row["pk"]},
        UpdateExpression="SET body = :body, due_at = :at",
        ExpressionAttributeValues={":body": {"S": json.dumps(body)}, ":at": {"N": repr(body["at"])}},
    )

    def moved() -> bool:
        return [float(each["due_at"]["N"]) for each in timers(strict)] > [body["at"]]

    # Without waiting for its end: it waits for the next time, which may be a minute away.
    sweeper = strict.facts["functions"]["sweeper"]
    strict.client("lambda").invoke(FunctionName=sweeper, InvocationType="Event", Payload=b"{}")
    strict.wait(moved)
    strict.send("/cancel", room=room)
    strict.wait(lambda: not timers(strict))
    strict.wait(lambda: "1 cancelled" in [message["text"] for message in strict.replies(room)])


def test_states_of_people_and_results_of_calls_work_with_the_role_of_the_processor(strict: Stack, room: str) -> None:
    person = f"person-{uuid.uuid4().hex[:8]}"
    strict.send("/pay", room=room, sender=person)
    strict.send("/pay", room=f"{room}-2", sender=person)
    paid = said(strict, room, 1) + said(strict, f"{room}-2", 1)
    assert sorted(text.partition(" of ")[0] for text in paid) == ["32, 1", "32, 2"]


def test_a_dialogue_goes_on_with_the_answer(strict: Stack, room: str) -> None:
    strict.send("/order tea", room=room)
    assert said(strict, room, 1) == ["How many?"]
    strict.send("two", room=room)
    assert said(strict, room, 3)[2] == "How many?"
    strict.send("2", room=room)
    assert said(strict, room, 4)[3] == "2 tea, 2 in all"
    strict.wait(lambda: not timers(strict))


def test_an_approval_is_decided_in_another_room(strict: Stack, room: str) -> None:
    strict.send("/nap 3600 later", room=f"{room}-ops")
    there = strict.replies(f"{room}-ops") or strict.wait_for_replies(f"{room}-ops")
    strict.send(f"/deploy 1.4 {there[0]['room']}", room=room)
    card = strict.wait(lambda: [each for each in strict.replies(f"{room}-ops") if "Deploy" in each["text"]])[0]
    strict.post("/api/press", platform="feishu", app="demo", message_id=card["id"], button="同意 Approve", sender="bob")
    strict.wait(lambda: "deployed 1.4" in [each["text"] for each in strict.replies(room)])
    closed = strict.wait(lambda: [each for each in strict.replies(f"{room}-ops") if "Approved" in each["text"]])
    assert [each["id"] for each in closed] == [card["id"]]
    strict.send("/cancel", room=f"{room}-ops")
