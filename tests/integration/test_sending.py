"""Sending first on a stack that enforces the roles: from a program, EventBridge, SNS and AWS events, each once.

The bot is examples/operations. EventBridge takes events of `aws.cloudwatch` from AWS only: the tests
give them to the function `incoming` in EventBridge's form.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from parley import send
from parley.engine import aws
from parley.model import Destination
from parley.model.codec import encode
from parley.sending import prepared
from tests.stack import ROOT, Stack, running
from tools import send as tool

OPERATIONS = "examples/operations"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own that enforces the roles of its functions, with the bot of the example."""
    directory: Path = tmp_path_factory.mktemp("sending")
    with running(directory, "--iam", bot=OPERATIONS) as found:
        yield found


@pytest.fixture
def program(strict: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Let this process be a program whose role has the policy of the stack and nothing else."""
    iam, name = strict.client("iam"), f"program-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    outputs = strict.client("cloudformation").describe_stacks(StackName="parley-local")["Stacks"][0]["Outputs"]
    policy = next(each["OutputValue"] for each in outputs if each["OutputKey"] == "SendPolicy")
    iam.attach_user_policy(UserName=name, PolicyArn=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", strict.facts["aws_endpoint"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", strict.facts["region"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    aws.sqs.cache_clear()
    yield strict
    aws.sqs.cache_clear()


@pytest.fixture
def room() -> str:
    """A new group."""
    return f"group-{uuid.uuid4().hex[:8]}"


def texts(stack: Stack, room: str, count: int, platform: str = "feishu") -> list[str]:
    """The texts of the bot, or of a robot of its app, in `room`, once there are `count`."""

    def shown() -> list[str]:
        messages = stack.get("/api/messages", platform=platform, room=room)["messages"]
        return [message["text"] for message in messages if message["sender"]["kind"] != "user"]

    stack.wait(lambda: len(shown()) >= count)
    return shown()


def made(stack: Stack, room: str) -> Destination:
    """The place of a new room of Feishu, with the platform's id."""
    stack.send("/here", room=room)
    (reply,) = texts(stack, room, 1)
    return Destination(**json.loads(reply))


def test_a_program_sends_once_with_one_key_also_from_several_processes(program: Stack, room: str) -> None:
    to, queue = made(program, room), program.facts["queues"]["inbound"]

    def sent(text: str, key: str) -> None:
        send(to, text, key=key, queue=queue)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: sent("first", "build 7"), range(4)))
    sent("changed", "build 7")
    sent("second", "build 8")
    assert texts(program, room, 3)[1:] == ["first", "second"]

    # As after five minutes, when SQS has forgotten the first one.
    again = prepared(to, "changed", "build 7")
    group = {"MessageGroupId": to.key, "MessageDeduplicationId": uuid.uuid4().hex}
    program.client("sqs").send_message(QueueUrl=queue, MessageBody=encode(again).decode(), **group)
    sent("third", "build 9")
    assert texts(program, room, 4)[1:] == ["first", "second", "third"]


def test_the_policy_for_programs_allows_nothing_else(program: Stack) -> None:
    denied = program.facts["queues"]["outbound"]
    to = Destination(platform="feishu", app="demo", room_id="oc_1")
    with pytest.raises(Exception, match=r"AccessDenied|not authorized"):
        send(to, "never", key="1", queue=denied)


def by_bus(stack: Stack, detail: dict[str, Any]) -> None:
    """For this stage; and once more for another one, whose stack has a rule of its own."""
    for stage in (stack.facts["stage"], "prod"):
        body = json.dumps({**detail, "stage": stage, "key": f"{detail['key']} {stage}"})
        entry = {"Source": "deployments", "DetailType": "parley.send", "Detail": body}
        assert stack.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def by_topic(stack: Stack, detail: dict[str, Any]) -> None:
    stack.client("sns").publish(TopicArn=stack.facts["topic"], Message=json.dumps(detail))


@pytest.mark.parametrize("publish", [by_bus, by_topic])
def test_an_event_and_a_notification_are_delivered_once_with_one_key(
    strict: Stack, room: str, publish: Callable[[Stack, dict[str, Any]], None]
) -> None:
    to = made(strict, room)
    place = {"platform": to.platform, "app": to.app, "tenant": to.tenant, "room_id": to.room_id}
    for key in ("1", "1", "2"):
        publish(strict, {"destination": place, "reply": f"with key {key}", "key": key})
    assert sorted(texts(strict, room, 3)[1:]) == ["with key 1", "with key 2"]


def test_what_cannot_be_read_is_logged_and_kept(strict: Stack) -> None:
    by_topic(strict, {"destination": "nowhere", "reply": "the words of a person"})
    queue = strict.facts["queues"]["incoming_dead"]
    (dead,) = strict.wait(lambda: strict.client("sqs").receive_message(QueueUrl=queue).get("Messages"))
    assert "the words of a person" in dead["Body"]
    strict.wait(lambda: "event rejected" in strict.logs("incoming"))
    assert "Expected `object`, got `str` - at `$.destination`" in strict.logs("incoming")
    assert "the words of a person" not in strict.logs("incoming", "processor")


def test_the_rules_lead_to_the_version_in_use_and_have_the_sources_of_the_parameter(strict: Stack) -> None:
    events = strict.client("events")
    rules = {rule["Name"]: rule for rule in events.list_rules()["Rules"] if "Incoming" in rule["Name"]}
    patterns = [json.loads(rule["EventPattern"]) for rule in rules.values()]
    assert sorted(patterns, key=str) == [
        {"detail": {"stage": ["local"]}, "detail-type": ["parley.send"]},
        {"source": ["aws.cloudwatch", "aws.codepipeline"]},
    ]
    for name in rules:
        (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
        assert target["Arn"].endswith(":live")
        assert target["DeadLetterConfig"]["Arn"].endswith(":parley-local-incoming-dead")


def test_an_alarm_is_a_card_in_every_place_and_is_acknowledged_there(strict: Stack) -> None:
    deployment = tool.Deployment(strict.facts["queues"]["inbound"], strict.facts["functions"]["incoming"])
    event = tool.current(json.loads((ROOT / OPERATIONS / "events" / "alarm.json").read_text()))
    for _ in range(2):  # EventBridge delivers at least once
        strict.client("lambda").invoke(
            FunctionName=deployment.function, Qualifier="live", InvocationType="Event", Payload=json.dumps(event)
        )
    for platform in ("feishu", "discord", "wecom"):
        assert ["orders-5xx" in text for text in texts(strict, "team", 1, platform)] == [True], platform

    (card,) = strict.replies("team", "feishu")
    strict.post("/api/press", platform="feishu", app="demo", message_id=card["id"], sender="ann", button=0)
    strict.wait(lambda: "Acknowledged by" in strict.replies("team", "feishu")[0]["text"])
    assert len(strict.replies("team", "feishu")) == 1
