"""A call ends at its timeout, even if the other side reads or writes a byte from time to time."""

import base64
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from parley.adapter import Call, Transient, Unknown, Upload
from parley.engine import sockets
from parley.engine.http import CallError, Http
from parley.engine.sockets import transport
from parley.model import Image

Serve = Callable[[socket.socket, threading.Event], None]
SERVER_SECONDS = 10.0
"""Seconds after which the test servers stop, so that a call without a deadline ends too."""


@contextmanager
def server(serve: Serve) -> Iterator[str]:
    """Serves connections one after the other. Yields its URL."""
    over = threading.Event()
    timer = threading.Timer(SERVER_SECONDS, over.set)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)

        def run() -> None:
            with suppress(OSError):  # the socket is closed at the end of the test
                while not over.is_set():
                    connection, _ = listening.accept()
                    with connection, suppress(OSError):
                        serve(connection, over)

        thread = threading.Thread(target=run)
        timer.start()
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            over.set()
            timer.cancel()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def request_head(connection: socket.socket) -> bytes:
    """The head of a request, or empty bytes at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def reading_slowly(connection: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.02):
        connection.recv(2048)


def sending_headers_slowly(connection: socket.socket, over: threading.Event) -> None:
    request_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not over.wait(0.05):
        connection.sendall(b"x")


def answering(connection: socket.socket, _: threading.Event) -> None:
    number = 0
    while request_head(connection):
        number += 1
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)


def perform(call: Call) -> tuple[Unknown | Transient | object, float]:
    started = time.monotonic()
    with httpx.Client(transport=transport()) as client, pytest.raises(CallError) as raised:
        Http(client).perform(call)
    return raised.value.outcome, time.monotonic() - started


def test_an_upload_to_a_slow_reader_times_out() -> None:
    media = Image(data=base64.b64encode(bytes(12_000_000)).decode(), name="a")
    with server(reading_slowly) as url:
        call = Call(name="up", method="POST", url=url, timeout=1, upload=Upload(field="f", media=media, limit=10**8))
        outcome, seconds = perform(call)
    assert outcome == Unknown("WriteTimeout")
    assert seconds < SERVER_SECONDS / 2


def test_an_answer_with_slow_headers_times_out() -> None:
    with server(sending_headers_slowly) as url:
        outcome, seconds = perform(Call(name="send", method="GET", url=url, timeout=0.5))
    assert outcome == Unknown("ReadTimeout")
    assert seconds < SERVER_SECONDS / 2


def test_media_with_slow_headers_time_out_as_a_transient_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_STAGE", "local")
    with server(sending_headers_slowly) as url:
        upload = Upload(field="f", media=Image(url=url), limit=10**6)
        outcome, seconds = perform(Call(name="up", method="POST", url=url, timeout=0.5, upload=upload))
    assert outcome == Transient("media: ReadTimeout", part="media")
    assert seconds < SERVER_SECONDS / 2


def test_calls_on_one_connection_have_separate_deadlines() -> None:
    with server(answering) as url, httpx.Client(transport=transport()) as client:
        call = Call(name="send", method="GET", url=url, timeout=0.5)
        bodies = [Http(client).perform(call).body]
        threading.Event().wait(0.6)
        bodies.append(Http(client).perform(call).body)
    assert bodies == [b"1", b"2"]


def test_all_transports_share_their_tls_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []

    def make() -> ssl.SSLContext:
        made.append(ssl.create_default_context())
        return made[-1]

    monkeypatch.setattr(httpx, "create_ssl_context", make)
    sockets._tls.cache_clear()
    try:
        for public_only in (False, True):
            transport(public_only=public_only).close()
    finally:
        sockets._tls.cache_clear()
    assert len(made) == 1
    assert made[0].verify_mode is ssl.CERT_REQUIRED
