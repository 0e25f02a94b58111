"""The promises on a deployed stack, over HTTP and the emulator's queues and functions, while calls fail and the
functions' processes are killed.

It takes minutes, so `make promises` runs it and `make integration` does not. It starts a stack of its own, because it
kills processes.
"""

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from parley.journal.inbox import Inbox
from parley.journal.rows import row_of
from parley.model import Context, Message, Sender, Text
from parley.model.codec import encode
from parley_cli.main import run as parley
from tests.factories import make_message, make_reply
from tests.stack import Stack, running

ROOMS, MESSAGES, DELIVERIES = 20, 10, 3
RATES = {"http_500": 0.05, "limited": 0.05, "token_expired": 0.05, "drop_response": 0.05}
"""A fifth of all calls to the platform fail."""
_NAME = "AWS_LAMBDA_FUNCTION_NAME="
KILL_EVERY = 2.0
"""Seconds between two kills of a function's process."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of this suite's own stack."""
    return tmp_path_factory.mktemp("promises")


@pytest.fixture(scope="module")
def stack(directory: Path) -> Iterator[Stack]:
    """A stack of this suite's own, stopped after it."""
    with running(directory) as found:
        yield found


@pytest.fixture
def rooms() -> list[str]:
    """New groups for each test."""
    return [f"promise-{uuid.uuid4().hex[:8]}" for _ in range(ROOMS)]


@contextmanager
def faults(stack: Stack) -> Iterator[None]:
    """Let the platform fail at random inside the context."""
    for kind, rate in RATES.items():
        stack.post("/api/faults", platform="feishu", kind=kind, rate=rate, seed=11)
    try:
        yield
    finally:
        stack.http.delete("/api/faults").raise_for_status()


class Killer(threading.Thread):
    """Kills a process of the processor or the deliverer at regular intervals."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.functions = {stack.facts["functions"][name] for name in ("processor", "deliverer")}
        self.parent = int(stack.facts["pids"]["aws"])
        self.killed = 0
        self.ended = threading.Event()

    def run(self) -> None:
        """Kill processes until `ended` is set."""
        turn = 0
        while not self.ended.wait(KILL_EVERY):
            workers = sorted(self._workers())
            if workers:
                turn += 1
                os.kill(workers[turn % len(workers)], signal.SIGKILL)
                self.killed += 1

    def _workers(self) -> Iterator[int]:
        """The child processes of this stack's emulator that run one of the functions."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                environment = (entry / "environ").read_text(errors="replace").split("\0")
            except (OSError, ValueError, IndexError):
                continue  # the process has ended in the meantime
            names = {value.partition("=")[2] for value in environment if value.startswith(_NAME)}
            if parent == self.parent and names & self.functions:
                yield int(entry.name)


@contextmanager
def killing(stack: Stack) -> Iterator[Killer]:
    """Kill processes inside the context."""
    killer = Killer(stack)
    killer.start()
    try:
        yield killer
    finally:
        killer.ended.set()
        killer.join()


def texts(stack: Stack, room: str) -> list[str]:
    return [message["text"] for message in stack.replies(room)]


def test_every_conversation_counts_in_order_while_calls_fail_and_processes_are_killed(
    stack: Stack, rooms: list[str]
) -> None:
    """Two hundred messages in twenty conversations, each delivered three times."""
    wanted = [str(number) for number in range(1, MESSAGES + 1)]

    def talk(room: str) -> None:
        for _ in range(MESSAGES):
            id_ = stack.send("/count", room=room)
            for _ in range(DELIVERIES - 1):
                stack.post("/api/deliver", message_id=id_)

    with faults(stack), killing(stack) as killer:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(talk, rooms))
        _settle(stack, rooms, seconds=120)
    stack.wait(lambda: all(len(texts(stack, room)) >= MESSAGES for room in rooms) or None, seconds=300)
    # A last message in each room follows all replies that are still on their way.
    for room in rooms:
        stack.send("/echo end", room=room)
    stack.wait(lambda: all(texts(stack, room)[-1] == "end" for room in rooms) or None, seconds=120)
    assert {room: texts(stack, room) for room in rooms} == {room: [*wanted, "end"] for room in rooms}
    assert killer.killed >= 10
    assert dead(stack) == {"inbound": 0, "outbound": 0}


def _settle(stack: Stack, rooms: list[str], seconds: float) -> None:
    """Wait until 80 % of the replies are there, at most for `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if sum(len(texts(stack, room)) for room in rooms) >= 0.8 * ROOMS * MESSAGES:
            return
        time.sleep(1)  # between two looks


def dead(stack: Stack) -> dict[str, int]:
    """The number of messages in each dead-letter queue."""
    sqs, names = stack.client("sqs"), ("inbound", "outbound")
    wanted = "ApproximateNumberOfMessages"
    found = (
        sqs.get_queue_attributes(QueueUrl=stack.facts["queues"][f"{name}_dead"], AttributeNames=[wanted])
        for name in names
    )
    return {name: int(each["Attributes"][wanted]) for name, each in zip(names, found, strict=True)}


# --- one poisoned of fifty --------------------------------------------------------------------------------------------


def test_one_poisoned_conversation_of_fifty_delays_none_of_the_others(stack: Stack) -> None:
    """The poisoned message is retried for half a minute. All others get their replies long before that."""
    poison, before = uuid.uuid4().hex, dead(stack)["inbound"]
    healthy = _answer_times(stack, [f"healthy-{uuid.uuid4().hex[:8]}" for _ in range(49)])
    stack.client("sqs").send_message(
        QueueUrl=stack.facts["queues"]["inbound"],
        MessageBody="no message at all",
        MessageGroupId=poison,
        MessageDeduplicationId=poison,
    )
    poisoned = _answer_times(stack, [f"poison-{uuid.uuid4().hex[:8]}" for _ in range(49)])
    assert dead(stack)["inbound"] == before, (
        "the poisoned message was moved before the other conversations had their replies"
    )
    print(f"slowest of 49: {max(healthy):.2f} s without, {max(poisoned):.2f} s with a poisoned conversation")
    assert max(poisoned) <= max(healthy) * 1.5 + 2
    stack.wait(lambda: dead(stack)["inbound"] > before or None, seconds=180)
    _empty(stack, "inbound_dead")


def _answer_times(stack: Stack, rooms: list[str]) -> list[float]:
    """Seconds from each message to its reply."""

    def measure(room: str) -> float:
        started = time.monotonic()
        stack.send("/echo hello", room=room)
        stack.wait(lambda: stack.replies(room) or None, seconds=120)
        return time.monotonic() - started

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(measure, rooms))


def _empty(stack: Stack, queue: str) -> None:
    sqs, url = stack.client("sqs"), stack.facts["queues"][queue]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for each in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])


# --- the sweeper and the dead letters ---------------------------------------------------------------------------------


def new_message(stack: Stack, text: str) -> tuple[Message, str]:
    """A message as a callback queues it, in a room that exists at the platform, and that room."""
    room = f"left-{uuid.uuid4().hex[:8]}"
    first = stack.send("/echo first", room=room)
    stack.wait_for_replies(room)
    items = stack.client("dynamodb").scan(TableName=stack.facts["table"], ConsistentRead=True)["Items"]
    replies = [row_of(item) for item in items if item["pk"]["S"].startswith("out#")]
    [to] = [row.out.to for row in replies if row.out.to.message_id == first]
    message = make_message(
        f"om_{uuid.uuid4().hex}",
        text,
        platform=to.platform,
        app=to.app,
        sender=Sender(id=to.user_id),
        segments=(Text(text=text),),
        timestamp=int(time.time()),
        context=Context(room_id=to.room_id, tenant=to.tenant),
    )
    return message, room


def test_a_reply_that_was_never_queued_is_swept_within_a_minute(stack: Stack) -> None:
    """Its processor crashed between the decision and the queue, and the message was not delivered again."""
    message, room = new_message(stack, "unused")
    out = make_reply(message, "left behind", created=time.time())
    Inbox(stack.client("dynamodb"), stack.facts["table"], 86_400).add(out, time.time() - 60)
    stack.wait_for_replies(room, 2, seconds=90)
    assert texts(stack, room)[1:] == ["left behind"]


def test_a_dead_letter_sent_back_is_handled_once(
    stack: Stack, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is put into the dead-letter queue by hand and sent back by `make dlq`, twice."""
    message, room = new_message(stack, "/count")
    monkeypatch.setenv("PARLEY_LOCAL_DIR", str(directory))

    def send_to_dead_letters() -> None:
        stack.client("sqs").send_message(
            QueueUrl=stack.facts["queues"]["inbound_dead"],
            MessageBody=encode(message).decode(),
            MessageGroupId=room,
            MessageDeduplicationId=uuid.uuid4().hex,
        )

    send_to_dead_letters()
    assert parley(["dlq", "list", "--queue", "inbound"]) == 0
    assert message.id in capsys.readouterr().out
    assert parley(["dlq", "send", message.id]) == 0
    stack.wait_for_replies(room, 2)
    send_to_dead_letters()
    assert parley(["dlq", "send-all", "--queue", "inbound"]) == 0
    stack.send("/count", room=room)
    stack.wait_for_replies(room, 3)
    assert texts(stack, room)[1:] == ["1", "2"]
    assert dead(stack) == {"inbound": 0, "outbound": 0}
