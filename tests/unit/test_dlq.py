"""The operator's view of the dead letters, and the way back."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

from parley.engine.aws import dynamodb
from parley.journal.inbox import Inbox
from parley.model import Content, Context, Message, Sender
from parley.model.codec import encode
from tools import dlq
from tools.dlq import NotFound, Pair, Place

pytestmark = pytest.mark.usefixtures("aws")


def message(id_: str) -> Message:
    return Message(
        id=id_,
        platform="feishu",
        app="demo",
        kind="message",
        sender=Sender(id="person"),
        content=Content(text="the person's words"),
        timestamp=1_800_000_000,
        context=Context(room_id="room"),
    )


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    sqs = boto3.client("sqs")

    def url(name: str) -> str:
        attributes: Any = {"FifoQueue": "true", "DeduplicationScope": "messageGroup"}
        return sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]

    pairs = tuple(Pair(name, url(f"{name}-q"), url(f"{name}-dead")) for name in dlq.NAMES)
    found = Place(sqs, dynamodb(), "parley", pairs)
    monkeypatch.setattr(dlq, "local", lambda: found)
    monkeypatch.setattr(dlq, "_PATIENCE", 0)
    return found


@pytest.fixture
def bury(place: Place) -> Callable[..., None]:
    """Puts a body among the dead letters of the inbound queue."""

    numbers = count()

    def put(body: bytes | str, *, group: str = "g") -> None:
        place.sqs.send_message(
            QueueUrl=place.pairs[0].dead,
            MessageBody=body.decode() if isinstance(body, bytes) else body,
            MessageGroupId=group,
            MessageDeduplicationId=str(next(numbers)),
        )

    return put


def bodies(place: Place, url: str) -> list[str]:
    found: list[str] = []
    while messages := place.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for each in messages:
            found.append(each["Body"])
            place.sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return found


def test_the_list_has_reason_and_age_and_no_words(
    place: Place, bury: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    Inbox(dynamodb(), "parley", 86_400).failed(message("m1"), "ValueError at bot.py:7", 5, 1.0)
    bury(encode(message("m1")))
    assert dlq.main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "inbound: 1 dead letters" in shown
    assert "outbound: 0 dead letters" in shown
    assert "feishu/demo m1" in shown
    assert "ValueError at bot.py:7" in shown
    assert " s  RECEIVED" in shown
    assert "words" not in shown


def test_looking_takes_nothing_away(
    place: Place, bury: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    bury(encode(message("m1")))
    for _ in range(2):
        dlq.main(["list"])
        assert "feishu/demo m1" in capsys.readouterr().out


def test_one_is_shown_whole(place: Place, bury: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    bury(encode(message("m1")))
    assert dlq.main(["show", "m1"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["body"]["content"]["text"] == "the person's words"
    assert shown["state"] == "not in the journal"


def test_one_goes_back_and_the_others_stay(place: Place, bury: Callable[..., None]) -> None:
    for name in ("m1", "m2"):
        bury(encode(message(name)), group=name)
    assert dlq.main(["send", "m2"]) == 0
    assert [json.loads(body)["id"] for body in bodies(place, place.pairs[0].queue)] == ["m2"]
    assert [json.loads(body)["id"] for body in bodies(place, place.pairs[0].dead)] == ["m1"]


def test_all_go_back_each_conversation_in_its_order(place: Place, bury: Callable[..., None]) -> None:
    for number in range(25):
        bury(encode(message(f"m{number:02}")), group=f"g{number % 2}")
    assert dlq.main(["send-all", "--queue", "inbound"]) == 0
    back = [json.loads(body)["id"] for body in bodies(place, place.pairs[0].queue)]
    assert len(back) == 25
    for group in (0, 1):
        mine = [name for name in back if int(name[1:]) % 2 == group]
        assert mine == sorted(mine)
    assert bodies(place, place.pairs[0].dead) == []


def test_what_cannot_be_read_is_listed_and_can_go_back(
    place: Place, bury: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    bury("not json")
    dlq.main(["list"])
    assert "not readable" in capsys.readouterr().out
    dlq.main(["send-all"])
    assert bodies(place, place.pairs[0].queue) == ["not json"]


def test_what_is_not_there_is_told(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert dlq.main(["send", "nowhere"]) == 1
    assert "no dead letter 'nowhere' in inbound, outbound" in capsys.readouterr().err
    assert dlq.main(["show"]) == 1


def test_without_a_local_stack_it_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_LOCAL_DIR", str(tmp_path))
    with pytest.raises(NotFound, match="make up"):
        dlq.local()


@pytest.mark.parametrize(("seconds", "shown"), [(5, "5 s"), (90, "2 min"), (7300, "2 h"), (200_000, "2 d")])
def test_ages_are_short(seconds: float, shown: str) -> None:
    assert dlq._age(seconds) == shown
