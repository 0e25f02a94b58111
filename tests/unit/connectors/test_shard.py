"""The connector with the simulated Gateway over real sockets: nothing is lost, and nothing comes twice."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto.sqs.models import sqs_backends

from connectors.discord import shard as shards
from connectors.discord.lease import Lease, Timing, take_turn
from connectors.discord.session import Saved
from connectors.discord.shard import Shard
from parley.engine import aws as clients
from parley.engine import queues
from parley.journal.table import gateway_pk, get
from parley.model import Message
from parley.model.codec import decode_message
from playground.platforms.discord.gateway import ABORT, CONTENT
from playground.platforms.discord.gateway import Session as Served
from tests.unit.connectors.serving import Served as Simulation
from tests.unit.connectors.serving import serving_discord

TIMING = Timing(lease=1.5, renew=0.2, margin=0.5)
PK = gateway_pk("discord", "demo", "shard0")


@pytest.fixture
def discord(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulation]:
    monkeypatch.setattr(shards, "_IDENTIFY_EVERY", 0.05)
    with serving_discord(tmp_path) as served:
        yield served


@asynccontextmanager
async def running(*shards: Shard) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Instances of the connector. They end with the test."""
    tasks = [asyncio.create_task(shard.run()) for shard in shards]
    try:
        yield tasks
    finally:
        for shard in shards:
            shard.stopping.set()
        done, left = await asyncio.wait(tasks, timeout=10)
        assert not left
        for task in done:
            if not task.cancelled():
                task.result()


def instance(discord: Simulation, owner: str = "a") -> Shard:
    return Shard(discord.app, 0, owner, lambda _: None, timing=TIMING, draw=lambda: random.random() / 10)


async def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    for _ in range(int(seconds / 0.02)):
        if found := condition():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


async def watched(discord: Simulation) -> None:
    """Wait until the connector gets what people write."""
    await until(lambda: any(s.connection for s in discord.discord.gateway.sessions.values()))


class Queue:
    """The messages in the inbound queue, in order. Reading leaves them there: moto forgets the deduplication id of a
    message that is deleted, and SQS does not."""

    def __init__(self) -> None:
        self.found: list[Message] = []
        self.skipped = 0

    def read(self) -> list[Message]:
        held = sqs_backends["123456789012"]["eu-west-1"].queues["inbound.fifo"]._messages
        self.found = [decode_message(message.body) for message in held][self.skipped :]
        return self.found

    def skip(self) -> "Queue":
        """Leave out what is there now."""
        self.skipped += len(self.read())
        return self

    async def texts(self, number: int) -> list[str]:
        """The texts, once there are `number`. A moment later there are no more."""
        await until(lambda: len(self.read()) >= number)
        await asyncio.sleep(0.2)
        return [message.content.text for message in self.read()]


def run(test: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))


def row() -> dict[str, Any]:
    return dict(get(clients.dynamodb(), "parley", PK))


def saved() -> dict[str, Any]:
    return json.loads(row()["value"]["S"])


def test_words_of_people_are_queued_and_those_of_the_bot_are_not(discord: Simulation) -> None:
    async def test() -> None:
        async with running(instance(discord)):
            await watched(discord)
            first = discord.say("hello")
            discord.say("psst", room="private")
            discord.say("not for the bot", mention=False)
            thread = discord.say("in a thread", thread=True)
            queue = Queue()
            assert sorted(await queue.texts(4)) == ["hello", "in a thread", "not for the bot", "psst"]
            found = {message.content.text: message for message in queue.found}
            assert found["hello"].id == first.id
            assert found["psst"].context.private
            assert found["not for the bot"].context.mentioned is False
            assert found["in a thread"].context.room_id == first.room
            assert found["in a thread"].context.thread_id == thread.thread

    run(test)


def test_edits_deletions_reactions_and_members_are_queued(discord: Simulation) -> None:
    async def test() -> None:
        async with running(instance(discord)):
            await watched(discord)
            first = discord.say("hello")
            platform = discord.discord
            platform.emit_event("demo", "edit", {"message": first.id, "text": "hello, all", "sender": "lin"})
            platform.emit_event("demo", "react", {"message": first.id, "emoji": "👍", "sender": "sam"})
            platform.emit_event("demo", "recall", {"message": first.id, "sender": "lin"})
            platform.emit_event("demo", "join", {"sender": "ana"})
            queue = Queue()
            await queue.texts(5)
            assert {message.event for message in queue.found} == {
                "",
                "MESSAGE_UPDATE",
                "MESSAGE_REACTION_ADD",
                "MESSAGE_DELETE",
                "GUILD_MEMBER_ADD",
            }

    run(test)


@pytest.mark.parametrize("step", ["open", "hello", "identify", "ready", "event"])
@pytest.mark.parametrize("what", [ABORT, 4000, 4009, "reconnect", "invalid"])
def test_a_connection_that_is_lost_at_a_step_of_its_start_comes_again(
    discord: Simulation, step: str, what: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.discord.session._MOST_IDENTIFY_WAIT", 0.2)

    async def test() -> None:
        discord.discord.gateway.faults.append((step, what))
        async with running(instance(discord)):
            await watched(discord)
            if step == "event":
                discord.say("first")
            await until(lambda: not discord.discord.gateway.faults)
            await until(lambda: any(s.connection for s in discord.discord.gateway.sessions.values()))
            await asyncio.sleep(0.3)
            await watched(discord)
            discord.say("then")
            texts = await Queue().texts(1)
            assert texts.count("then") == 1
            is_gone = what in ("invalid", 4009)
            assert step != "event" or is_gone or "first" in texts

    run(test)


@pytest.mark.parametrize("step", ["open", "hello", "resume", "resumed"])
@pytest.mark.parametrize("what", [ABORT, 4000, "reconnect", "resumable"])
def test_a_resume_that_breaks_off_loses_nothing(discord: Simulation, step: str, what: str | int) -> None:
    async def test() -> None:
        async with running(instance(discord)):
            await watched(discord)
            discord.say("1")
            await Queue().texts(1)
            queue = Queue().skip()
            discord.discord.gateway.faults.extend([("event", ABORT), (step, what)])
            for number in range(2, 8):
                discord.say(str(number))
            assert await queue.texts(6) == ["2", "3", "4", "5", "6", "7"]
            assert not discord.discord.gateway.faults
            assert len(discord.discord.gateway.identified) == 1

    run(test)


def test_a_connection_without_answers_to_heartbeats_is_replaced(discord: Simulation) -> None:
    async def test() -> None:
        gateway = discord.discord.gateway
        gateway.interval, gateway.patience = 0.5, 100  # the session goes on, however slow this machine is
        async with running(instance(discord)):
            await watched(discord)
            (session,) = gateway.sessions.values()
            before = session.connection
            gateway.answers_heartbeats = False
            await until(lambda: session.connection not in (None, before))
            gateway.answers_heartbeats = True
            discord.say("hello")
            assert await Queue().texts(1) == ["hello"]
            assert len(gateway.identified) == 1

    run(test)


def test_repeated_and_reordered_frames_are_queued_once(discord: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    add, held = Served.add, []

    def scrambled(self: Served, name: str, data: Any) -> None:
        if name != "MESSAGE_CREATE":
            add(self, name, data)
            return
        self.seq += 1
        frame = {"op": 0, "t": name, "s": self.seq, "d": data}
        if self.seq % 2:
            held.append(frame)
            return
        self.events += [frame, *held, frame]
        held.clear()
        assert self.connection is not None
        self.connection.wake()

    monkeypatch.setattr(Served, "add", scrambled)

    async def test() -> None:
        async with running(instance(discord)):
            await watched(discord)
            for number in range(21):
                discord.say(str(number))
            assert sorted(await Queue().texts(21), key=int) == [str(number) for number in range(21)]

    run(test)


def test_a_standby_takes_over_when_the_active_one_dies_and_nothing_is_lost_or_repeated(discord: Simulation) -> None:
    async def test() -> None:
        active, standby = instance(discord, "a"), instance(discord, "b")
        queue = Queue()
        async with running(active) as (task,):
            await watched(discord)
            async with running(standby):
                for number in range(200):
                    discord.say(str(number))
                    if number == 60:
                        task.cancel()
                    await asyncio.sleep(0.005)
                texts = await queue.texts(200)
                assert row()["lock_owner"]["S"] == "b"
        assert texts == [str(number) for number in range(200)]
        assert len(discord.discord.gateway.identified) == 1

    run(test)


def test_a_program_that_ends_hands_the_session_over_at_once(discord: Simulation) -> None:
    async def test() -> None:
        async with running(instance(discord)):
            await watched(discord)
            discord.say("1")
            await Queue().texts(1)
        assert float(row()["lock_until"]["N"]) <= time.time()
        discord.say("2")
        assert saved()["session_id"] in discord.discord.gateway.sessions
        queue = Queue().skip()
        async with running(instance(discord, "b")):
            assert await queue.texts(1) == ["2"]
        assert len(discord.discord.gateway.identified) == 1

    run(test)


def test_the_number_is_saved_only_after_the_queue_has_the_event(
    discord: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing, send = [True], queues.send_messages

    def unreliable(messages: list[Message]) -> None:
        if failing:
            raise EndpointConnectionError(endpoint_url="http://sqs")
        send(messages)

    monkeypatch.setattr(queues, "send_messages", unreliable)

    async def test() -> None:
        async with running(instance(discord)):
            await watched(discord)
            await until(lambda: "value" in row())
            before = saved()["seq"]
            discord.say("1")
            discord.say("2")
            await asyncio.sleep(1)
            assert saved()["seq"] == before
            failing.clear()
            assert await Queue().texts(2) == ["1", "2"]
            await until(lambda: saved()["seq"] == before + 2)

    run(test)


def test_an_instance_without_a_lease_writes_nothing(discord: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> bool:
        raise EndpointConnectionError(endpoint_url="http://dynamodb")

    async def test() -> None:
        async with running(instance(discord)) as (task,):
            await watched(discord)
            monkeypatch.setattr(Lease, "renew", refused)
            monkeypatch.setattr(Lease, "take", lambda _: None)
            await asyncio.sleep(TIMING.lease - TIMING.margin + 0.1)
            discord.say("late")
            await asyncio.sleep(0.3)
            assert Queue().read() == []
            await until(lambda: not any(s.connection for s in discord.discord.gateway.sessions.values()))
            assert not task.done()

    run(test)


@pytest.mark.parametrize("change", [{"bot_token": "wrong"}, {"gateway_intents": ("MESSAGE_CONTENT",)}])
def test_an_error_that_a_person_has_to_mend_is_tried_once(discord: Simulation, change: dict[str, Any]) -> None:
    discord.discord.gateway.privileged &= ~CONTENT
    discord.config |= change

    async def test() -> None:
        one = instance(discord)
        calls = discord.discord.calls
        async with running(one):
            await until(lambda: [call for call in calls if call.path.endswith("/gateway/bot")])
            await asyncio.sleep(1.5)
            assert len([call for call in calls if call.path.endswith("/gateway/bot")]) == 1
            assert len(discord.discord.gateway.identified) == 0
            assert float(row()["lock_until"]["N"]) > time.time()  # the standby does not try either

    run(test)


def test_an_error_that_only_a_person_can_mend_is_tried_again_sooner_at_first(
    discord: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be an error of Discord's."""
    monkeypatch.setattr(shards, "_MEASURED", 0.05)
    monkeypatch.setattr(shards, "_FATAL_PAUSES", (0.1, 0.2, 3600.0))
    discord.config |= {"bot_token": "wrong"}

    async def test() -> None:
        one = instance(discord)
        calls = discord.discord.calls
        async with running(one):
            await until(lambda: one._stops == 3)
            assert len([call for call in calls if call.path.endswith("/gateway/bot")]) == 3

    run(test)


def test_an_instance_that_takes_over_reads_its_configuration_again(discord: Simulation) -> None:
    right = discord.app
    discord.config |= {"bot_token": "wrong"}

    async def test() -> None:
        one = instance(discord)
        one.reread = lambda app: right if app != right else None
        async with running(one):
            await watched(discord)
            assert one._stops == 0

    run(test)


def test_shards_of_another_number_are_others(discord: Simulation) -> None:
    """Shard 0 of 1 has all servers, and shard 0 of 2 every other one: neither continues the session of the other."""
    one, two = instance(discord), instance(discord)
    two.count = 2
    assert one._pk(one._name) == PK
    assert two._pk(two._name) == f"{PK}of2"


def test_a_mended_configuration_is_used_without_a_restart(discord: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "_MEASURED", 0.3)
    right = discord.app
    discord.config |= {"bot_token": "wrong"}

    async def test() -> None:
        one = instance(discord)
        one.reread = lambda app: right if app != right else None
        async with running(one):
            await watched(discord)

    run(test)


def test_the_last_identifies_of_a_day_are_not_used(discord: Simulation) -> None:
    gateway = discord.discord.gateway
    gateway.identified.extend([gateway.clock()] * 985)

    async def test() -> None:
        async with running(instance(discord)):
            await asyncio.sleep(1)
            assert not gateway.sessions

    run(test)


def test_a_session_takes_its_turn_to_identify(aws: None) -> None:
    client = clients.dynamodb()
    assert take_turn(client, "parley", "gateway#x", 5, 1000.0) == 0
    assert take_turn(client, "parley", "gateway#x", 5, 1002.0) == pytest.approx(3)
    assert take_turn(client, "parley", "gateway#x", 5, 1005.0) == 0


class Times:
    """A clock for both times of a lease."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def lease(owner: str, times: Times) -> Lease:
    return Lease(clients.dynamodb(), "parley", PK, owner, TIMING, times, times)


def test_one_instance_holds_the_lease_and_the_next_one_continues_where_it_was(aws: None) -> None:
    times = Times()
    one, two = lease("a", times), lease("b", times)
    assert one.take() == Saved()
    assert two.take() is None
    state = Saved(session_id="s", resume_url="wss://x", seq=7, user_id="1")
    times.now += 1
    assert one.renew(state)
    assert two.take() is None
    times.now += TIMING.lease
    assert not one.is_held
    assert two.take() == state
    assert not one.renew(Saved(session_id="old"))
    one.release(Saved(session_id="old"))
    assert two.take() == state
    two.release(state)
    assert one.take() == state


def test_a_lease_is_not_safe_near_its_end(aws: None) -> None:
    times = Times()
    one = lease("a", times)
    assert not one.is_safe
    one.take()
    assert one.is_safe
    times.now += TIMING.lease - TIMING.margin
    assert not one.is_safe
    assert one.is_held


def test_a_row_of_another_version_begins_a_new_session(aws: None) -> None:
    boto3.client("dynamodb").put_item(
        TableName="parley", Item={"pk": {"S": PK}, "value": {"S": '{"seq":"x"}'}, "lock_until": {"N": "0"}}
    )
    assert lease("a", Times()).take() == Saved()
