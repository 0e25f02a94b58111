"""Connections with a deadline for the whole call. httpx has time-outs for single steps only: a server that sends a
header line or reads a byte from time to time never exceeds one.
"""

import ssl
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpcore
import httpx

from parley.engine.addresses import public_address

_KEPT = 20
"""Connections at the same time, and connections kept alive."""
_KEPT_FOR = 50
_SLICE = 16_384
"""Bytes of one write: the size of a TLS record, so that each write is one step."""
_until: ContextVar[float | None] = ContextVar("until", default=None)


@contextmanager
def ending(until: float) -> Generator[None]:
    """Every call in the `with` block ends by the time `until` of `time.monotonic`, with one of httpx's time-outs.

    A DNS look-up has a time-out of its own, which the template sets: `RES_OPTIONS`, see resolv.conf(5).
    """
    before = _until.set(until)
    try:
        yield
    finally:
        _until.reset(before)


def transport(*, public_only: bool = False) -> httpx.BaseTransport:
    """A transport with keep-alive connections that respect the deadline of `ending`.

    `public_only`: connect to public addresses only (`parley.engine.addresses`). The check is made on the resolved
    address, when a connection is opened.
    """
    return _Transport(public_only=public_only)


@cache
def _tls() -> ssl.SSLContext:
    """The TLS settings of all connections of this process. They take long to make: OpenSSL reads each certificate."""
    return httpx.create_ssl_context()


class _Transport(httpx.HTTPTransport):
    """httpx's transport with a pool of our connections; httpx has no parameter for that."""

    def __init__(self, *, public_only: bool) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(),
            max_connections=_KEPT,
            max_keepalive_connections=_KEPT,
            keepalive_expiry=_KEPT_FOR,
            network_backend=_Backend(public_only=public_only),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, *, public_only: bool) -> None:
        self._sockets = httpcore.SyncBackend()
        self._public_only = public_only

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        # TLS gets the name of the host separately: the certificate is checked against it.
        address = public_address(host, port) if self._public_only else host
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._sockets.connect_tcp(address, port, left, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    """A connection whose steps take no longer than the time that is left for the call."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _SLICE):
            self._stream.write(buffer[start : start + _SLICE], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, over: type[Exception]) -> float | None:
    """The seconds that one step may take. Raises `over` if none are left."""
    until = _until.get()
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise over("the deadline of the call has passed")
    return left if timeout is None else min(timeout, left)
