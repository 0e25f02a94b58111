"""Callbacks: only verified messages are stored, and a message is acknowledged after it is stored."""

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from msgspec import UNSET

from parley.adapter import Accepted, App, Config, Rejected, Request, Response
from parley.engine import callback as module
from parley.engine.apps import AppsUnavailableError, UnknownAppError
from parley.engine.aws import dynamodb, sqs
from parley.engine.callback import Callback, callback_handler
from parley.engine.gateway import request_of
from parley.journal.credentials import load_credentials
from parley.model import Message, Sender
from parley.model.codec import decode_message
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
APP = App("feishu", "demo", Config())


class Apps:
    """Holds the app `demo`. `reread` returns `changed`."""

    def __init__(self, changed: App | None = None, error: Exception | None = None, app: App = APP) -> None:
        self.changed, self.app = changed, app
        self.error = error

    def get(self, platform: str, name: str) -> App:
        if self.error:
            raise self.error
        if name != "demo":
            raise UnknownAppError(name)
        return self.app

    def reread(self, app: App) -> App | None:
        return self.changed


class Inbound:
    """Returns the given outcomes in turn, and stores the requests."""

    def __init__(self, *outcomes: Accepted | Rejected) -> None:
        self.outcomes = list(outcomes)
        self.received: list[tuple[Request, App]] = []

    def receive(self, request: Request, app: App, now: float) -> Accepted | Rejected:
        self.received.append((request, app))
        return self.outcomes.pop(0)


def event(body: bytes = b"{}", app: str = "demo", **more: Any) -> dict[str, Any]:
    return {
        "httpMethod": "POST",
        "pathParameters": {"app": app},
        "headers": {"X-One": "1"},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        **more,
    }


def call(
    inbound: Inbound, clock: Clock, sent: dict[str, Any] | None = None, apps: Apps | None = None
) -> dict[str, Any]:
    handler = Callback("feishu", inbound, apps or Apps(), clock, max_body=1000)  # type: ignore[arg-type]
    return handler(sent or event(), None)


def error(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["statusCode"], json.loads(answer["body"])["error"]


def queue() -> list[Message]:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [decode_message(message.get("Body", "")) for message in found]


def test_a_verified_message_is_queued_and_then_acknowledged(message: Callable[..., Message], clock: Clock) -> None:
    answer = call(Inbound(Accepted(Response(200, b'{"ok":1}'), (message(),))), clock)
    assert (answer["statusCode"], answer["body"]) == (200, '{"ok":1}')
    assert queue() == [message()]


def test_a_command_that_no_documentation_has_is_queued_and_counted_without_its_name(
    message: Callable[..., Message], clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    new = message(kind="event", event="brand_new")
    assert call(Inbound(Accepted(messages=(message(),))), clock)["statusCode"] == 200
    assert "CommandsUnknown" not in capsys.readouterr().out
    assert call(Inbound(Accepted(messages=(new,), is_known=False)), clock)["statusCode"] == 200
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "CommandsUnknown" in line]
    assert [metric["CommandsUnknown"] for metric in printed] == [[1.0]]
    assert "brand_new" not in str(printed)


@pytest.mark.parametrize(
    ("rejected", "status", "code"),
    [
        (Rejected(401, "forged", "secret detail"), 401, "forged"),
        (Rejected(401, "stale"), 401, "stale"),
        (Rejected(400, "malformed"), 400, "malformed"),
    ],
)
def test_a_rejected_callback_returns_a_code_emits_a_metric_and_stores_nothing(
    clock: Clock, rejected: Rejected, status: int, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = call(Inbound(rejected), clock)
    assert error(answer) == (status, code)
    assert "detail" not in answer["body"]
    assert queue() == []
    assert dynamodb().scan(TableName="parley")["Count"] == 0
    metric = json.loads(capsys.readouterr().out.splitlines()[0])
    assert metric["CallbacksRejected"] == [1.0]
    assert metric["reason"] == code


def test_an_unknown_app_is_404_and_the_platform_code_is_not_called(clock: Clock) -> None:
    inbound = Inbound()
    assert error(call(inbound, clock, event(app="unknown"))) == (404, "unknown_app")
    assert inbound.received == []


def test_a_body_beyond_the_limit_is_413_and_the_platform_code_is_not_called(clock: Clock) -> None:
    inbound = Inbound()
    assert error(call(inbound, clock, event(b"x" * 1001))) == (413, "too_large")
    assert inbound.received == []


def test_invalid_base64_is_400(clock: Clock) -> None:
    assert error(call(Inbound(), clock, event() | {"body": "%%%"})) == (400, "malformed")


def test_an_unavailable_configuration_is_503(clock: Clock) -> None:
    apps = Apps(error=AppsUnavailableError("SSM: Throttled"))
    assert error(call(Inbound(), clock, apps=apps)) == (503, "unavailable")


def test_a_failed_write_to_the_queue_is_503(
    message: Callable[..., Message], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "PARLEY_INBOUND_URL", boto3.client("sqs").get_queue_url(QueueName="outbound.fifo")["QueueUrl"] + "x"
    )
    assert error(call(Inbound(Accepted(messages=(message(),))), clock)) == (503, "unavailable")


def metric_of(printed: str) -> tuple[list[float], str]:
    metric = json.loads(printed.splitlines()[0])
    return metric["CallbacksRejected"], metric["reason"]


REFUSED = Response(200, b"not now")


def test_a_platform_without_redelivery_gets_the_refusal_text_and_the_metric_counts_it(
    message: Callable[..., Message],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PARLEY_INBOUND_URL", "http://127.0.0.1:9/nothing")
    answer = call(Inbound(Accepted(messages=(message(),), refused=REFUSED)), clock)
    assert (answer["statusCode"], answer["body"]) == (200, "not now")
    assert metric_of(capsys.readouterr().out) == ([1.0], "unavailable")


class Replying(Inbound):
    """Supports passive replies."""

    def passive_reply(self, *_: Any) -> None:
        """Not called in these tests: `Replies` responds."""


class Replies:
    """Responds with a passive reply, after the bot has taken three seconds."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def respond(self, _request: Request, _app: App, _accepted: Accepted, started: float) -> Response:
        self.started = started
        self.clock.sleep(3)
        return Response(200, b"reply")


def times(printed: str) -> dict[str, float]:
    """The metrics that measure a time, in milliseconds."""
    lines = [json.loads(line) for line in printed.splitlines()]
    return {name: value[0] for line in lines for name, value in line.items() if name.endswith("Time")}


def test_the_time_to_acknowledge_excludes_the_wait_for_a_passive_reply(
    message: Callable[..., Message], clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.queues, "send_messages", lambda _messages, **_: clock.sleep(0.25))
    inbound = Replying(Accepted(messages=(message(),), passive_reply_within=4.5))
    handler = Callback("wecom", inbound, Apps(), clock, passive_replies=lambda _inbound: Replies(clock))  # type: ignore[arg-type]
    assert handler(event(), None)["body"] == "reply"
    assert times(capsys.readouterr().out) == {"AcknowledgeTime": 250.0, "CallbackTime": 3250.0}


def test_without_a_passive_reply_the_time_to_acknowledge_is_the_time_of_the_callback(
    message: Callable[..., Message], clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.queues, "send_messages", lambda _messages, **_: clock.sleep(0.25))
    call(Inbound(Accepted(messages=(message(),))), clock)
    assert times(capsys.readouterr().out) == {"AcknowledgeTime": 250.0, "CallbackTime": 250.0}


@pytest.mark.parametrize(("before", "milliseconds"), [(1.5, 1750.0), (-0.2, 250.0), (3600, 250.0)])
def test_the_time_of_the_callback_begins_where_api_gateway_received_it(
    message: Callable[..., Message],
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    before: float,
    milliseconds: float,
) -> None:
    """So it contains the cold start. A clock that is behind, and a sample event of an hour ago, do not count."""
    monkeypatch.setattr(module.queues, "send_messages", lambda _messages, **_: clock.sleep(0.25))
    request = event() | {"requestContext": {"requestTimeEpoch": int((clock() - before) * 1000)}}
    Callback("feishu", Inbound(Accepted(messages=(message(),))), Apps(), clock)(request, None)  # type: ignore[arg-type]
    measured = times(capsys.readouterr().out)
    assert measured == {"AcknowledgeTime": 250.0, "CallbackTime": pytest.approx(milliseconds, abs=2)}


@pytest.mark.parametrize("outcome", [Accepted(), Rejected(401, "forged")])
def test_a_browser_takes_no_response_for_another_type_than_it_says(outcome: Any, clock: Clock) -> None:
    assert call(Inbound(outcome), clock)["headers"]["X-Content-Type-Options"] == "nosniff"


def test_a_rejected_callback_has_no_time_to_acknowledge(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    call(Inbound(Rejected(401, "forged")), clock)
    assert times(capsys.readouterr().out) == {}


class Queues:
    """Scripted answers of SQS: each is an HTTP status and an error name, or None for a lost answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, str] | None) -> None:
        self.answers = list(answers)
        events: Any = sqs().meta.events
        events.register_first("before-send.sqs", self.send)
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        answer = self.answers.pop(0)
        if answer is None:
            raise ReadTimeoutError(endpoint_url=request.url)
        status, name = answer
        body = json.dumps({"__type": f"com.amazonaws.sqs#{name}", "message": ""}).encode()
        headers, raw = HTTPHeaders(), SimpleNamespace(stream=lambda: iter([body]))
        return AWSResponse(request.url, status, headers, raw)


LOST, THROTTLED, FAILED = None, (400, "ThrottlingException"), (500, "InternalError")


@pytest.mark.parametrize(
    "answers",
    [(LOST, LOST, LOST), (LOST, THROTTLED, THROTTLED), (LOST, (403, "AccessDeniedException")), (FAILED,) * 3],
    ids=["all lost", "lost, then throttled", "lost, then refused", "failed"],
)
def test_the_refusal_text_is_not_sent_if_the_message_may_be_stored(
    message: Callable[..., Message],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    answers: tuple[tuple[int, str] | None, ...],
) -> None:
    """The platform would show that text in the place of the bot's reply."""
    queues = Queues(monkeypatch, *answers)
    answer = call(Inbound(Accepted(messages=(message(),), refused=REFUSED)), clock)
    assert error(answer) == (503, "unavailable")
    assert queues.answers == []


def test_the_refusal_text_is_sent_if_sqs_refuses_the_only_request(
    message: Callable[..., Message], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Queues(monkeypatch, (403, "AccessDeniedException"))
    assert call(Inbound(Accepted(messages=(message(),), refused=REFUSED)), clock)["body"] == "not now"


def test_a_second_request_to_the_queue_fits_within_three_seconds() -> None:
    config: Any = sqs().meta.config
    longest_wait = 1
    assert config.retries["total_max_attempts"] > 1
    assert config.read_timeout + longest_wait < 3


def test_a_message_too_large_for_the_queue_is_413(message: Callable[..., Message], clock: Clock) -> None:
    assert error(call(Inbound(Accepted(messages=(message("x" * 1_000_001),))), clock)) == (413, "too_large")


def test_a_rejected_signature_is_checked_again_with_a_changed_configuration(clock: Clock) -> None:
    changed = App("feishu", "demo", Config())
    inbound = Inbound(Rejected(401, "forged"), Accepted())
    assert call(inbound, clock, apps=Apps(changed))["statusCode"] == 200
    assert [app for _, app in inbound.received] == [APP, changed]
    assert inbound.received[1][1] is changed


def test_a_pushed_credential_is_stored_in_the_table_and_not_queued(clock: Clock) -> None:
    call(Inbound(Accepted(credentials={"ticket": "t1"}, credentials_issued_at=100)), clock)
    call(Inbound(Accepted(credentials={"ticket": "t2"}, credentials_issued_at=200)), clock)
    call(Inbound(Accepted(credentials={"ticket": "t1"}, credentials_issued_at=100)), clock)
    assert load_credentials(dynamodb(), "parley", APP, ("ticket", "other")) == {"ticket": "t2"}
    assert queue() == []


def test_the_platform_code_receives_the_exact_bytes_of_the_body() -> None:
    raw = bytes(range(256))
    request = request_of(event(raw, queryStringParameters={"a": "b"}))
    assert request.body == raw
    assert request.query == {"a": "b"}
    assert request.headers["x-one"] == request.headers["X-ONE"] == "1"


def test_a_text_body_and_repeated_headers_are_parsed() -> None:
    request = request_of(
        {
            "httpMethod": "get",
            "body": "é",
            "headers": None,
            "multiValueHeaders": {"X-A": ["1", "2"]},
            "pathParameters": None,
        }
    )
    assert (request.method, request.body, request.headers["x-a"]) == ("GET", "é".encode(), "2")
    assert request_of({"body": None}).body == b""


def test_a_binary_answer_is_base64(clock: Clock) -> None:
    answer = call(Inbound(Accepted(Response(200, b"\xff", "application/octet-stream"))), clock)
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == b"\xff"


def test_callback_handler_takes_the_name_of_a_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_MAX_BODY", "7")
    handler = callback_handler("feishu")
    assert handler.platform == "feishu"
    assert handler.max_body == 7
    with pytest.raises(KeyError, match="no platform 'nowhere'"):
        module.inbound("nowhere")


def test_unsigned_requests_are_limited_and_signed_ones_are_not(clock: Clock) -> None:
    """An unsigned request is decrypted before its sender is known, so a flood of them must not be."""

    class Unsigned(Inbound):
        def is_unsigned(self, request: Request, _app: App) -> bool:
            return request.body != b"signed"

    handler = Callback("feishu", Unsigned(*[Accepted()] * 100), Apps(), clock)  # type: ignore[arg-type]
    statuses = [handler(event(b"unsigned"), None)["statusCode"] for _ in range(100)]
    assert (statuses.count(200), statuses.count(429)) == (10, 90)
    assert handler(event(b"signed"), None)["statusCode"] == 200
    clock.now += 3
    assert [handler(event(b"unsigned"), None)["statusCode"] for _ in range(4)] == [200, 200, 200, 429]


def test_a_passive_reply_counts_the_wait_from_the_arrival_of_the_request(
    message: Callable[..., Message], clock: Clock
) -> None:
    """A cold start comes before the handler, and the platform waits for both together."""
    replies = Replies(clock)
    inbound = Replying(Accepted(messages=(message(),), passive_reply_within=4.5))
    handler = Callback("wecom", inbound, Apps(), clock, passive_replies=lambda _inbound: replies)  # type: ignore[arg-type]
    arrived = clock.now - 2
    handler(event(requestContext={"requestTimeEpoch": arrived * 1000}), None)
    assert replies.started == pytest.approx(arrived)


@pytest.mark.parametrize(
    ("fetches", "sender", "wanted"),
    [
        (True, Sender(id="ou_1"), True),
        (True, Sender(id="ou_1", name="Lin"), UNSET),
        (True, Sender(id="cli_1", kind="bot"), UNSET),
        (True, Sender(id="", kind="system"), UNSET),
        (False, Sender(id="ou_1"), UNSET),
    ],
)
def test_a_message_wants_the_name_of_a_person_if_the_app_fetches_names(
    fetches: bool, sender: Sender, wanted: Any, message: Callable[..., Message], clock: Clock
) -> None:
    class Naming(Config, frozen=True, kw_only=True):
        @property
        def fetches_names(self) -> bool:
            return fetches

    apps = SimpleNamespace(get=lambda _platform, _name: App("feishu", "demo", Naming()))
    inbound = Inbound(Accepted(messages=(message(sender=sender),)))
    handler = Callback("feishu", inbound, apps, clock)  # type: ignore[arg-type]
    handler(event(), None)
    (queued,) = queue()
    assert (queued.context.wants_name, queued.context.awaits_reply) == (wanted, False)


# --- addresses


def listing(*blocks: str, other: Any = "refuse") -> App:
    return App("feishu", "demo", Config(callback_ips=blocks, other_ips=other))


def event_from(address: str, **headers: str) -> dict[str, Any]:
    return event() | {"requestContext": {"identity": {"sourceIp": address}}, "headers": headers}


@pytest.mark.parametrize(
    ("address", "is_listed"),
    [
        ("203.0.113.7", True),
        ("203.0.114.7", False),
        ("198.51.100.1", True),
        ("198.51.100.2", False),
        ("2001:db8::9", True),
        ("2001:db9::9", False),
        ("::ffff:203.0.113.7", True),
        ("", False),
        ("localhost", False),
    ],
)
def test_an_app_that_lists_addresses_refuses_the_others_before_the_callback_is_read(
    address: str, is_listed: bool, clock: Clock, message: Callable[..., Message]
) -> None:
    apps, inbound = Apps(app=listing("203.0.113.0/24", "198.51.100.1", "2001:db8::/32")), Inbound(Accepted())
    answer = call(inbound, clock, event_from(address, **{"X-Forwarded-For": "203.0.113.7"}), apps)
    assert (answer["statusCode"], len(inbound.received)) == ((200, 1) if is_listed else (403, 0))
    if not is_listed:
        assert error(answer) == (403, "other_address")
        assert "203" not in answer["body"]


def test_a_genuine_callback_from_another_address_is_counted_and_handled(
    clock: Clock, message: Callable[..., Message], capsys: pytest.CaptureFixture[str]
) -> None:
    apps = Apps(app=listing("203.0.113.0/24", other="count"))
    assert call(Inbound(Accepted(messages=(message(),))), clock, event_from("198.51.100.2"), apps)["statusCode"] == 200
    assert queue() == [message()]
    assert '"CallbacksFromOtherAddresses":[1.0]' in capsys.readouterr().out
    call(Inbound(Rejected(401, "forged")), clock, event_from("198.51.100.2"), apps)
    call(Inbound(Accepted()), clock, event_from("203.0.113.2"), apps)
    assert "CallbacksFromOtherAddresses" not in capsys.readouterr().out


def test_a_changed_list_is_read_at_the_first_refusal(clock: Clock, message: Callable[..., Message]) -> None:
    apps = Apps(app=listing("203.0.113.7"), changed=listing("203.0.113.0/24"))
    assert call(Inbound(Accepted()), clock, event_from("203.0.113.8"), apps)["statusCode"] == 200
    assert error(call(Inbound(), clock, event_from("203.0.114.8"), apps)) == (403, "other_address")
