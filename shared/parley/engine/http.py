"""The HTTP client: one per process, connections kept alive, a deadline on every call, answers of bounded size."""

import base64
import ipaddress
import logging
import math
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import IO, Any

import httpx
import msgspec

from parley.adapter import Answer, Auth, Call, Headers, Permanent, Transient, Unknown, Upload
from parley.engine.aws import setting
from parley.engine.sockets import ending, transport

MAX_ANSWER = 1_048_576
"""Bytes of an API's answer that are read."""
MAX_DOWNLOAD = 10_485_760
"""Bytes of media that are handed to the bot."""
_IN_MEMORY = 1_048_576
_ENOUGH = 8.0
"""Seconds that have to be left for a call to begin: a worker that is killed in the middle of it leaves doubt."""
_TO_RECORD = 2.0
"""Seconds kept back of a worker's time to record what became of its last call."""

# httpx tells each address at level INFO, which is what Lambda's JSON logs keep, and addresses hold credentials: an
# access token in the query (WeCom, WeChat), a robot's key, an interaction's token in the path (Discord).
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


class CallError(Exception):
    """No answer. `outcome` says what that means for the call."""

    def __init__(self, outcome: Transient | Unknown | Permanent) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


@cache
def client() -> httpx.Client:
    """The client of this process."""
    return httpx.Client(transport=transport(), follow_redirects=False)


@dataclass(slots=True)
class Http:
    """Makes calls. `transport` of the client decides where they go: the network, or an imitation in a test. `until`:
    the moment of `time.monotonic` at which the last answer has to be there, because the worker ends soon after it.
    """

    client: httpx.Client
    until: float = math.inf

    def ends_in(self, seconds: float) -> None:
        """The worker will be killed in so many seconds: no call may last so long."""
        self.until = time.monotonic() + seconds - _TO_RECORD

    def perform(self, call: Call, token: str = "") -> Answer:
        """Make `call` with `token` in the place that `call.auth` names. Raises CallError."""
        headers, query = _with_token(call, token)
        until = self._until(call)
        with ending(until), _body(self.client, call, until) as body:
            request = self.client.build_request(
                call.method,
                call.url,
                params=query or None,
                headers={**body.headers, **headers},
                timeout=_timeout(until),
                content=body.content,
                data=body.fields,
                files=body.files,
            )
            return self._send(request, until)

    def download(self, call: Call, token: str, limit: int = MAX_DOWNLOAD) -> tuple[Answer, bytes]:
        """Make `call` and read up to `limit` bytes. Raises CallError, also for more than that."""
        headers, query = _with_token(call, token)
        until = self._until(call)
        request = self.client.build_request(
            call.method, call.url, params=query or None, headers=headers, timeout=_timeout(until)
        )
        with ending(until):
            answer = self._send(request, until, limit)
        return answer, answer.body

    def _until(self, call: Call) -> float:
        """When `call` has to be over. Raises CallError where too little time is left to begin it."""
        now = time.monotonic()
        if self.until - now < min(_ENOUGH, call.timeout):
            raise CallError(Transient("too little time left in this invocation"))
        return min(now + call.timeout, self.until)

    def _send(self, request: httpx.Request, until: float, limit: int = MAX_ANSWER) -> Answer:
        try:
            response = self.client.send(request, stream=True)
            try:
                body = _read(response, limit, until)
            except _TooLong as error:
                # It was answered, so it may well have been done.
                raise CallError(Unknown(f"answered with more than {limit} bytes")) from error
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise CallError(Transient(type(error).__name__)) from error
        except httpx.HTTPError as error:
            # The request may have arrived: only the platform knows.
            raise CallError(Unknown(type(error).__name__)) from error
        return Answer(response.status_code, body, Headers(dict(response.headers)))


class _TooLong(Exception):
    """An answer beyond what is read."""


def _timeout(until: float) -> httpx.Timeout:
    """For each step of a call that has to be over at `until`; for the whole of it see `parley.engine.sockets`."""
    left = max(0.1, until - time.monotonic())
    return httpx.Timeout(left, connect=min(3.0, left))


def _chunks(response: httpx.Response, until: float) -> Iterator[bytes]:
    """The body, as long as there is time: who sends a byte now and then never meets a time-out of a single step."""
    for chunk in response.iter_bytes():
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the whole call takes too long")
        yield chunk


def _read(response: httpx.Response, limit: int, until: float) -> bytes:
    body = bytearray()
    for chunk in _chunks(response, until):
        body += chunk
        if len(body) > limit:
            raise _TooLong
    return bytes(body)


def _with_token(call: Call, token: str) -> tuple[dict[str, str], dict[str, str]]:
    headers, query = dict(call.headers), dict(call.query)
    match call.auth:
        case Auth(where="header", name=name, prefix=prefix):
            headers[name] = prefix + token
        case Auth(where="query", name=name, prefix=prefix):
            query[name] = prefix + token
        case _:
            pass
    return headers, query


@dataclass(frozen=True, slots=True)
class _Body:
    headers: dict[str, str]
    content: bytes | None = None
    fields: dict[str, str] | None = None
    files: dict[str, tuple[str, IO[bytes], str]] | None = None


@contextmanager
def _body(client: httpx.Client, call: Call, until: float) -> Generator[_Body]:
    if call.upload is not None:
        with _opened(client, call.upload, until) as file:
            media = call.upload.media
            part = (media.name or call.upload.filename, file, media.mime or "application/octet-stream")
            yield _Body({}, fields=call.upload.fields, files={call.upload.field: part})
    elif call.json is not None:
        yield _Body({"Content-Type": "application/json; charset=utf-8"}, content=msgspec.json.encode(call.json))
    else:
        yield _Body({})


@contextmanager
def _opened(client: httpx.Client, upload: Upload, until: float) -> Generator[IO[bytes]]:
    """The bytes to upload, streamed through a file beyond a megabyte, never more than the limit."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        if upload.media.data:
            _write(file, _decoded(upload.media.data), upload.limit)
        else:
            _fetch(client, upload, file, until)
        file.seek(0)
        yield file


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:
        raise CallError(Permanent("the media's data is not Base64", form=True)) from error


def _fetch(client: httpx.Client, upload: Upload, file: IO[bytes], until: float) -> None:
    if not upload.media.url.startswith(("http://", "https://")):
        raise CallError(Permanent("the media has no usable address", form=True))
    try:
        until = min(until, time.monotonic() + 10.0)
        _check_outside(httpx.URL(upload.media.url).host)
        with ending(until), client.stream("GET", upload.media.url, timeout=_timeout(until)) as response:
            _check_outside(*_peer(response))
            if response.status_code >= 500:
                raise CallError(Transient(f"media answered {response.status_code}"))
            if response.status_code != 200:
                raise CallError(Permanent(f"media answered {response.status_code}", form=True))
            for chunk in _chunks(response, until):
                _write(file, chunk, upload.limit)
    except httpx.InvalidURL as error:
        raise CallError(Permanent("the media has no usable address", form=True)) from error
    except httpx.HTTPError as error:
        raise CallError(Transient(f"media: {type(error).__name__}")) from error


def _peer(response: httpx.Response) -> tuple[str, ...]:
    """The address that has answered; empty where it is an imitation."""
    stream: Any = response.extensions.get("network_stream")
    address: Any = stream.get_extra_info("server_addr") if stream is not None else None
    return (str(address[0]),) if address else ()


def _check_outside(*hosts: str) -> None:
    """Raise CallError where one of `hosts` is this very machine or its neighbour by wire.

    A bot may take the address from a person, and there Lambda gives out the next event, and a container its
    credentials. Once by the name and once by whom it led to. On the local stack everything is on one machine.
    """
    for host in hosts:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            inside = host.rstrip(".").lower().endswith("localhost")
        else:
            address = getattr(address, "ipv4_mapped", None) or address
            inside = address.is_loopback or address.is_link_local or address.is_unspecified
        if inside and setting("STAGE") != "local":
            raise CallError(Permanent("the media's address is inside this machine", form=True))


def _write(file: IO[bytes], chunk: bytes, limit: int) -> None:
    if file.tell() + len(chunk) > limit:
        raise CallError(Permanent(f"media is larger than {limit} bytes", form=True))
    file.write(chunk)
