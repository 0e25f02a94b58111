"""The interface between a platform and the conformance suite: an `Adapter`, `ADAPTER` in `adapters/<platform>.py`.

The suite names no platform. It runs vectors, attacks and golden files against the deployed `receive` and `deliver`.
Independent implementations sign the requests.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from msgspec import json
from msgspec.structs import replace

from parley.adapter import Accepted, Answer, App, Call, Headers, Rejected, Request
from parley.engine.gateway import request_of
from parley.model import Message, Outgoing
from parley.platforms import NAMES, inbound

GOLDEN = Path(__file__).parents[1] / "golden"


class Failed(Exception):
    """The result differs from the vector. The message is the reason that is printed."""


class NotApplicable(Exception):
    """The vector tests something that the platform does not have. The message is the reason that is printed."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One test vector. `data` is its object; `document` is the whole file, which may hold common inputs."""

    platform: str
    name: str
    kind: str
    data: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs of the code under test: the field `inputs`, or the vector itself if it has none."""
        return self.data.get("inputs", self.data)

    @property
    def expected(self) -> Any:
        """The expected result."""
        return self.data.get("expected", {})


@dataclass(frozen=True, slots=True)
class Sample:
    """A valid request, signed by an independent implementation, and the parts of it that are verified.

    A request in which a header of `headers` or a parameter of `query` is missing or changed has to be rejected. If
    `body` is True, the same holds for any change of the body. `dated`: the time stamp is signed, so the request can be
    stale.
    """

    name: str
    request: Request
    app: App
    messages: int = 1
    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    body: bool = True
    dated: bool = True


@dataclass(frozen=True, slots=True)
class Adapter:
    """One platform's part of the suite."""

    platform: str
    checks: Mapping[str, Callable[[Vector], None]]
    """By the `kind` of a vector: a function that returns if the vector passes, or raises Failed or NotApplicable."""
    samples: Callable[[float], tuple[Sample, ...]]
    """Valid requests, signed at the given unix second."""
    stranger: App
    """An app with other credentials than those of the samples."""
    wrap: Callable[[bytes, float], tuple[Request, App]]
    """A validly signed request with any payload, to test the code after the verification."""
    payloads: Callable[[], Iterator[bytes]]
    """Valid payloads in which one field is replaced by values of wrong types, for every field of every sample."""
    app: App
    """The app of the golden files."""
    receipt: Callable[[Call, int], Answer]
    """The platform's answer to the n-th call of a golden file."""
    polled: Callable[[Outgoing], Any] | None = None
    """The response to a poll that carries a reply, decrypted, on a platform that polls for replies. None if a poll
    carries none to that place."""
    max_age: float | None = None
    """Seconds after which a dated request is stale; None if requests are never stale."""
    max_ahead: float = 0
    never_in_raw: tuple[str, ...] = ()
    """Credentials of the samples' app. No message may contain them."""
    also_called: tuple[str, ...] = ()
    """Other names of the platform in files of vectors."""


def adapters() -> dict[str, Adapter]:
    """All adapters, by platform. A test checks that every platform has one."""
    package = import_module("tests.conformance.adapters")
    found = {name: import_module(f"{package.__name__}.{name}") for _, name, _ in iter_modules(package.__path__)}
    return {name: module.ADAPTER for name, module in found.items() if name in NAMES}


def answered_by(platform: str) -> dict[str, Any]:
    """The destination of an answer on `platform`, without platform and app: that of its plainest golden file."""
    return json.decode((GOLDEN / platform / "text.json").read_bytes())["to"]


def receive(platform: str, request: Request, app: App, now: float) -> Accepted | Rejected:
    """The result of the deployed code for `request`, after API Gateway."""
    return inbound(platform).receive(through_gateway(request), app, now)


def through_gateway(request: Request) -> Request:
    """`request` as the callback function reads it from the API Gateway event."""
    return request_of(gateway_event(request))


def gateway_event(request: Request, *, encoded: bool | None = None) -> dict[str, Any]:
    """The event of a REST API for `request`. `encoded`: the body is Base64. A body that is not UTF-8 always is."""
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        text, encoded = "", True
    body = base64.b64encode(request.body).decode() if encoded else text
    return {
        "httpMethod": request.method,
        "headers": dict(request.headers),
        "multiValueHeaders": {name: [value] for name, value in request.headers.items()},
        "queryStringParameters": dict(request.query) or None,
        "body": body,
        "isBase64Encoded": bool(encoded),
    }


def with_header(request: Request, name: str, value: str | None) -> Request:
    """`request` with another value of a header; None removes the header."""
    headers = {key: held for key, held in request.headers.items() if key != name.lower()}
    return replace(request, headers=Headers(headers if value is None else {**headers, name: value}))


def with_query(request: Request, name: str, value: str | None) -> Request:
    """`request` with another value of a query parameter; None removes the parameter."""
    query = {key: held for key, held in request.query.items() if key != name}
    return replace(request, query=query if value is None else {**query, name: value})


def with_body(request: Request, body: bytes) -> Request:
    """`request` with another body."""
    return replace(request, body=body)


def expect(condition: object, reason: str) -> None:
    """Raise Failed unless `condition` holds."""
    if not condition:
        raise Failed(reason)


def expect_equal(found: object, wanted: object, what: str) -> None:
    """Raise Failed, with both values, unless they are equal."""
    expect(found == wanted, f"{what}: expected {wanted!r}, found {found!r}")


def expect_action(vector: Vector, message: Message | None) -> None:
    """Check the press, choice or form in `message`, if the vector expects one: its fields that are not empty."""
    if "action" in vector.expected:
        fields = json.decode(json.encode(message.action if message else None)) or {}
        expect_equal({name: value for name, value in fields.items() if value}, vector.expected["action"], "action")


def expect_accepted(outcome: Accepted | Rejected) -> Accepted:
    """`outcome` if it is an acceptance. Raises Failed with the reason of a rejection."""
    if isinstance(outcome, Rejected):
        raise Failed(f"rejected with {outcome.status} {outcome.reason}: {outcome.detail}")
    return outcome


def expect_rejected(outcome: Accepted | Rejected) -> Rejected:
    """`outcome` if it is a rejection. Raises Failed otherwise."""
    if isinstance(outcome, Accepted):
        raise Failed("accepted, but has to be rejected")
    return outcome
