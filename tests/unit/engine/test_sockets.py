"""A call ends when its time is over, however busily the other side takes and gives a byte now and then."""

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from parley.adapter import Call, Transient, Unknown, Upload
from parley.engine.http import CallError, Http
from parley.engine.sockets import transport
from parley.model import Image

Serve = Callable[[socket.socket, threading.Event], None]
PATIENT = 10.0
"""Seconds after which the servers of these tests give up, so that a call without a deadline ends as well."""


@contextmanager
def server(serve: Serve) -> Iterator[str]:
    """Serves connections one after the other; its address."""
    over = threading.Event()
    timer = threading.Timer(PATIENT, over.set)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)

        def run() -> None:
            with suppress(OSError):  # it is closed when the test is over
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


def asked(connection: socket.socket) -> bytes:
    """The head of a request; empty where no further one comes."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def taking_little(connection: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.02):
        connection.recv(2048)


def dripping_headers(connection: socket.socket, over: threading.Event) -> None:
    asked(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not over.wait(0.05):
        connection.sendall(b"x")


def answering(connection: socket.socket, _: threading.Event) -> None:
    number = 0
    while asked(connection):
        number += 1
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)


def perform(call: Call) -> tuple[Unknown | Transient | object, float]:
    started = time.monotonic()
    with httpx.Client(transport=transport()) as client, pytest.raises(CallError) as raised:
        Http(client).perform(call)
    return raised.value.outcome, time.monotonic() - started


def test_an_upload_of_which_little_is_taken_at_a_time_is_given_up() -> None:
    media = Image(data=base64.b64encode(bytes(12_000_000)).decode(), name="a")
    with server(taking_little) as url:
        call = Call(name="up", method="POST", url=url, timeout=1, upload=Upload(field="f", media=media, limit=10**8))
        outcome, seconds = perform(call)
    assert outcome == Unknown("WriteTimeout")
    assert seconds < PATIENT / 2


def test_an_answer_whose_headers_drip_is_given_up() -> None:
    with server(dripping_headers) as url:
        outcome, seconds = perform(Call(name="send", method="GET", url=url, timeout=0.5))
    assert outcome == Unknown("ReadTimeout")
    assert seconds < PATIENT / 2


def test_media_whose_headers_drip_are_given_up_and_nothing_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_STAGE", "local")
    with server(dripping_headers) as url:
        upload = Upload(field="f", media=Image(url=url), limit=10**6)
        outcome, seconds = perform(Call(name="up", method="POST", url=url, timeout=0.5, upload=upload))
    assert outcome == Transient("media: ReadTimeout")
    assert seconds < PATIENT / 2


def test_a_connection_is_kept_and_serves_calls_that_each_have_their_own_deadline() -> None:
    with server(answering) as url, httpx.Client(transport=transport()) as client:
        call = Call(name="send", method="GET", url=url, timeout=0.5)
        bodies = [Http(client).perform(call).body]
        threading.Event().wait(0.6)
        bodies.append(Http(client).perform(call).body)
    assert bodies == [b"1", b"2"]
