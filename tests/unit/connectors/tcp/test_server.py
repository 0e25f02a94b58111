"""One instance with real sockets and AWS in this process: TLS, messages, replies, limits, and the end."""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from msgspec.structs import replace

from connectors.tcp import notices as notices_module
from connectors.tcp import server as module
from connectors.tcp.connection import Connection
from connectors.tcp.framing import framed
from connectors.tcp.limits import Limits
from connectors.tcp.notices import Notice, Notices
from connectors.tcp.server import Server
from connectors.tcp.service import Service
from connectors.tcp.tls import context
from parley.adapter import Acknowledge, Rejected, Tell, Watch
from parley.engine import queues
from parley.engine.aws import dynamodb, sqs
from parley.engine.floods import FLOOD, OPENS
from parley.engine.notices import notices as sender
from parley.journal.inbox import Inbox
from parley.journal.mailbox import Mailbox
from parley.journal.table import gateway_pk, get, watch_pk
from parley.journal.watchers import Watcher, Watchers
from parley.model import Conversation, Message, Reply, Text
from parley.model.codec import decode_message
from parley.platforms.http import outbound
from parley.platforms.http.frames import Hello
from tests.factories import make_message, make_reply
from tests.tokens import issuer, token
from tests.unit.connectors.tcp import certificates
from tests.unit.connectors.tcp.client import Client

pytestmark = pytest.mark.usefixtures("app")
TEAM = Conversation(platform="http", app="web", room_id="#team").key
DIRECT = Conversation(platform="http", app="web", user_id="lin").key
ADDRESS = "tcp/unit-parley-tcp-a"


@pytest.fixture
def app(aws: None) -> None:
    store_app()


def store_app(**more: Any) -> None:
    one = issuer()
    config = {
        "issuers": [{name: getattr(one, name) for name in ("issuer", "audience", "algorithm", "secrets")}],
        "sockets": True,
        "requests_per_minute": 6000,
        **more,
    }
    boto3.client("ssm").put_parameter(
        Name="/parley/unit/http/web", Value=json.dumps(config), Type="SecureString", Overwrite=True
    )


def jwt(person: str = "lin", **claims: Any) -> str:
    return token(time.time(), sub=person, **{"rooms": ["team"], **claims})


@asynccontextmanager
async def serving(
    limits: Limits | None = None, tls: ssl.SSLContext | None = None, names: tuple[str, ...] = ("web",)
) -> AsyncGenerator[tuple[Server, int]]:
    server = Server(Service(names, ADDRESS), limits or Limits(), tls)
    port = await server.start("127.0.0.1", 0)
    try:
        yield server, port
    finally:
        await server.drain()


async def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    for _ in range(int(seconds / 0.02)):
        if found := condition():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


def queued() -> list[str]:
    url = sqs().get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
    found: list[str] = []
    while received := boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for each in received:
            found.append(decode_message(each.get("Body", "")).content.text)
            boto3.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=each.get("ReceiptHandle", ""))
    return found


def gated(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The queue takes no message until the event is set."""
    gate, send = threading.Event(), queues.send_messages

    def slow(messages: list[Message], **options: Any) -> None:
        if messages:
            gate.wait(20)
        send(messages, **options)

    monkeypatch.setattr(queues, "send_messages", slow)
    return gate


made = iter(range(10**6))


def deliver(text: str, room: str = "team", person: str = "lin", *, private: bool = False, notify: bool = False) -> int:
    """Put a reply into its mailbox. Returns its number."""
    message = make_message(f"m{next(made)}", platform="http", app="web", room=f"#{room}" if room else "")
    out = make_reply(message, text)
    to = replace(out.to, user_id=person)
    out = replace(out, to=to, reply=Reply(segments=(Text(text=text),), private=private))
    Inbox(dynamodb(), "parley", 86_400).add(out, time.time())
    number = Mailbox(dynamodb(), "parley", 86_400).put(out, time.time())
    assert number is not None
    if notify:
        sender().send(outbound, out, number)
    return number


# --- TLS --------------------------------------------------------------------------------------------------------------


async def talk(port: int, tls: ssl.SSLContext | None) -> None:
    """The connection ends as soon as the client says so: without that, its library waits for half a minute."""
    client = await Client.known(port, jwt(), tls)
    assert await client.ask(type="ping") == {"type": "pong"}
    large = "ü" * 20_000
    accepted = await client.ask(type="message", key="k", text=large)
    assert accepted["type"] == "accepted"
    assert queued() == [large]
    async with asyncio.timeout(10):
        await client.close()


@pytest.mark.parametrize("encrypted", [False, True])
def test_tls_with_a_certificate_from_files_or_from_the_environment(tmp_path: Path, encrypted: bool) -> None:
    async def run() -> None:
        certificate, key = certificates.make(tmp_path, "secret" if encrypted else "")
        texts = {"PARLEY_TLS_CERTIFICATE": certificate.read_text(), "PARLEY_TLS_KEY": key.read_text()}
        password = {"PARLEY_TLS_PASSWORD": "secret"} if encrypted else {}
        for made in (context(certificate, key, password), context(None, None, texts | password)):
            async with serving(tls=made) as (_server, port):
                await talk(port, certificates.trusting(certificate))

    asyncio.run(run())


def test_a_certificate_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    certificate, key = certificates.make(tmp_path, "secret")
    for arguments in (
        (None, None, {}),
        (certificate, None, {}),
        (certificate, key, {}),
        (certificate, key, {"PARLEY_TLS_PASSWORD": "wrong"}),
        (certificate, tmp_path / "none.pem", {}),
        (key, certificate, {"PARLEY_TLS_PASSWORD": "secret"}),
    ):
        with pytest.raises(ValueError, match="certificate") as error:
            context(*arguments)
        assert "secret" not in str(error.value)


def test_an_older_tls_and_bytes_that_are_no_tls_are_refused(tmp_path: Path) -> None:
    async def run() -> None:
        certificate, key = certificates.make(tmp_path)
        async with serving(tls=context(certificate, key, {})) as (server, port):
            older = certificates.trusting(certificate)
            older.maximum_version = ssl.TLSVersion.TLSv1_2
            with pytest.raises((ssl.SSLError, OSError)):
                await Client.connect(port, older)
            plain = await Client.connect(port)
            plain.raw(framed(b'{"type":"hello"}'))
            assert await plain.reader.read(100) in (b"", b"\x15\x03\x03\x00\x02\x02F", b"\x15\x03\x01\x00\x02\x02F")
            await plain.close()
            await until(lambda: not server.connections)

    asyncio.run(run())


def test_a_handshake_that_does_not_go_on_is_ended_in_time(tmp_path: Path) -> None:
    async def run() -> None:
        certificate, key = certificates.make(tmp_path)
        limits = Limits(hello_within=0.3, close_within=0.2)
        async with serving(limits, context(certificate, key, {})) as (server, port):
            client = await Client.connect(port)
            client.raw(b"\x16\x03\x01\x02\x00\x01")
            assert await client.ended()
            await client.close()
            await until(lambda: not server.connections)

    asyncio.run(run())


# --- who it is --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hello", "status"),
    [
        ({"token": "forged"}, 401),
        ({"token": ""}, 401),
        ({"token": jwt(exp=int(time.time()) - 100)}, 401),
        ({"app": "nobody"}, 404),
        ({"app": "../web"}, 404),
        ({"version": 9}, 400),
    ],
)
def test_a_client_that_is_refused_learns_why_and_is_closed(hello: dict[str, Any], status: int) -> None:
    async def run() -> None:
        async with serving() as (server, port):
            client = await Client.connect(port)
            error = await client.ask(**{"type": "hello", "version": 1, "app": "web", "token": jwt(), **hello})
            assert (error["type"], error["status"]) == ("error", status)
            assert await client.ended()
            await client.close()
            await until(lambda: not server.connections)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("config", "status"),
    [({"sockets": False}, 403), ({"callback_ips": ["203.0.113.0/24"], "other_ips": "refuse"}, 403)],
)
def test_an_app_decides_who_may_connect(config: dict[str, Any], status: int) -> None:
    async def run() -> None:
        store_app(**config)
        async with serving() as (_server, port):
            client = await Client.connect(port)
            assert (await client.ask(type="hello", app="web", token=jwt()))["status"] == status
            await client.close()

    asyncio.run(run())


def test_an_instance_serves_the_apps_that_it_names_or_all() -> None:
    async def run() -> None:
        for names, status in (((), "ready"), (("another",), "error")):
            async with serving(names=names) as (_server, port):
                client = await Client.connect(port)
                assert (await client.ask(type="hello", app="web", token=jwt()))["type"] == status
                await client.close()

    asyncio.run(run())


def test_a_connection_ends_with_its_token() -> None:
    async def run() -> None:
        async with serving() as (_server, port):
            # The clock of an issuer may differ by a minute.
            client = await Client.known(port, jwt(exp=int(time.time()) - 58))
            assert (await client.next())["error"] == "stale"
            assert await client.ended()
            await client.close()

    asyncio.run(run())


# --- messages ---------------------------------------------------------------------------------------------------------


def test_messages_are_stored_once_and_in_order_however_often_they_come() -> None:
    async def run() -> None:
        async with serving() as (_server, port):
            for _attempt in range(2):
                client = await Client.known(port, jwt())
                for number in (0, 1, 1, 2, 0, 3):
                    client.send(type="message", key=f"k{number}", text=str(number))
                found = [await client.next() for _ in range(6)]
                assert [one["key"] for one in found] == ["k0", "k1", "k1", "k2", "k0", "k3"]
                assert {one["type"] for one in found} == {"accepted"}
                assert found[0]["id"] == found[4]["id"]
                await client.close()
            reused = await Client.known(port, jwt())
            assert (await reused.ask(type="message", key="k0", text="another"))["status"] == 422
            await reused.close()
        assert queued() == ["0", "1", "2", "3"]

    asyncio.run(run())


def test_a_message_that_is_not_stored_is_not_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serving() as (_server, port):
            client = await Client.known(port, jwt())
            with monkeypatch.context() as patch:

                def fail(*_: Any, **__: Any) -> None:
                    raise EndpointConnectionError(endpoint_url="https://sqs")

                patch.setattr(queues, "send_messages", fail)
                error = await client.ask(type="message", key="k", text="a")
                assert (error["status"], error["key"], error["retry_after"]) == (503, "k", 1)
            assert (await client.ask(type="message", key="k", text="a"))["type"] == "accepted"
            await client.close()
        assert queued() == ["a"]

    asyncio.run(run())


def test_the_rate_of_a_person_holds_for_all_of_their_connections() -> None:
    async def run() -> None:
        store_app(requests_per_minute=5)
        async with serving() as (_server, port):
            one, two = await Client.known(port, jwt()), await Client.known(port, jwt())
            found = [await one.ask(type="message", key=str(number), text="a") for number in range(2)]
            found += [await two.ask(type="message", key=str(number), text="a") for number in range(2, 4)]
            assert [each.get("status") for each in found] == [None, None, None, 429]
            assert found[3]["retry_after"] > 0
            other = await Client.known(port, jwt("kim"))
            assert (await other.ask(type="message", key="k", text="a"))["type"] == "accepted"
            for client in (one, two, other):
                await client.close()

    asyncio.run(run())


def test_too_many_frames_of_a_person_are_refused_on_all_of_their_connections() -> None:
    now = time.time()
    service = Service(("web",), ADDRESS, lambda: now)
    found = service.check(Hello(app="web", token=jwt()), "127.0.0.1")
    assert not isinstance(found, Rejected)
    client, app = found
    for _ in range(OPENS.burst):
        assert isinstance(service.interpret(b'{"type": "open"}', client, app), Watch)
    for number in range(FLOOD):
        tell = service.interpret(b'{"type": "open"}', client, app)
        assert isinstance(tell, Tell)
        assert json.loads(tell.data)["status"] == 429
        assert tell.closes is (number == FLOOD - 1)
    assert isinstance(service.interpret(b'{"type": "ack", "cursor": "1"}', client, app), Acknowledge)


def test_slow_storage_stops_the_reading_and_bounds_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        gate = gated(monkeypatch)
        limits = Limits(unstored=2, frames=1000, frames_burst=1000)
        async with serving(limits) as (server, port):
            client, other = await Client.known(port, jwt()), await Client.known(port, jwt("kim"))
            text = "x" * 100_000
            for number in range(100):
                client.send(type="message", key=str(number), text=f"{number} {text}")
            await until(lambda: server.held > 200_000)
            await asyncio.sleep(0.3)
            assert server.held < 400_000
            assert await other.ask(type="ping") == {"type": "pong"}
            gate.set()
            assert [(await client.next())["key"] for _ in range(100)] == [str(number) for number in range(100)]
            assert server.held == 0
            await client.close()
            await other.close()
        assert [text.split()[0] for text in queued()] == [str(number) for number in range(100)]

    asyncio.run(run())


# --- replies ----------------------------------------------------------------------------------------------------------


def test_replies_follow_on_the_last_one_that_was_acknowledged() -> None:
    async def run() -> None:
        numbers = [deliver(f"r{number}") for number in range(120)]
        async with serving() as (server, port):
            client = await Client.known(port, jwt())
            opened = await client.ask(type="open", room="team", after=str(numbers[0]))
            assert (opened["type"], opened["cursor"]) == ("opened", str(numbers[0]))
            found = [await client.next() for _ in range(119)]
            assert [int(one["cursor"]) for one in found] == numbers[1:]
            assert found[-1]["reply"]["text"] == "r119"
            client.send(type="ack", room="team", cursor=str(numbers[99]))
            await client.ask(type="ping")
            await client.close()
            again = await Client.known(port, jwt())
            assert (await again.ask(type="open", room="team"))["cursor"] == str(numbers[99])
            assert [int((await again.next())["cursor"]) for _ in range(20)] == numbers[100:]
            late = deliver("late")
            for _ in range(3):
                server.notified(Notice(TEAM))
            assert int((await again.next())["cursor"]) == late
            server.notified(Notice(TEAM, is_typing=True))
            assert await again.next() == {"type": "typing", "room": "team"}
            assert await again.ask(type="ping") == {"type": "pong"}
            await again.close()

    asyncio.run(run())


def test_one_who_was_never_there_gets_what_comes_from_now_on() -> None:
    async def run() -> None:
        old = deliver("old")
        async with serving() as (server, port):
            client = await Client.known(port, jwt("kim"))
            assert (await client.ask(type="open", room="team"))["cursor"] == str(old)
            deliver("new")
            server.notified(Notice(TEAM))
            assert (await client.next())["reply"]["text"] == "new"
            await client.close()

    asyncio.run(run())


def test_a_reply_for_one_person_is_a_number_for_the_others() -> None:
    async def run() -> None:
        async with serving() as (server, port):
            lin, kim = await Client.known(port, jwt()), await Client.known(port, jwt("kim"))
            for client in (lin, kim):
                await client.ask(type="open", room="team")
            deliver("secret", private=True)
            deliver("all")
            server.notified(Notice(TEAM))
            assert [(await lin.next())["reply"]["text"] for _ in range(2)] == ["secret", "all"]
            hidden, shown = await kim.next(), await kim.next()
            assert set(hidden) == {"type", "room", "cursor"}
            assert shown["reply"]["text"] == "all"
            await lin.close()
            await kim.close()

    asyncio.run(run())


def test_a_large_reply_is_named_and_not_sent() -> None:
    async def run() -> None:
        async with serving() as (_server, port):
            number = deliver("x" * 140_000)
            client = await Client.known(port, jwt())
            await client.ask(type="open", room="team", after=str(number - 1))
            assert await client.next() == {"type": "reply", "room": "team", "cursor": str(number), "large": True}
            await client.close()

    asyncio.run(run())


def test_a_client_that_does_not_read_holds_no_memory_and_keeps_nobody_waiting() -> None:
    async def run() -> None:
        numbers = [deliver("y" * 55_000) for _ in range(120)]
        async with serving(Limits(close_within=0.3)) as (server, port):
            stuck, client = await Client.known(port, jwt("kim")), await Client.known(port, jwt())
            stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]
            for one in (stuck, client):
                one.send(type="open", room="team", after=str(numbers[0]))
            assert (await client.next())["type"] == "opened"
            assert [int((await client.next())["cursor"]) for _ in range(119)] == numbers[1:]

            def blocked() -> list[Connection]:
                return [each for each in server.connections if each.session and each.session.is_blocked]

            (held,) = await until(lambda: blocked() if len(blocked()) == 1 else None)
            assert held.unsent < 65_536 + 131_072
            assert held.session is not None
            held.session.blocked(time.monotonic() - Limits().send_within)
            await until(lambda: len(server.connections) == 1)
            await client.close()
            await stuck.close()

    asyncio.run(run())


def test_a_client_that_reads_slowly_gets_every_reply_once() -> None:
    async def run() -> None:
        numbers = [deliver("y" * 55_000) for _ in range(120)]
        async with serving() as (server, port):
            slow = await Client.known(port, jwt())
            slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
            slow.send(type="open", room="team", after=str(numbers[0]))
            await until(lambda: any(each.session and each.session.is_blocked for each in server.connections))
            slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
            assert (await slow.next())["type"] == "opened"
            assert [int((await slow.next())["cursor"]) for _ in range(119)] == numbers[1:]
            await slow.close()

    asyncio.run(run())


# --- presence and notices ---------------------------------------------------------------------------------------------


def watching(key: str = TEAM) -> list[str]:
    return [each.address for each in Watchers(dynamodb(), "parley", 60).watching(key, time.time())]


def test_an_instance_is_notified_as_long_as_a_client_has_the_conversation_open() -> None:
    async def run() -> None:
        async with serving() as (server, port):
            clients = [await Client.known(port, jwt(person)) for person in ("lin", "kim")]
            for client in clients:
                await client.ask(type="open", room="team")
            assert watching() == [ADDRESS]
            await clients[0].close()
            await until(lambda: len(server.connections) == 1)
            assert watching() == [ADDRESS]
            await clients[1].close()
            await until(lambda: not watching())
            await until(lambda: not server.feeds.by_key)
            assert "watchers" not in get(dynamodb(), "parley", watch_pk(TEAM))

    asyncio.run(run())


def test_presence_is_renewed_and_a_lost_notice_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RENEW", 0.1)
    monkeypatch.setattr(module, "_RENEW_BEFORE", 2000)

    async def run() -> None:
        async with serving() as (server, port):
            client = await Client.known(port, jwt())
            await client.ask(type="open", room="team")
            first = server.feeds.by_key[TEAM].watched_until
            deliver("nobody says so")
            assert (await client.next())["reply"]["text"] == "nobody says so"
            await until(lambda: server.feeds.by_key[TEAM].watched_until > first)
            assert watching() == [ADDRESS]
            await client.close()

    asyncio.run(run())


def test_a_deliverer_notifies_the_queue_of_the_instance() -> None:
    async def run() -> None:
        notices = Notices(dynamodb(), "parley", "unit", "a", sqs())
        notices.begin()
        async with serving() as (server, port):
            loop = asyncio.get_running_loop()
            listening = threading.Thread(
                target=notices.listen,
                args=(lambda notice: loop.call_soon_threadsafe(server.notified, notice), server.missed_notices),
            )
            listening.start()
            client = await Client.known(port, jwt())
            await client.ask(type="open", room="team")
            number = await asyncio.to_thread(deliver, "hello", notify=True)
            assert int((await client.next())["cursor"]) == number
            await client.close()
            await asyncio.to_thread(notices.end)
            await asyncio.to_thread(listening.join)

    asyncio.run(run())


def test_a_deliverer_forgets_an_instance_whose_queue_is_gone() -> None:
    watchers = Watchers(dynamodb(), "parley", 60)
    watchers.watch(TEAM, Watcher("tcp/unit-parley-tcp-dead", int(time.time()) + 60), time.time())
    assert deliver("hello", notify=True)
    assert watching() == []


def _nothing(*_: object) -> None:
    pass


def test_notices_that_may_be_lost_are_made_up_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    client = sqs()
    notices = Notices(dynamodb(), "parley", "unit", "away", client)
    notices.begin()
    monkeypatch.setattr(notices_module, "_PAUSE", 0.0)
    plan = iter("received away away received received away received".split())
    seen: list[str] = []

    def receive(**_: object) -> dict[str, Any]:
        seen.append(next(plan, "end"))
        if seen[-1] == "away":
            raise EndpointConnectionError(endpoint_url="https://sqs")
        if seen[-1] == "end":
            notices.end()
        return {}

    monkeypatch.setattr(client, "receive_message", receive)
    assert not notices.listen(_nothing, lambda: seen.append("made up for"))
    assert seen == "received,away,away,received,made up for,received,away,received,made up for,end".split(",")


def test_the_queues_of_dead_instances_are_deleted_and_those_of_living_ones_are_not() -> None:
    dead, alive = (Notices(dynamodb(), "parley", "unit", id_, sqs()) for id_ in ("dead", "alive"))
    older = Notices(dynamodb(), "parley", "unit", "older", sqs())
    for one in (dead, alive, older):
        one.begin()
    # Another one has deleted the queue of this instance, and died before it could say so.
    sqs().delete_queue(QueueUrl=sqs().get_queue_url(QueueName="unit-parley-tcp-older")["QueueUrl"])
    older.renew(time.time() - 100)
    sqs().create_queue(QueueName="other-parley-tcp-x")
    dead.renew(time.time() - 100)
    assert alive.clean(time.time()) == 2
    assert alive.clean(time.time()) == 0
    names = {url.rpartition("/")[2] for url in sqs().list_queues(QueueNamePrefix="").get("QueueUrls", [])}
    assert {"unit-parley-tcp-alive", "other-parley-tcp-x"} <= names
    assert not {"unit-parley-tcp-dead", "unit-parley-tcp-older"} & names
    assert dead.listen(_nothing, _nothing), "an instance whose queue is gone has to end"
    alive.end()
    assert "lock_until" not in get(dynamodb(), "parley", gateway_pk("http", "tcp", "alive"))
    assert "instances" not in get(dynamodb(), "parley", gateway_pk("http", "tcp", "instances"))
    assert not alive.listen(_nothing, _nothing)


# --- limits -----------------------------------------------------------------------------------------------------------


def test_connections_above_the_limits_are_cut_and_the_others_go_on() -> None:
    async def run() -> None:
        limits = Limits(connections=3, connections_of_address=2, connections_of_person=1)
        async with serving(limits) as (server, port):
            one = await Client.known(port, jwt())
            two = await Client.connect(port)
            three = await Client.connect(port)
            assert await three.ended()
            again = await two.ask(type="hello", app="web", token=jwt())
            assert (again["status"], again["error"]) == (429, "too_many")
            assert await two.ended()
            await two.close()
            await until(lambda: len(server.connections) == 1)
            four = await Client.known(port, jwt("kim"))
            assert await one.ask(type="ping") == await four.ask(type="ping") == {"type": "pong"}
            for client in (one, three, four):
                await client.close()
            await until(lambda: not server.connections)
            assert server.is_idle

    asyncio.run(run())


def test_half_frames_of_all_connections_together_are_bounded() -> None:
    async def run() -> None:
        limits = Limits(held=300_000, close_within=0.3)
        async with serving(limits) as (server, port):
            clients = [await Client.known(port, jwt(f"p{number}")) for number in range(5)]
            for client in clients:
                client.raw((120_000).to_bytes(4) + b"x" * 100_000)
            await until(lambda: len(server.connections) < 5)
            assert server.held <= 300_000
            for client in clients:
                await client.close()
            await until(lambda: not server.connections)
            assert server.held == 0

    asyncio.run(run())


def test_what_waits_to_be_sent_is_bounded_for_all_connections_together() -> None:
    async def run() -> None:
        numbers = [deliver("y" * 55_000) for _ in range(120)]
        async with serving(Limits(held=300_000, close_within=0.3)) as (server, port):
            clients = [await Client.known(port, jwt(f"p{number}")) for number in range(8)]
            for client in clients:
                client.writer.transport.pause_reading()  # type: ignore[attr-defined]
                client.send(type="open", room="team", after=str(numbers[0]))
            await until(lambda: len(server.connections) < 8)
            # Each connection may hold one frame on top, and a frame has the text twice: as it is, and without marks.
            assert server.held <= 300_000 + 8 * (2 * 55_000 + 1_000)
            for client in clients:
                await client.close()
            await until(lambda: not server.connections)
            assert server.held == 0

    asyncio.run(run())


# --- the end ----------------------------------------------------------------------------------------------------------


def test_an_instance_that_ends_stores_what_is_in_flight_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        gate = gated(monkeypatch)
        async with serving() as (server, port):
            busy, idle = await Client.known(port, jwt()), await Client.known(port, jwt("kim"))
            await idle.ask(type="open", room="team")
            for number in range(3):
                busy.send(type="message", key=str(number), text=str(number))
            await until(lambda: any(each.session and each.session.in_flight == 3 for each in server.connections))
            draining = asyncio.create_task(server.drain())
            error = await idle.next()
            assert (error["status"], error["error"], error["retry_after"]) == (503, "restarting", 1)
            with pytest.raises(ConnectionRefusedError):
                await Client.connect(port)
            gate.set()
            assert [(await busy.next())["key"] for _ in range(3)] == ["0", "1", "2"]
            assert (await busy.next())["error"] == "restarting"
            assert await busy.ended()
            await busy.close()
            await idle.close()
            await draining
            assert watching() == []
        assert queued() == ["0", "1", "2"]

    asyncio.run(run())
