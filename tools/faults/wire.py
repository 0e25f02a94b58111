"""AWS as the engine's clients meet it, in this process, with the models of DynamoDB and SQS behind.

Requests are caught in one of two places. Through botocore: just before they would leave, with all of botocore's own
serialisation, retries and errors. Directly: where the client's method is called, with the same retries and errors done
here, some thirty times as fast. `tests/faults/test_world.py` and `test_wire.py` hold the second against the first.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import boto3
import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError

from parley.engine import aws, telemetry
from tools.faults.dynamodb import DynamoDB, Refused
from tools.faults.sqs import NotInFlight, Queue
from tools.faults.trouble import Fault

REGION = "eu-west-1"
_FIRST_WAIT = 0.5
"""Seconds before the second attempt; botocore takes between 0 and 1."""
ATTEMPTS = 3
"""As `parley.engine.aws` configures its clients."""
Before = Callable[[str], Fault | None]
"""Called before an operation is carried out; may raise Crash, or name what else happens to it."""
After = Callable[[Fault], None]
"""Called after an operation with a fault is carried out; may raise Crash."""


@dataclass(slots=True)
class Aws:
    """The AWS of one world."""

    dynamodb: DynamoDB
    queues: Mapping[str, Queue]
    """By URL."""
    before: Before
    after: After
    sleep: Callable[[float], None]
    """How botocore waits before it tries again."""
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    """SSM."""
    direct: bool = True

    def install(self) -> None:
        """Be the AWS of this process from now on: all that the engine's clients ask comes here."""
        _Process.current = self
        if _Process.ready:
            return
        _Process.ready = True
        boto3.setup_default_session(
            aws_access_key_id="none",
            aws_secret_access_key="none",  # noqa: S106
            region_name=REGION,
        )
        session: Any = boto3.DEFAULT_SESSION
        session.events.register("before-send", _send)
        botocore.endpoint.time = SimpleNamespace(sleep=_sleep)  # pyright: ignore[reportAttributeAccessIssue]
        for cached in (aws.dynamodb, aws.sqs, aws.ssm):
            cached.cache_clear()
            client: Any = cached()
            client._make_api_call = _Caller(client)  # noqa: SLF001

    def call(self, client: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one call as a botocore client does: with three attempts, and its exceptions."""
        if operation == "TransactWriteItems":
            request.setdefault("ClientRequestToken", uuid4().hex)
        error: Exception = RuntimeError("no attempt")
        for attempt in range(ATTEMPTS):
            if attempt:
                self.sleep(_FIRST_WAIT * 2 ** (attempt - 1))
            fault = self.before(operation)
            if fault is Fault.REFUSED:
                error = _exception(client, operation, Refused("ThrottlingException", "slow down"))
                continue
            refused = answer = None
            try:
                answer = self._carry_out(operation, request)
            except Refused as raised:
                refused = raised
            if fault is not None:
                self.after(fault)
            if fault is Fault.LOST:
                error = ConnectionClosedError(endpoint_url="https://aws.local")
                continue
            if refused is not None:
                raise _exception(client, operation, refused)
            return answer or {}
        raise error

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Carry out one request that botocore is about to send. Raises what the HTTP client would raise, or Crash."""
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        fault = self.before(operation)
        if fault is Fault.REFUSED:
            return _answer(request, 400, {"__type": "x#ThrottlingException", "message": "slow down"})
        body = json.loads(cast("bytes", request.body) or b"{}")
        try:
            status, answer = 200, self._carry_out(operation, body)
        except Refused as refused:
            status, answer = 400, refused.body
        if fault is not None:
            self.after(fault)
        if fault is Fault.LOST:
            raise ConnectionClosedError(endpoint_url=request.url)
        return _answer(request, status, answer)

    def _carry_out(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        if operation == "GetParameter":
            return self._parameter(body["Name"])
        if operation == "GetParametersByPath":
            return {"Parameters": [{"Name": name} for name in self.parameters if name.startswith(f"{body['Path']}/")]}
        if "QueueUrl" not in body:
            return self.dynamodb.call(operation, body)
        queue = self.queues[body["QueueUrl"]]
        match operation:
            case "SendMessage":
                group, dedup = body["MessageGroupId"], body["MessageDeduplicationId"]
                return {"MessageId": queue.send(body["MessageBody"], group, dedup), "MD5OfMessageBody": ""}
            case "ChangeMessageVisibility":
                try:
                    queue.change_visibility(body["ReceiptHandle"], body["VisibilityTimeout"])
                except NotInFlight as error:
                    raise Refused("InvalidParameterValue", f"not in flight: {error}") from error
                return {}
            case other:
                raise Refused("UnknownOperation", other)

    def _parameter(self, name: str) -> dict[str, Any]:
        if name not in self.parameters:
            raise Refused("ParameterNotFound")
        return {"Parameter": {"Name": name, "Type": "SecureString", "Value": self.parameters[name]}}


class _Process:
    """What there is one of in a process."""

    ready = False
    current: Aws | None = None


def leave() -> None:
    """Give this process its own AWS back: for tests that share it."""
    _Process.ready, _Process.current = False, None
    boto3.DEFAULT_SESSION = None
    botocore.endpoint.time = time  # pyright: ignore[reportAttributeAccessIssue]
    for cached in (aws.dynamodb, aws.sqs, aws.ssm):
        cached.cache_clear()


class _Caller:
    """A client's `_make_api_call`: here, or botocore's own."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._own = client._make_api_call  # noqa: SLF001

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        current = _Process.current
        if current is None or not current.direct:
            return self._own(operation, request)
        return current.call(self._client, operation, request)


def _exception(client: Any, operation: str, refused: Refused) -> Exception:
    answer = {"Error": {"Code": refused.name, "Message": str(refused)}, **refused.members}
    return client.exceptions.from_code(refused.name)(answer, operation)


def _send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    return None if _Process.current is None else _Process.current.send(request)


def _sleep(seconds: float) -> None:
    if _Process.current is not None:
        _Process.current.sleep(seconds)


class _Raw:
    """A body as urllib3 hands it out."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterable[bytes]:
        """The body in one piece."""
        yield self._body


def _answer(request: AWSPreparedRequest, status: int, value: dict[str, Any]) -> AWSResponse:
    headers: Any = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "local"}
    return AWSResponse(request.url, status, headers, _Raw(json.dumps(value).encode()))


@contextmanager
def visiting() -> Iterator[None]:
    """Worlds take over the AWS, the environment, metrics and logs of their process: here they are given back."""
    environment, emit, level = dict(os.environ), telemetry._emit, telemetry.log.log_level  # noqa: SLF001
    try:
        yield
    finally:
        leave()
        telemetry._emit = emit  # noqa: SLF001
        telemetry.log.setLevel(level)
        os.environ.clear()
        os.environ.update(environment)
