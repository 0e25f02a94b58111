"""A fake AWS in this process: it takes the requests of the engine's boto3 clients and hands them to fake services.

It takes a request in one of two places. Through botocore: just before the request would leave the machine, with
botocore's own serialisation, retries and errors. Direct: when the client's method is called, with the same retries and
errors implemented here; this is about thirty times as fast. `tests/faults/test_simulation.py` and `test_aws.py` compare
the two.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, cast
from uuid import uuid4

import boto3
import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError

from parley.bot import exchange
from parley.engine import aws, telemetry
from tools.faults.dynamodb import DynamoDB, ServiceError
from tools.faults.kms import Keys
from tools.faults.policies import Fault
from tools.faults.sqs import NotInFlightError, Queue, VisibilityTooLongError

REGION = "eu-west-1"
_FIRST_BACKOFF = 0.5
"""Seconds before the second attempt; botocore takes a random number between 0 and 1."""
ATTEMPTS = 3
"""The number of attempts of the DynamoDB and SQS clients, as `parley.engine.aws` configures them."""
Before = Callable[[str], Fault | None]
"""Called before an operation is carried out. Returns its fault, or raises Crash."""
After = Callable[[Fault], None]
"""Called after an operation with a fault was carried out. Can raise Crash."""


@dataclass(slots=True)
class Aws:
    """The AWS of one simulation."""

    dynamodb: DynamoDB
    queues: Mapping[str, Queue]
    """The queues by URL."""
    before: Before
    after: After
    sleep: Callable[[float], None]
    """Waits before a retry."""
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    """The parameters in SSM, by name."""
    keys: Keys = field(default_factory=Keys)
    direct: bool = True

    def install(self) -> None:
        """Take all requests of the engine's clients in this process from now on. Other clients are as they were."""
        _Process.current = self
        _set_clients(_own_clients(), _Time(_sleep))

    def call(self, client: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one call as a botocore client does: with the attempts of its configuration. Raises botocore's
        exceptions, or Crash.
        """
        if operation == "TransactWriteItems":
            request.setdefault("ClientRequestToken", uuid4().hex)
        error: Exception = RuntimeError("no attempt")
        for attempt in range(client.meta.config.retries["total_max_attempts"]):
            if attempt:
                self.sleep(_FIRST_BACKOFF * 2 ** (attempt - 1))
            fault = self.before(operation)
            if fault is Fault.ERROR:
                error = _exception(client, operation, ServiceError("ThrottlingException", "slow down"))
                continue
            rejected = response = None
            try:
                response = self._carry_out(operation, request)
            except ServiceError as raised:
                rejected = raised
            if fault is not None:
                self.after(fault)
            if fault is Fault.RESPONSE_LOST:
                error = ConnectionClosedError(endpoint_url="https://aws.local")
                continue
            if rejected is not None:
                raise _exception(client, operation, rejected)
            return response or {}
        raise error

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Carry out one request that botocore is about to send. Raises the HTTP client's exceptions, or Crash."""
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        fault = self.before(operation)
        if fault is Fault.ERROR:
            return _response(request, 400, {"__type": "x#ThrottlingException", "message": "slow down"})
        body = json.loads(cast("bytes", request.body) or b"{}")
        try:
            status, value = 200, self._carry_out(operation, body)
        except ServiceError as error:
            status, value = 400, error.body
        if fault is not None:
            self.after(fault)
        if fault is Fault.RESPONSE_LOST:
            raise ConnectionClosedError(endpoint_url=request.url)
        return _response(request, status, value)

    def _carry_out(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        if operation == "GetParameter":
            return self._parameter(body["Name"])
        if operation == "GetParametersByPath":
            return {"Parameters": [{"Name": name} for name in self.parameters if name.startswith(f"{body['Path']}/")]}
        if operation in ("GenerateDataKey", "Decrypt"):
            return self.keys.call(operation, body)
        if "QueueUrl" not in body:
            return self.dynamodb.call(operation, body)
        queue = self.queues[body["QueueUrl"]]
        match operation:
            case "SendMessage":
                group, dedup = body["MessageGroupId"], body["MessageDeduplicationId"]
                return {"MessageId": queue.send(body["MessageBody"], group, dedup), "MD5OfMessageBody": ""}
            case "SendMessageBatch":
                sent = [
                    queue.send(entry["MessageBody"], entry["MessageGroupId"], entry["MessageDeduplicationId"])
                    for entry in body["Entries"]
                ]
                done = zip(body["Entries"], sent, strict=True)
                return {"Successful": [{"Id": entry["Id"], "MessageId": id_} for entry, id_ in done]}
            case "ChangeMessageVisibility":
                try:
                    queue.change_visibility(body["ReceiptHandle"], body["VisibilityTimeout"])
                except (NotInFlightError, VisibilityTooLongError) as error:
                    raise ServiceError("InvalidParameterValue", f"{type(error).__name__}: {error}") from error
                return {}
            case "GetQueueAttributes":
                return {"Attributes": {name: queue.counts()[name] for name in body["AttributeNames"]}}
            case other:
                raise ServiceError("UnknownOperation", other)

    def _parameter(self, name: str) -> dict[str, Any]:
        if name not in self.parameters:
            raise ServiceError("ParameterNotFound")
        return {"Parameter": {"Name": name, "Type": "SecureString", "Value": self.parameters[name]}}


class _Process:
    """The state of the process: which fake AWS takes the requests of the engine's clients."""

    current: Aws | None = None


class _Time(NamedTuple):
    """The part of the module `time` that botocore's retries use."""

    sleep: Callable[[float], None]


_CACHED: tuple[Any, ...] = (aws.dynamodb, aws.sqs, aws.ssm, aws.kms)
"""The functions that hold the engine's clients."""


@cache
def _own_clients() -> tuple[Any, ...]:
    """The clients that call the fake AWS, in the order of `_CACHED`.

    They have a session of their own. All fakes of the process share them: a session reads botocore's descriptions of
    the services, which takes a tenth of a second.
    """
    session: Any = boto3.Session(
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106
        region_name=REGION,
    )
    session.events.register("before-send", _send)
    default, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, session
    try:
        clients = tuple(cached.__wrapped__() for cached in _CACHED)
    finally:
        boto3.DEFAULT_SESSION = default
    for client in clients:
        client._make_api_call = _Caller(client)  # noqa: SLF001
    return clients


def _held_clients() -> tuple[Any, ...]:
    """The engine's clients of now, in the order of `_CACHED`; None for those that are not made yet."""
    return tuple(cached() if cached.cache_info().currsize else None for cached in _CACHED)


def _set_clients(clients: tuple[Any, ...], clock: Any) -> None:
    """Make `clients` the engine's, and `clock` the module `time` of botocore. None: made when first needed."""
    botocore.endpoint.time = clock  # pyright: ignore[reportAttributeAccessIssue]
    make = aws._client  # noqa: SLF001
    for cached, client in zip(_CACHED, clients, strict=True):
        cached.cache_clear()
        if client is not None:
            aws._client = lambda *_, held=client: held  # noqa: SLF001
            cached()
    aws._client = make  # noqa: SLF001


class _Caller:
    """Replaces a client's `_make_api_call`: it calls the fake AWS directly, or botocore's own method."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._own = client._make_api_call  # noqa: SLF001

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        current = _Process.current
        if current is None or not current.direct:
            return self._own(operation, request)
        return current.call(self._client, operation, request)


def _exception(client: Any, operation: str, error: ServiceError) -> Exception:
    response = {"Error": {"Code": error.code, "Message": str(error)}, **error.members}
    return client.exceptions.from_code(error.code)(response, operation)


def _send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    return None if _Process.current is None else _Process.current.send(request)


def _sleep(seconds: float) -> None:
    if _Process.current is not None:
        _Process.current.sleep(seconds)


class _Raw:
    """A response body with the interface of urllib3."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterable[bytes]:
        """The whole body."""
        yield self._body


def _response(request: AWSPreparedRequest, status: int, value: dict[str, Any]) -> AWSResponse:
    headers: Any = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "local"}
    return AWSResponse(request.url, status, headers, _Raw(json.dumps(value).encode()))


@contextmanager
def isolated() -> Iterator[None]:
    """Restore the engine's clients, its environment variables, metrics and logs, and the waits for models after the
    context. Simulations replace them. Contexts may be nested.
    """
    current, clients, clock = _Process.current, _held_clients(), botocore.endpoint.time  # pyright: ignore[reportAttributeAccessIssue]
    environment, emit, level = _environment(), telemetry._emit, telemetry.log.log_level  # noqa: SLF001
    waits = exchange._waits  # noqa: SLF001
    try:
        yield
    finally:
        _Process.current = current
        _set_clients(clients, clock)
        telemetry._emit, exchange._waits = emit, waits  # noqa: SLF001
        telemetry.log.setLevel(level)
        for name in _environment():
            del os.environ[name]
        os.environ.update(environment)


def _environment() -> dict[str, str]:
    """The environment variables of the functions."""
    return {name: value for name, value in os.environ.items() if name.startswith(("PARLEY_", "POWERTOOLS_"))}
