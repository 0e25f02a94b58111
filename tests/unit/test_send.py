"""The tool that sends from a terminal: to the local stack, or to one on AWS."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from parley.engine.aws import sqs
from parley.model import Destination
from parley.model.codec import decode_message
from parley.model.sending import reply_in
from tools import send
from tools.send import Deployment, main

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> str:
    """The inbound queue of the stack that the tool finds."""
    url = sqs().get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
    monkeypatch.delenv("PARLEY_INBOUND_URL")
    for name in ("local", "deployed"):
        monkeypatch.setattr(send, name, lambda *_: Deployment(url, "incoming"))
    return url


def test_a_text_goes_to_the_room_once_with_one_key(queue: str, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("first", "second"):
        assert main(["feishu/demo", text, "--room", "oc_1", "--key", "1"]) == 0
    (entry,) = sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    message = decode_message(entry.get("Body", ""))
    assert reply_in(message).to == Destination(platform="feishu", app="demo", room_id="oc_1")
    assert capsys.readouterr().out == f"sent: {message.id}\n" * 2


def test_without_a_key_each_call_is_a_new_one(queue: str) -> None:
    for _ in range(2):
        assert main(["feishu/demo", "hi", "--person", "ou_1", "--stack", "parley-prod"]) == 0
    count = sqs().get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert count["Attributes"]["ApproximateNumberOfMessages"] == "2"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["feishu/demo", "hi"], "the destination has no place"),
        (["fax/demo", "hi", "--room", "1"], "the platform 'fax'"),
        (["feishu", "hi", "--room", "1"], "names no app"),
        (["--event", "no-such-file.json"], "No such file"),
    ],
)
def test_what_cannot_be_sent_is_an_error(
    queue: str, arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert error in capsys.readouterr().err


def test_an_event_goes_to_the_function_with_a_new_id(
    queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []

    class Lambda:
        def invoke(self, **given: Any) -> None:
            calls.append(given)

    monkeypatch.setattr(boto3, "client", lambda _service: Lambda())
    (tmp_path / "event.json").write_text(json.dumps({"id": "old", "source": "aws.x", "time": "2020-01-01T00:00:00Z"}))
    assert main(["--event", str(tmp_path / "event.json")]) == 0
    (call,) = calls
    assert (call["FunctionName"], call["Qualifier"], call["InvocationType"]) == ("incoming", "live", "Event")
    sent = json.loads(call["Payload"])
    assert sent["source"] == "aws.x"
    assert sent["id"] != "old"
    assert sent["time"] > "2026"


def test_the_addresses_of_a_stack_are_its_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = [
        {"OutputKey": "InboundQueueUrl", "OutputValue": "https://q"},
        {"OutputKey": "IncomingFunction", "OutputValue": "f"},
    ]

    class CloudFormation:
        def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
            assert StackName == "parley-prod"
            return {"Stacks": [{"Outputs": outputs}]}

    monkeypatch.setattr(boto3, "client", lambda _service: CloudFormation())
    assert send.deployed("parley-prod") == Deployment("https://q", "f")
