"""What a platform brings to the conformance suite: an `Adapter`, in `adapters/<platform>.py` as `ADAPTER`.

The suite itself knows no platform. It runs vectors, attacks and golden files against `receive` and `deliver` as they
are deployed, with requests that other people's code has signed.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from parley.adapter import Accepted, Answer, App, Call, Headers, Rejected, Request
from parley.engine.callback import request_of
from parley.platforms import NAMES, inbound


class Failed(Exception):
    """The code does not do what the vector says. The message is the reason that is printed."""


class NotApplicable(Exception):
    """The vector is about something that is not there. The message is the reason that is printed."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One test vector. `data` is its object, `document` the whole file (some keep common inputs there)."""

    platform: str
    name: str
    kind: str
    data: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the code under test gets; vectors without `inputs` keep it at their top."""
        return self.data.get("inputs", self.data)

    @property
    def expected(self) -> Any:
        """What it has to return or decide."""
        return self.data.get("expected", {})


@dataclass(frozen=True, slots=True)
class Sample:
    """A valid request that was signed by somebody else's code, and what its verification covers.

    Each name in `headers` and `query` has to be refused when it is missing or changed; `body` says whether every
    change of the body has to be. `dated`: there is a signed timestamp, so that it can be stale.
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
    """For each `kind` of vector: returns if the code does what it says, raises Failed or NotApplicable otherwise."""
    samples: Callable[[float], tuple[Sample, ...]]
    """Valid requests, signed at the given unix second."""
    stranger: App
    """An app with other credentials than those of the samples."""
    wrap: Callable[[bytes, float], tuple[Request, App]]
    """Any payload as a validly signed request, for what comes after verification."""
    payloads: Callable[[], Iterator[bytes]]
    """Payloads that are valid or nearly so: every field of every sample replaced by values of wrong types."""
    app: App
    """The app of the golden files."""
    receipt: Callable[[Call, int], Answer]
    """What the platform answers to the n-th call of a golden file."""
    max_age: float | None = None
    """Seconds after which a dated request is stale; None if the platform has no such thing."""
    max_ahead: float = 0
    never_in_raw: tuple[str, ...] = ()
    """Credentials of the samples' app: none of them may be found in a message."""
    also_called: tuple[str, ...] = ()
    """Other names of the platform in files of vectors."""


def adapters() -> dict[str, Adapter]:
    """All adapters, by platform. A platform of the registry without one is a fault of the suite."""
    package = import_module("tests.conformance.adapters")
    found = {name: import_module(f"{package.__name__}.{name}") for _, name, _ in iter_modules(package.__path__)}
    return {name: module.ADAPTER for name, module in found.items() if name in NAMES}


def receive(platform: str, request: Request, app: App, now: float) -> Accepted | Rejected:
    """What the deployed code makes of `request`, after its way through API Gateway."""
    return inbound(platform).receive(through_gateway(request), app, now)


def through_gateway(request: Request) -> Request:
    """`request` as the callback function sees it: as an API Gateway event, Base64 where the body is not UTF-8."""
    return request_of(gateway_event(request))


def gateway_event(request: Request, *, encoded: bool | None = None) -> dict[str, Any]:
    """The event that a REST API makes of `request`. `encoded`: Base64 or not; None as the body needs it."""
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
    """`request` with a header changed, or left out for None."""
    headers = {key: held for key, held in request.headers.items() if key != name.lower()}
    return replace(request, headers=Headers(headers if value is None else {**headers, name: value}))


def with_query(request: Request, name: str, value: str | None) -> Request:
    """`request` with a query parameter changed, or left out for None."""
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


def expect_accepted(outcome: Accepted | Rejected) -> Accepted:
    """The acceptance; raises Failed with the reason of a rejection."""
    if isinstance(outcome, Rejected):
        raise Failed(f"refused with {outcome.status} {outcome.reason}: {outcome.detail}")
    return outcome


def expect_refused(outcome: Accepted | Rejected) -> Rejected:
    """The rejection; raises Failed if there is none."""
    if isinstance(outcome, Accepted):
        raise Failed("accepted, but has to be refused")
    return outcome
