"""The TCP client of the playground: what passes between its page and the connector."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Origin

from tests.tokens import SECRET


@pytest.fixture
def connector(running) -> Iterator[socket.socket]:
    """The socket at which the connector of the stack listens."""
    world, _http = running
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        facts = json.loads(world.stack.path.read_text())
        issuer = {"issuer": "https://playground.invalid", "audience": "demo", "algorithm": "HS256", "secrets": [SECRET]}
        facts["apps"]["http"] = {"demo": {"issuers": [issuer], "sockets": True}}
        facts["tcp"] = {"host": "127.0.0.1", "port": listening.getsockname()[1]}
        world.stack.path.write_text(json.dumps(facts))
        yield listening


@contextmanager
def page(http: httpx.Client) -> Iterator[Connection]:
    url = str(http.base_url.copy_with(scheme="ws", path="/tcp/frames", query=b"device=pump-7"))
    with connect(url, proxy=None) as made:
        yield made


def read(held: socket.socket) -> dict[str, Any]:
    """The next frame at the connector."""
    length = int.from_bytes(held.recv(4, socket.MSG_WAITALL))
    return json.loads(held.recv(length, socket.MSG_WAITALL))


def test_frames_pass_in_both_directions_and_the_page_does_not_see_the_token(connector, http: httpx.Client) -> None:
    with page(http) as made:
        held, _address = connector.accept()
        with held:
            hello = read(held)
            claims = jwt.decode(hello.pop("token"), OctKey.import_key(SECRET)).claims
            assert (claims["sub"], claims["aud"]) == ("pump-7", "demo")
            assert hello == {"type": "hello", "version": 1, "app": "demo"}
            assert json.loads(made.recv(10)) == {**hello, "token": "..."}
            frame = json.dumps({"type": "pong", "text": "团队"}, ensure_ascii=False).encode()
            for piece in (len(frame).to_bytes(4) + frame[:5], frame[5:]):
                held.sendall(piece)
            assert json.loads(made.recv(10)) == {"type": "pong", "text": "团队"}
            made.send('{"type": "ping"}')
            assert read(held) == {"type": "ping"}
        with pytest.raises(ConnectionClosed):
            made.recv(10)


def test_the_connection_ends_with_the_page(connector, http: httpx.Client) -> None:
    with page(http):
        held, _address = connector.accept()
        read(held)
    with held:
        held.settimeout(10)
        assert held.recv(1) == b""


def test_without_a_connector_the_page_is_told(http: httpx.Client) -> None:
    assert http.get("/tcp").status_code == 200
    with page(http) as made:
        assert json.loads(made.recv(10)) == {"type": "no connector"}
        with pytest.raises(ConnectionClosed):
            made.recv(10)


def test_the_page_of_another_site_is_refused(connector, http: httpx.Client) -> None:
    url = str(http.base_url.copy_with(scheme="ws", path="/tcp/frames"))
    with (
        pytest.raises(InvalidStatus, match="HTTP 403"),
        connect(url, proxy=None, origin=Origin("https://evil.example")),
    ):
        pass
