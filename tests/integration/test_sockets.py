"""WebSockets of the HTTP channel on the local stack, whose functions work with their own roles."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from parley.journal.watchers import Watchers
from parley.model import Conversation
from tests.integration.test_promises import killing
from tests.socket_client import Watched
from tests.stack import Stack, running
from tests.tokens import issuer, token

APP = "sockets"
PAGE = "https://www.example.com"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own with an app whose tokens the tests make."""
    with running(tmp_path_factory.mktemp("sockets"), "--iam") as found:
        config = {
            "issuers": [msgspec.to_builtins(issuer())],
            "sockets": True,
            "origins": [PAGE],
            "requests_per_minute": 6000,
        }
        value = json.dumps(config)
        found.client("ssm").put_parameter(Name=f"/parley/local/http/{APP}", Value=value, Type="SecureString")
        yield found


@pytest.fixture
def person() -> str:
    """A person whom no other test knows."""
    return f"lin-{uuid.uuid4().hex[:8]}"


class Page:
    """One connection of a person. It follows the rules of a client for the conversation `watched`."""

    def __init__(self, socket: Connection, watched: Watched | None) -> None:
        self.socket, self.watched = socket, watched
        if watched is not None:
            socket.send(watched.open())

    def send(self, **frame: Any) -> None:
        self.socket.send(json.dumps(frame))

    def next(self, type_: str = "", seconds: float = 120) -> dict[str, Any]:
        """The next frame of that type, or of any."""
        until = time.monotonic() + seconds
        while True:
            frame: dict[str, Any] = json.loads(self.socket.recv(max(0.01, until - time.monotonic())))
            answer = self.watched.take(frame) if self.watched else None
            if answer is not None:
                self.socket.send(answer)
            if type_ in ("", frame["type"]):
                return frame

    def ask(self, type_: str, **frame: Any) -> dict[str, Any]:
        self.send(**frame)
        return self.next(type_)

    def wait_for(self, count: int) -> None:
        """Wait until that many replies were shown."""
        while self.watched and len(self.watched.shown) < count:
            self.next()


@contextmanager
def connected(
    stack: Stack, query: str = "", headers: dict[str, str] | None = None, watched: Watched | None = None
) -> Iterator[Page]:
    url = f"{stack.facts['sockets']}?app={APP}{query}"
    with connect(url, additional_headers=headers or {}, proxy=None, open_timeout=60) as socket:
        yield Page(socket, watched)


def bearer(person: str, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(time.time(), **{'sub': person, 'rooms': ['team'], **claims})}"}


def ticket(stack: Stack, person: str, app: str = APP) -> httpx.Response:
    return httpx.post(f"{stack.facts['api']}/v1/{app}/tickets", headers={**bearer(person), "Origin": PAGE}, timeout=60)


def refused(stack: Stack, query: str = "", headers: dict[str, str] | None = None) -> int:
    with pytest.raises(InvalidStatus) as caught, connected(stack, query, headers):
        pass
    return caught.value.response.status_code


def test_a_client_connects_with_a_ticket_a_header_or_a_sub_protocol(stack: Stack, person: str) -> None:
    answer = ticket(stack, person)
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == PAGE
    issued = answer.json()
    assert issued["url"] == f"{stack.facts['sockets']}?app={APP}&ticket={issued['ticket']}"
    jwt = token(time.time(), sub=person)
    with (
        connected(stack, f"&ticket={issued['ticket']}") as one,
        connected(stack, headers=bearer(person)) as two,
        connected(stack, headers={"Sec-WebSocket-Protocol": f"parley.v1, bearer.{jwt}"}) as three,
    ):
        for page in (one, two, three):
            assert page.ask("ready", type="hello", version=1)["person"] == person
            assert page.ask("pong", type="ping") == {"type": "pong"}
    # The emulator answers 403 to each handshake that the function refuses.
    assert refused(stack, f"&ticket={issued['ticket']}") == 403
    assert refused(stack, "&ticket=made-up") == 403
    assert refused(stack) == 403
    assert refused(stack, headers=bearer(person, exp=int(time.time()) - 90)) == 403
    assert ticket(stack, person, "demo").status_code == 401


def test_a_message_is_accepted_and_its_reply_is_pushed_to_each_connection_of_the_person(
    stack: Stack, person: str
) -> None:
    with connected(stack, headers=bearer(person)) as one, connected(stack, headers=bearer(person)) as two:
        opened = [page.ask("opened", type="open") for page in (one, two)]
        sent = one.ask("accepted", type="message", key="k1", text="/echo hi")
        replies = [page.next("reply") for page in (one, two)]
        assert replies[0] == replies[1]
        assert (replies[0]["reply"]["text"], replies[0]["room"]) == ("hi", "")
        assert int(replies[0]["cursor"]) == int(opened[0]["cursor"]) + 1
        assert one.ask("accepted", type="message", key="k1", text="/echo hi") == sent
    path = f"{stack.facts['api']}/v1/{APP}/messages/{sent['id']}"
    state = httpx.get(path, headers=bearer(person), timeout=60).json()
    assert (state["state"], [reply["text"] for reply in state["replies"]]) == ("done", ["hi"])


def test_a_person_who_connects_again_gets_what_was_missed_once(stack: Stack, person: str) -> None:
    with connected(stack, headers=bearer(person)) as page:
        page.ask("opened", type="open")
        page.ask("accepted", type="message", key="k1", text="/count")
        last = page.next("reply")["cursor"]
        page.send(type="ack", cursor=last)
        page.ask("pong", type="ping")
    for key in ("k2", "k3"):
        url = f"{stack.facts['api']}/v1/{APP}/messages?wait=25"
        headers = {**bearer(person), "Idempotency-Key": key}
        assert httpx.post(url, json={"text": "/count"}, headers=headers, timeout=60).status_code == 200
    for after in ({"after": last}, {}):
        with connected(stack, headers=bearer(person)) as page:
            opened = page.ask("opened", type="open", **after)
            assert (opened["cursor"], int(opened["last"])) == (last, int(last) + 2)
            assert [page.next("reply")["reply"]["text"] for _ in range(2)] == ["2", "3"]


def test_rooms_are_those_of_the_token_and_a_refused_frame_leaves_the_connection_open(stack: Stack, person: str) -> None:
    with connected(stack, headers=bearer(person)) as page:
        for frame in (
            {"type": "open", "room": "other"},
            {"type": "message", "key": "k1", "room": "other", "text": "/echo hi"},
        ):
            assert page.ask("error", **frame)["status"] == 403
        page.socket.send("no JSON")
        assert page.next("error")["status"] == 400
        assert page.ask("opened", type="open", room="team")["room"] == "team"
        page.ask("accepted", type="message", key="k2", room="team", text=f"/echo {person}")
        while page.next("reply").get("reply", {}).get("text") != person:
            pass


def test_a_frame_of_40_kb_is_taken_and_one_of_over_128_kb_ends_the_connection(stack: Stack, person: str) -> None:
    with connected(stack, headers=bearer(person)) as page:
        page.ask("opened", type="open")
        page.ask("accepted", type="message", key="k1", text="/echo " + "x" * 40_000)
        large = page.next("reply")
        assert (large["large"], "reply" in large) == (True, False)
        url = f"{stack.facts['api']}/v1/{APP}/conversations/me/replies?after={int(large['cursor']) - 1}"
        (reply,) = httpx.get(url, headers=bearer(person), timeout=60).json()["replies"]
        assert len(reply["text"]) == 40_000
        assert page.ask("error", type="message", key="k2", text="x" * 131_072)["status"] == 413
        with pytest.raises(ConnectionClosed):
            page.socket.recv(60)


def test_the_end_of_a_connection_is_known_and_a_dead_one_is_forgotten(stack: Stack, person: str) -> None:
    client = stack.client("dynamodb")
    watchers = Watchers(client, stack.facts["table"], 86_400)
    key = Conversation(platform="http", app=APP, user_id=person).key
    with connected(stack, headers=bearer(person)) as page:
        page.ask("opened", type="open")
        assert len(watchers.watching(key, time.time())) == 1
        (watcher,) = watchers.watching(key, time.time())
        # A connection whose end the function has not heard of.
        watchers.watch(key, watcher._replace(address="ws/gone"), time.time())
        page.ask("accepted", type="message", key="k1", text="/echo hi")
        page.next("reply")
        stack.wait(lambda: watchers.watching(key, time.time()) == [watcher])
    stack.wait(lambda: watchers.watching(key, time.time()) == [])


def test_a_person_gets_each_reply_once_and_in_order_while_processes_are_killed_and_connections_break(
    stack: Stack, person: str
) -> None:
    watched, messages = Watched(), 0
    with killing(stack) as killer:
        # A quick machine needs more messages until processes have been killed among them.
        for number in range(1, 500):
            if messages >= 12 and killer.killed >= 2:
                break
            messages = number
            with connected(stack, headers=bearer(person), watched=watched) as page:
                page.wait_for(number - 1)
                page.ask("accepted", type="message", key=f"k{number}", text="/count")
                # Every third connection ends before its reply comes.
                if number % 3:
                    page.wait_for(number)
    with connected(stack, headers=bearer(person), watched=watched) as page:
        page.wait_for(messages)
    first = watched.shown[0][0]
    assert [number for number, _reply in watched.shown] == list(range(first, first + messages))
    assert watched.texts == [str(number) for number in range(1, messages + 1)]
    assert killer.killed >= 2
