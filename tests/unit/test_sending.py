"""`parley.send`: a reply that no message asked for is delivered once, in the order of its conversation."""

import os
import subprocess
import sys
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

import parley
from parley.bot import Bot, ResultError, Turn, rules
from parley.engine.aws import dynamodb, sqs
from parley.engine.processor import HandlerError, Processor
from parley.journal.inbox import Inbox
from parley.journal.limits import MAX_REPLY
from parley.model import Button, Card, Conversation, Destination, Image, Message, Outgoing, Reply, Text
from parley.model.codec import decode_message, decode_outgoing, encode
from parley.platforms import NAMES
from tests.abilities import WRITING_FIRST
from tests.factories import make_message
from tests.template import ROOT
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
ROOM = Destination(platform="feishu", app="demo", room_id="room")
PERSON = replace(ROOM, room_id="", user_id="ann")
HOOK = replace(ROOM, room_id="", webhook="alerts")


def received(queue: str) -> list[dict[str, Any]]:
    """Empty a queue. Returns its messages."""
    found: list[dict[str, Any]] = []
    url = os.environ[f"PARLEY_{queue}_URL"]
    while some := sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages"):
        for each in some:
            found.append(dict(each))
            sqs().delete_message(QueueUrl=url, ReceiptHandle=each.get("ReceiptHandle", ""))
    return found


def messages() -> list[Message]:
    return [decode_message(each["Body"]) for each in received("INBOUND")]


def process(*sent: Message, bot: Bot | None = None, receives: int = 1) -> list[Outgoing]:
    """Let the processor handle these messages. Returns the replies that it has put into the outbound queue."""
    processor = Processor(bot or Bot(), Inbox(dynamodb(), "parley", 30 * 86_400), clock=Clock())
    for number, message in enumerate(sent):
        attributes = {"MessageGroupId": Conversation.of(message).key, "ApproximateReceiveCount": str(receives)}
        body = encode(message).decode()
        processor({"messageId": f"r{number}", "receiptHandle": "h", "body": body, "attributes": attributes})
    return [decode_outgoing(each["Body"]) for each in received("OUTBOUND")]


def text_of(out: Outgoing) -> str:
    (segment,) = out.reply.segments
    assert isinstance(segment, Text)
    return segment.text


@pytest.mark.parametrize("to", [ROOM, PERSON, HOOK])
def test_a_reply_goes_to_its_destination_and_no_handler_sees_it(to: Destination) -> None:
    bot = Bot(when=rules.private)
    bot.event(parley_event := "parley.send")(lambda: pytest.fail(parley_event))
    bot.middleware(lambda turn, handle: pytest.fail("middleware"))

    id_ = parley.send(to, "deployed", key="build 7")
    (message,) = messages()
    (out,) = process(message, bot=bot)

    assert message.id == id_
    assert (text_of(out), out.to) == ("deployed", to)


@pytest.mark.parametrize("to", [ROOM, replace(ROOM, thread_id="t"), PERSON, HOOK])
def test_it_belongs_to_the_conversation_of_its_destination(to: Destination) -> None:
    """So replies keep their order: the queue hands out one message of a conversation at a time."""
    parley.send(to, "one", key="1")
    (entry,) = received("INBOUND")
    assert entry["Attributes"]["MessageGroupId"] == to.key == Conversation.of(decode_message(entry["Body"])).key


def test_a_message_of_a_person_in_the_room_is_in_the_same_conversation() -> None:
    parley.send(ROOM, "one", key="1")
    assert Conversation.of(messages()[0]) == Conversation.of(make_message(room="room"))


def test_the_same_key_is_delivered_once_also_with_another_reply_after_the_queue_has_forgotten_it() -> None:
    """SQS forgets after five minutes; here it has forgotten at once."""
    parley.send(ROOM, "first", key="build 7")
    first = messages()
    parley.send(ROOM, "second", key="build 8")
    other = messages()
    again = [replace(first[0], raw={**first[0].raw, "segments": [{"type": "text", "text": "changed"}]})]

    assert [text_of(out) for out in process(*first, *other)] == ["first", "second"]
    found = process(*again, *first, receives=2)
    assert {(out.id, text_of(out)) for out in found} <= {(out.id, "first") for out in found}


def test_sqs_drops_a_repetition_before_it_is_handled() -> None:
    for _ in range(2):
        parley.send(ROOM, "first", key="build 7")
    assert len(received("INBOUND")) == 1


def test_where_a_bot_only_answers_a_program_needs_the_right_of_a_message() -> None:
    person = Destination(platform="wecom_bot", app="demo", user_id="lin")
    with pytest.raises(ValueError, match="wecom_bot, where a bot cannot write first"):
        parley.send(person, "done", key="1")
    assert messages() == []
    for to in (replace(person, reply_token="sealed", reply_token_expires=9), replace(ROOM, reply_token="sealed")):
        parley.send(to, "done", key="1")
    assert [out.to.reply_token for out in process(*messages())] == ["sealed", ""]


def test_a_key_counts_in_its_conversation_only() -> None:
    elsewhere = [replace(ROOM, room_id="b"), replace(ROOM, app="other"), replace(ROOM, tenant="t"), PERSON, HOOK]
    for to in (ROOM, *elsewhere):
        parley.send(to, "deployed", key="build 7")
    assert len({message.id for message in messages()}) == 6


def test_the_queue_may_be_named_by_an_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    url = os.environ["PARLEY_INBOUND_URL"]
    monkeypatch.delenv("PARLEY_INBOUND_URL")
    with pytest.raises(KeyError, match="PARLEY_INBOUND_URL"):
        parley.send(ROOM, "one", key="1")
    parley.send(ROOM, "one", key="1", queue=url)
    monkeypatch.setenv("PARLEY_INBOUND_URL", url)
    assert len(messages()) == 1


def test_a_queue_that_is_not_there_is_an_error_of_aws() -> None:
    url = os.environ["PARLEY_INBOUND_URL"].replace("inbound", "nothing")
    with pytest.raises(ClientError):
        parley.send(ROOM, "one", key="1", queue=url)


def test_the_journal_does_not_hold_the_reply_twice() -> None:
    parley.send(ROOM, "a text", key="1")
    process(*messages())
    rows = boto3.client("dynamodb").scan(TableName="parley")["Items"]
    assert sum("a text" in str(row) for row in rows) == 1


CARD = Card(title="Go?", buttons=(Button(id="go", label="Go", value="x" * 200),))


@pytest.mark.parametrize(
    ("to", "reply", "key", "expected"),
    [
        (ROOM, "x", "", "the key has 0 characters"),
        (ROOM, "x", "k" * 257, "the key has 257 characters; possible are 1 to 256"),
        (replace(ROOM, app=""), "x", "k", "names no app"),
        (replace(ROOM, room_id=""), "x", "k", "no place: set room_id, user_id or webhook"),
        (replace(ROOM, platform="fax"), "x", "k", f"on the platform 'fax'; there are {', '.join(NAMES)}"),
        (ROOM, " ", "k", "the reply is empty"),
        (ROOM, Reply(op="edit", target="m"), "k", "an edit without a text"),
        (ROOM, "x" * (MAX_REPLY + 1), "k", f"at most {MAX_REPLY} can be stored"),
        (ROOM, Image(data=7), "k", "is not valid: Expected `str`, got `int`"),  # type: ignore[arg-type]
        (replace(ROOM, platform="discord"), CARD, "k", "Discord"),
    ],
)
def test_what_cannot_be_delivered_is_an_error_for_the_caller(to: Destination, reply: Any, key: str, expected: str):
    with pytest.raises((ValueError, ResultError)) as error:
        parley.send(to, reply, key=key)
    assert expected in str(error.value)
    assert received("INBOUND") == []


def test_a_reply_of_another_program_that_is_not_readable_goes_to_the_dead_letters() -> None:
    parley.send(ROOM, "one", key="1")
    (message,) = messages()
    broken = replace(message, raw={"segments": [{"type": "text", "text": 7}]})
    wrong = r"not valid: Expected `str`, got `int` - at `\$.segments\[0\].text`"
    for receives in range(1, 5):
        with pytest.raises(HandlerError, match=wrong):
            process(broken, receives=receives)
    process(broken, receives=5)
    assert [decode_message(each["Body"]).id for each in received("INBOUND_DEAD")] == [message.id]


@pytest.mark.parametrize("name", WRITING_FIRST)
def test_every_platform_is_possible_on_which_a_bot_can_write_first(name: str) -> None:
    to = Destination(platform=name, app="demo", user_id="ann")
    parley.send(to, "hello", key="1")
    assert [out.to for out in process(*messages())] == [to]


def imported(code: str) -> set[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "shared")}
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split())


def test_the_package_alone_imports_nothing_and_a_caller_neither_bots_nor_platforms() -> None:
    assert not {"boto3", "msgspec", "parley.sending"} & imported("import parley")
    loaded = imported("from parley import send")
    heavy = {"httpx", "pydantic", "aws_lambda_powertools", "parley.bot", "Crypto"}
    assert not {name for name in loaded if name in heavy or name.startswith("parley.platforms.")}


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="sendd"):
        parley.sendd  # type: ignore[attr-defined]  # noqa: B018


def test_the_next_message_of_the_room_sees_the_state_as_before() -> None:
    bot = Bot()

    @bot.command()
    def count(turn: Turn) -> str:
        turn.state["n"] = turn.state.get("n", 0) + 1
        return str(turn.state["n"])

    first, second = (make_message(f"m{number}", "/count", room="room") for number in range(2))
    parley.send(ROOM, "between", key="1")
    assert [text_of(out) for out in process(first, *messages(), second, bot=bot)] == ["1", "between", "2"]
