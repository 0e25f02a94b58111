"""URLs from messages reach public addresses only. The check applies to the address of the connection."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from parley.engine import addresses
from parley.engine.addresses import ForbiddenAddressError, check_url, is_public, public_address
from parley.engine.sockets import transport

PRIVATE = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "2002:7f00:1::1", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:0:7f00:1::",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "101.226.103.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", PRIVATE)
def test_local_private_and_reserved_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/a", "gopher://example.com", "javascript:alert(1)", "nonsense", "",
        "http://", "http://user@example.com/a", "http://user:secret@example.com/a", "http://example.com:22/a",
        "http://example.com:9001/2018-06-01/runtime/invocation/next", "http://example.com:0/",
    ],
)  # fmt: skip
def test_urls_with_other_schemes_ports_or_user_names_are_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddressError) as refused:
        check_url(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://example.com/a.png", "http://example.com:8080/a", "https://例子.测试/a"])
def test_http_urls_with_usual_ports_are_allowed(url: str) -> None:
    check_url(url)


@pytest.fixture
def server() -> Iterator[tuple[int, list[str]]]:
    """A server on the loopback interface, and the paths that were requested."""
    requested: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield http.server_port, requested
        http.shutdown()
        thread.join()


LOOPBACK = ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "localhost", "LOCALHOST", "0.0.0.0"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_every_spelling_of_loopback_is_refused(server: tuple[int, list[str]], host: str) -> None:
    port, requested = server
    with (
        httpx.Client(transport=transport(public_only=True)) as client,
        pytest.raises((ForbiddenAddressError, httpx.InvalidURL)),
    ):
        client.get(f"http://{host}:{port}/secret")
    with httpx.Client(transport=transport()) as client:
        assert client.get(f"http://127.0.0.1:{port}/open").status_code == 200
    assert requested == ["/open"]


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("1.1.1.1", "10.0.0.1")]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolve)
    with pytest.raises(ForbiddenAddressError, match="not public"):
        public_address("rebinding.example", 443)


def test_the_connection_uses_the_checked_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is resolved once, because a second answer of DNS could be a private address."""
    resolved: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        resolved.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", port))]

    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        connected.append(address)
        raise OSError

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with httpx.Client(transport=transport(public_only=True)) as client, pytest.raises(httpx.ConnectError):
        client.get("http://media.example/a.png")
    assert (resolved, connected) == (["media.example"], [("1.1.1.1", 80)])
