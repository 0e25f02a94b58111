"""The operator's tool for the dead-letter queues: list, show, send back."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

from parley.engine.aws import dynamodb
from parley.journal.inbox import Decision, Inbox
from parley.model import Message
from parley.model.codec import encode
from parley_cli import dead_letters, dlq
from parley_cli.deployment import Deployment, QueuePair
from tests.factories import make_message
from tests.unit.cli.tool import parley, use_deployment

pytestmark = pytest.mark.usefixtures("aws")


def message(id_: str) -> Message:
    return make_message(id_, "the person's words")


class Functions:
    """Lambda, of which only `invoke` is used."""

    def __init__(self) -> None:
        self.invoked: list[dict[str, Any]] = []

    def invoke(self, **request: Any) -> None:
        self.invoked.append(request)


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    sqs = boto3.client("sqs")

    def url(name: str) -> str:
        attributes: Any = {"FifoQueue": "true", "DeduplicationScope": "messageGroup"}
        return sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]

    queues = tuple(QueuePair(name, url(f"{name}-q"), url(f"{name}-dead")) for name in ("inbound", "outbound"))
    incoming = QueuePair("incoming", "parley-incoming", sqs.create_queue(QueueName="incoming-dead")["QueueUrl"])
    found = Deployment(sqs, Functions(), dynamodb(), "parley", (*queues, incoming))
    use_deployment(monkeypatch, found)
    monkeypatch.setattr(dead_letters, "_POLL_SECONDS", 0)
    return found


@pytest.fixture
def send_to_dead_letters(deployment: Deployment) -> Callable[..., None]:
    """Puts a body into the dead-letter queue of the inbound queue."""

    numbers = count()

    def put(body: bytes | str, *, group: str = "g") -> None:
        deployment.sqs.send_message(
            QueueUrl=deployment.queues[0].dead,
            MessageBody=body.decode() if isinstance(body, bytes) else body,
            MessageGroupId=group,
            MessageDeduplicationId=str(next(numbers)),
        )

    return put


def bodies(deployment: Deployment, url: str) -> list[str]:
    found: list[str] = []
    while messages := deployment.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for each in messages:
            found.append(each["Body"])
            deployment.sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return found


def test_the_list_has_reason_and_age_but_no_texts(
    deployment: Deployment, send_to_dead_letters: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    Inbox(dynamodb(), "parley", 86_400).failed(message("m1"), "ValueError at bot.py:7", 5, 1.0)
    send_to_dead_letters(encode(message("m1")))
    assert parley("dlq", "list") == 0
    shown = capsys.readouterr().out
    assert "inbound: 1 dead letters" in shown
    assert "outbound: 0 dead letters" in shown
    assert "feishu/demo m1" in shown
    assert "ValueError at bot.py:7" in shown
    assert " s  RECEIVED" in shown
    assert "words" not in shown


def test_a_list_removes_nothing(
    deployment: Deployment, send_to_dead_letters: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    send_to_dead_letters(encode(message("m1")))
    for _ in range(2):
        parley("dlq", "list")
        assert "feishu/demo m1" in capsys.readouterr().out


def test_show_prints_the_body_and_the_state(
    deployment: Deployment, send_to_dead_letters: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    send_to_dead_letters(encode(message("m1")))
    assert parley("dlq", "show", "m1") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["body"]["content"]["text"] == "the person's words"
    assert shown["state"] == "not in the journal"


def test_send_sends_one_message_back(deployment: Deployment, send_to_dead_letters: Callable[..., None]) -> None:
    for name in ("m1", "m2"):
        send_to_dead_letters(encode(message(name)), group=name)
    assert parley("dlq", "send", "m2") == 0
    assert [json.loads(body)["id"] for body in bodies(deployment, deployment.queues[0].queue)] == ["m2"]
    assert [json.loads(body)["id"] for body in bodies(deployment, deployment.queues[0].dead)] == ["m1"]


def test_send_all_keeps_the_order_of_each_conversation(
    deployment: Deployment, send_to_dead_letters: Callable[..., None]
) -> None:
    for number in range(25):
        send_to_dead_letters(encode(message(f"m{number:02}")), group=f"g{number % 2}")
    assert parley("dlq", "send-all", "--queue", "inbound") == 0
    back = [json.loads(body)["id"] for body in bodies(deployment, deployment.queues[0].queue)]
    assert len(back) == 25
    for group in (0, 1):
        mine = [name for name in back if int(name[1:]) % 2 == group]
        assert mine == sorted(mine)
    assert bodies(deployment, deployment.queues[0].dead) == []


def test_delete_removes_one_message_and_what_the_journal_holds_of_it(
    deployment: Deployment, send_to_dead_letters: Callable[..., None]
) -> None:
    inbox = Inbox(dynamodb(), "parley", 86_400)
    for id_ in ("m1", "m2"):
        inbox.record(message(id_), "", '{"look up": "the person"}', 1.0)
        send_to_dead_letters(encode(message(id_)), group=id_)
    assert parley("dlq", "delete", "m1") == 0
    left = [json.loads(body)["id"] for body in bodies(deployment, deployment.queues[0].dead)]
    assert left == ["m2"]
    assert [inbox.open(message(id_)).results == "" for id_ in ("m1", "m2")] == [True, False]


def test_delete_leaves_a_decision_in_the_journal(
    deployment: Deployment, send_to_dead_letters: Callable[..., None]
) -> None:
    inbox = Inbox(dynamodb(), "parley", 86_400)
    inbox.decide(message("m1"), inbox.open(message("m1")), Decision(), 1.0)
    send_to_dead_letters(encode(message("m1")))
    assert parley("dlq", "delete", "m1") == 0
    assert inbox.open(message("m1")).decided == 0


def test_an_unreadable_message_is_listed_and_can_be_sent_back(
    deployment: Deployment, send_to_dead_letters: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    send_to_dead_letters("not json")
    parley("dlq", "list")
    assert "not readable" in capsys.readouterr().out
    parley("dlq", "send-all")
    assert bodies(deployment, deployment.queues[0].queue) == ["not json"]


def test_an_unknown_id_is_an_error(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    assert parley("dlq", "send", "nowhere") == 1
    assert "No dead letter 'nowhere' in inbound, outbound, incoming" in capsys.readouterr().err
    assert parley("dlq", "show") == 2
    assert parley("dlq", "list", "--queue", "none") == 1
    assert "The queues are inbound, outbound, incoming" in capsys.readouterr().err


def test_without_a_local_stack_the_error_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARLEY_LOCAL_DIR", str(tmp_path))
    assert parley("dlq", "list") == 1
    assert "make up" in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "shown"), [(5, "5 s"), (90, "2 min"), (7300, "2 h"), (200_000, "2 d")])
def test_ages_are_short(seconds: float, shown: str) -> None:
    assert dlq._age(seconds) == shown


def test_a_list_that_takes_longer_than_the_letters_were_hidden_is_complete(
    deployment: Deployment, send_to_dead_letters: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(25):
        send_to_dead_letters("x", group=str(number))
    described = dead_letters._dead_letter

    def slow(found: Deployment, queue: QueuePair, letter: dict[str, Any]) -> dead_letters.DeadLetter:
        """All letters that were received are visible again."""
        for seen in receipts:
            dead_letters._make_visible(found, queue, seen)
        receipts.append(letter["ReceiptHandle"])
        return described(found, queue, letter)

    receipts: list[str] = []
    monkeypatch.setattr(dead_letters, "_dead_letter", slow)
    assert len(list(dead_letters.dead_letters(deployment, deployment.queues[0]))) == 25


def test_send_all_ends_although_the_messages_fail_again(
    deployment: Deployment, send_to_dead_letters: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        send_to_dead_letters("x", group=str(number))
    send_back, sent = dead_letters.send_back, list[str]()

    def failing(found: Deployment, letter: dead_letters.DeadLetter) -> None:
        send_back(found, letter)
        sent.append(letter.id)
        assert len(sent) < 10
        send_to_dead_letters("x", group=letter.group)

    monkeypatch.setattr(dead_letters, "send_back", failing)
    assert dead_letters.send_all(deployment, deployment.queues[0]) == 3


ALARM = {"id": "e-1", "source": "aws.cloudwatch", "detail-type": "Alarm", "detail": {"secret": "words"}}
BY_LAMBDA = {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": ALARM}
BY_SNS = {"Records": [{"Sns": {"TopicArn": "arn:aws:sns:eu-west-1:1:alarms", "MessageId": "n-1", "Message": "words"}}]}
BY_EVENTBRIDGE = {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "not allowed"}


def put_event(deployment: Deployment, body: str, **attributes: str) -> None:
    """Put a body into the dead-letter queue of the function `incoming`."""
    typed: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    deployment.sqs.send_message(QueueUrl=deployment.queues[2].dead, MessageBody=body, MessageAttributes=typed)


@pytest.mark.parametrize(
    ("body", "attributes", "about", "reason"),
    [
        (json.dumps(ALARM), {}, "aws.cloudwatch Alarm e-1", "rejected: `event rejected` in the log"),
        (json.dumps(ALARM), BY_EVENTBRIDGE, "aws.cloudwatch Alarm e-1", "NO_PERMISSIONS: not allowed"),
        (json.dumps(BY_LAMBDA), {}, "aws.cloudwatch Alarm e-1", "RetriesExhausted"),
        (json.dumps(BY_SNS), {}, "arn:aws:sns:eu-west-1:1:alarms n-1", "rejected"),
        ("[1]", {}, "?", "rejected"),
        ("no json", {}, "?", "rejected"),
    ],
)
def test_the_list_has_the_events_that_were_not_handed_to_the_bot(
    deployment: Deployment,
    capsys: pytest.CaptureFixture[str],
    body: str,
    attributes: dict[str, str],
    about: str,
    reason: str,
) -> None:
    put_event(deployment, body, **attributes)
    assert parley("dlq", "list") == 0
    shown = capsys.readouterr().out.partition("incoming: 1 dead letters")[2]
    assert about in shown.splitlines()[1]
    assert reason in shown.splitlines()[2]
    assert "words" not in shown


@pytest.mark.parametrize("body", [ALARM, BY_LAMBDA])
def test_an_event_goes_back_to_its_function_once(deployment: Deployment, body: dict[str, Any]) -> None:
    put_event(deployment, json.dumps(body))
    assert parley("dlq", "send", "e-1") == 0
    (request,) = deployment.lambda_.invoked
    assert json.loads(request.pop("Payload")) == ALARM
    assert request == {"FunctionName": "parley-incoming", "Qualifier": "live", "InvocationType": "Event"}
    assert bodies(deployment, deployment.queues[2].dead) == []


def test_all_events_can_be_sent_back_and_one_can_be_deleted(deployment: Deployment) -> None:
    for number in range(3):
        put_event(deployment, json.dumps({**ALARM, "id": f"e-{number}"}))
    assert parley("dlq", "delete", "e-1") == 0
    assert parley("dlq", "send-all", "--queue", "incoming") == 0
    assert sorted(json.loads(each["Payload"])["id"] for each in deployment.lambda_.invoked) == ["e-0", "e-2"]
    assert bodies(deployment, deployment.queues[2].dead) == []
