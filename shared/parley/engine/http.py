"""The HTTP client: one per process, connections kept alive, a deadline on every call, answers of bounded size."""

import base64
import logging
import math
import mimetypes
import re
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import IO
from urllib.parse import urlencode

import httpx
import msgspec

from parley.adapter import Answer, Auth, Call, Headers, Permanent, Transient, Unknown, Upload
from parley.engine.addresses import ForbiddenAddressError, check_url
from parley.engine.aws import setting
from parley.engine.sockets import ending, transport
from parley.errors import ParleyError

MAX_ANSWER = 1_048_576
"""Bytes of an API's answer that are read at most."""
MAX_DOWNLOAD = 10_485_760
"""Bytes of media that the bot gets at most."""
_IN_MEMORY = 1_048_576
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+(;[^\r\n\0]*)?", re.ASCII)
_ENOUGH = 8.0
"""Seconds that must be left before a call begins: a worker that dies during a call leaves an unknown outcome."""
_TO_RECORD = 2.0
"""Seconds of the worker's time that are reserved for recording the outcome of its last call."""

# httpx logs each URL at level INFO, which Lambda's JSON logs include. URLs hold credentials: an access token in the
# query (WeCom, WeChat), the key of a group robot, an interaction token in the path (Discord).
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


class CallError(ParleyError):
    """There is no answer. `outcome` is the outcome of the call."""

    def __init__(self, outcome: Transient | Unknown | Permanent) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


@cache
def client() -> httpx.Client:
    """The client of this process for the platforms' APIs."""
    return httpx.Client(transport=transport(), follow_redirects=False)


@cache
def media_client() -> httpx.Client:
    """The client of this process for URLs from messages and from the bot. It reaches public addresses only; on the
    local stack everything is on one machine.
    """
    return httpx.Client(transport=transport(public_only=not _is_local()), follow_redirects=False)


class Http(msgspec.Struct):
    """Makes calls.

    The clients' `transport` is the network, or an imitation in a test. `media` is the client for URLs from messages and
    from the bot, `client` by default. `until`: the time of `time.monotonic` by which the last answer must be there,
    because the worker ends soon after it.
    """

    client: httpx.Client
    media: httpx.Client | None = None
    until: float = math.inf

    def ends_in(self, seconds: float) -> None:
        """Lambda kills the worker in `seconds`: every call has to end before."""
        self.until = time.monotonic() + seconds - _TO_RECORD

    def perform(self, call: Call, token: str = "") -> Answer:
        """Make `call` with `token` where `call.auth` says. Raises CallError."""
        headers, query = _with_token(call, token)
        until = self._until(call)
        with ending(until), _body(self.media or self.client, call, until) as body:
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
            try:
                return self._send(self.client, request, until, MAX_ANSWER)
            except _TooLongError as error:
                # There is an answer, so the call may be done.
                raise CallError(Unknown(f"answered with more than {MAX_ANSWER} bytes")) from error

    def download(self, call: Call, token: str, limit: int = MAX_DOWNLOAD) -> tuple[Answer, bytes]:
        """Make `call` and read at most `limit` bytes. Raises CallError, also if there are more."""
        headers, query = _with_token(call, token)
        until = self._until(call)
        # Without a token it is no call of the platform's API: the URL is part of a message.
        client = self.client if call.auth is not None else self.media or self.client
        if call.auth is None:
            _check(call.url)
        request = client.build_request(
            call.method, call.url, params=query or None, headers=headers, timeout=_timeout(until)
        )
        try:
            with ending(until):
                answer = self._send(client, request, until, limit)
        except _TooLongError as error:
            raise CallError(_too_large(limit)) from error
        return answer, answer.body

    def _until(self, call: Call) -> float:
        """The time by which `call` has to end. Raises CallError if too little time is left to begin it."""
        now = time.monotonic()
        if self.until - now < min(_ENOUGH, call.timeout):
            raise CallError(Transient("too little time left in this invocation"))
        return min(now + call.timeout, self.until)

    def _send(self, client: httpx.Client, request: httpx.Request, until: float, limit: int) -> Answer:
        try:
            response = client.send(request, stream=True)
            try:
                body = _read(response, limit, until)
            finally:
                response.close()
        except ForbiddenAddressError as error:
            raise CallError(Permanent(str(error), part="media")) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise CallError(Transient(type(error).__name__)) from error
        except httpx.HTTPError as error:
            # The request may have arrived.
            raise CallError(Unknown(type(error).__name__)) from error
        return Answer(response.status_code, body, Headers(dict(response.headers)))


def _is_local() -> bool:
    return setting("STAGE") == "local"


def _check(url: str) -> None:
    """Raise CallError if `url`, which is part of a message, may not be called."""
    try:
        check_url(url, any_port=_is_local())
    except ForbiddenAddressError as error:
        raise CallError(Permanent(str(error), part="media")) from error


class _TooLongError(ParleyError):
    """The answer is larger than the limit."""


def _timeout(until: float) -> httpx.Timeout:
    """The time-out of each step of a call that ends at `until`. `parley.engine.sockets` limits the whole call."""
    left = max(0.1, until - time.monotonic())
    return httpx.Timeout(left, connect=min(3.0, left))


def _chunks(response: httpx.Response, until: float) -> Iterator[bytes]:
    """The body, within the deadline: a server that sends single bytes never runs into the time-out of one step."""
    for chunk in response.iter_bytes():
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the whole call takes too long")
        yield chunk


def _read(response: httpx.Response, limit: int, until: float) -> bytes:
    body = bytearray()
    for chunk in _chunks(response, until):
        body += chunk
        if len(body) > limit:
            raise _TooLongError
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


class _Body(msgspec.Struct, frozen=True):
    headers: dict[str, str]
    content: bytes | None = None
    fields: dict[str, str] | None = None
    files: dict[str, tuple[str, IO[bytes], str]] | None = None


@contextmanager
def _body(client: httpx.Client, call: Call, until: float) -> Generator[_Body]:
    if call.upload is not None and call.stored:
        with _opened(client, call.upload, until) as file:
            yield _Body({}, content=file.read())
    elif call.upload is not None:
        with _opened(client, call.upload, until) as file:
            mime = call.upload.media.mime or "application/octet-stream"
            part = (_file_name(call.upload), file, mime)
            yield _Body({}, fields=call.upload.fields, files={call.upload.field: part})
    elif call.json is not None:
        yield _Body({"Content-Type": "application/json; charset=utf-8"}, content=msgspec.json.encode(call.json))
    elif call.form:
        content = urlencode(call.form).encode()
        yield _Body({"Content-Type": "application/x-www-form-urlencoded"}, content=content)
    else:
        yield _Body({})


def _file_name(upload: Upload) -> str:
    """The name of the file, with a suffix: platforms and clients take the type from it. Raises CallError."""
    media = upload.media
    if media.mime and not _MIME.fullmatch(media.mime):
        raise CallError(Permanent("the media's `mime` is not a media type such as image/png", part="media"))
    name = media.name or upload.filename
    suffix = "" if "." in name.rsplit("/", 1)[-1] else mimetypes.guess_extension(media.mime) or ""
    return f"{name}{suffix}"


@contextmanager
def _opened(client: httpx.Client, upload: Upload, until: float) -> Generator[IO[bytes]]:
    """The bytes to upload, at most the limit. More than a megabyte is streamed through a file."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        if upload.content is not msgspec.UNSET:
            _write(file, upload.content, upload.limit)
        elif upload.media.data:
            _write(file, _decoded(upload.media.data), upload.limit)
        else:
            _fetch(client, upload, file, until)
        file.seek(0)
        yield file


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:
        raise CallError(Permanent("the media's data is not Base64", part="media")) from error


def _fetch(client: httpx.Client, upload: Upload, file: IO[bytes], until: float) -> None:
    _check(upload.media.url)
    try:
        until = min(until, time.monotonic() + 10.0)
        with ending(until), client.stream("GET", upload.media.url, timeout=_timeout(until)) as response:
            if response.status_code >= 500:
                raise CallError(Transient(f"media answered {response.status_code}", part="media"))
            if response.status_code != 200:
                raise CallError(Permanent(f"media answered {response.status_code}", part="media"))
            for chunk in _chunks(response, until):
                _write(file, chunk, upload.limit)
    except ForbiddenAddressError as error:
        raise CallError(Permanent(str(error), part="media")) from error
    except httpx.HTTPError as error:
        raise CallError(Transient(f"media: {type(error).__name__}", part="media")) from error


def _write(file: IO[bytes], chunk: bytes, limit: int) -> None:
    if file.tell() + len(chunk) > limit:
        raise CallError(_too_large(limit))
    file.write(chunk)


def _too_large(limit: int) -> Permanent:
    return Permanent(f"media is larger than {limit} bytes", part="media")
