"""Requests of clients: a rate limit for each person, and an idempotency key that is used for another message."""

import json
from typing import Any

import boto3
import pytest

from parley.adapter import App
from parley.engine.apps import Apps
from parley.engine.aws import dynamodb
from parley.engine.callback import Callback
from parley.model.codec import decode_message
from parley.platforms.http import inbound
from parley.platforms.http.config import Config
from playground.platforms.http import wire
from tests.tokens import issuer, token
from tests.unit.conftest import Clock
from tests.unit.test_roles import CLIENT_ROWS

pytestmark = pytest.mark.usefixtures("aws")
PAGE = "https://www.example.com"
PER_MINUTE = 3


class TwoApps(Apps):
    """Has each app."""

    def get(self, platform: str, name: str) -> App:
        return App(platform, name, Config(issuers=(issuer(),), requests_per_minute=PER_MINUTE, origins=(PAGE,)))

    def reread(self, app: App) -> App | None:
        return None


class Client:
    """Posts messages, each to a process of its own."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def post(
        self, body: dict[str, Any] | str, key: str = "k1", *, app: str = "web", person: str = "lin"
    ) -> dict[str, Any]:
        sent = wire.posted(token(self.clock(), sub=person, rooms=["team"]), key, {})
        event = {
            "httpMethod": "POST",
            "pathParameters": {"app": app},
            "headers": {**sent.headers, "Origin": PAGE},
            "body": body if isinstance(body, str) else json.dumps(body),
        }
        return Callback("http", inbound, TwoApps(), self.clock)(event, None)

    def status(self, body: dict[str, Any] | str, key: str = "k1", **more: Any) -> int:
        return self.post(body, key, **more)["statusCode"]


@pytest.fixture
def client(clock: Clock) -> Client:
    return Client(clock)


def queued() -> list[str]:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [decode_message(message.get("Body", "")).content.text for message in found]


def document(answer: dict[str, Any]) -> dict[str, Any]:
    """The problem document, which a page may read."""
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["headers"]["Access-Control-Allow-Origin"] == PAGE
    return json.loads(answer["body"])


# --- idempotency ------------------------------------------------------------------------------------------------------


def test_a_key_that_was_used_for_another_message_is_refused_and_nothing_is_stored(client: Client) -> None:
    assert client.status({"text": "one"}) == 202
    answer = client.post({"text": "two"})
    assert (answer["statusCode"], document(answer)["error"]) == (422, "key_reused")
    assert queued() == ["one"]


def test_the_same_request_gets_the_same_id_however_it_is_written(client: Client) -> None:
    answers = [
        client.post({"text": "one", "locale": "en"}),
        client.post('{ "locale": "en", "thread": "", "text": "\\u006fne" }'),
    ]
    assert [answer["statusCode"] for answer in answers] == [202, 202]
    assert answers[0]["body"] == answers[1]["body"]


def test_a_key_is_that_of_a_person_an_app_and_a_room(client: Client) -> None:
    assert client.status({"text": "one"}) == 202
    assert client.status({"text": "two", "room": "team"}) == 202
    assert client.status({"text": "two"}, person="sam") == 202
    assert client.status({"text": "two"}, app="desk") == 202


def test_a_request_that_was_not_queued_is_sent_again_with_its_key(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setenv("PARLEY_INBOUND_URL", "http://localhost:1/1/missing.fifo")
        answer = client.post({"text": "one"})
        assert (answer["statusCode"], document(answer)["error"]) == (503, "unavailable")
    assert client.status({"text": "one"}) == 202
    assert queued() == ["one"]


# --- rate limits ------------------------------------------------------------------------------------------------------


def test_a_person_above_the_limit_is_told_when_to_come_again_and_nothing_is_stored(
    client: Client, clock: Clock
) -> None:
    assert [client.status({"text": "x"}, f"k{n}") for n in range(PER_MINUTE)] == [202] * PER_MINUTE
    before = dynamodb().scan(TableName="parley")["Count"]
    answer = client.post({"text": "more"}, "more")
    assert (answer["statusCode"], document(answer)["error"]) == (429, "too_many")
    assert dynamodb().scan(TableName="parley")["Count"] == before
    assert queued() == ["x"] * PER_MINUTE
    seconds = int(answer["headers"]["Retry-After"])
    assert 1 <= seconds <= 70
    clock.now += seconds
    assert client.status({"text": "more"}, "more") == 202


def test_the_limit_is_that_of_a_person_and_an_app(client: Client) -> None:
    for n in range(PER_MINUTE):
        client.post({"text": "x"}, f"k{n}")
    assert client.status({"text": "x"}, "more") == 429
    assert client.status({"text": "x"}, "more", person="sam") == 202
    assert client.status({"text": "x"}, "more", app="desk") == 202


def test_a_request_that_is_not_understood_does_not_count(client: Client) -> None:
    assert [client.status({"text": ""}, f"k{n}") for n in range(PER_MINUTE + 2)] == [400] * (PER_MINUTE + 2)
    assert client.status({"text": "x"}) == 202


# --- rights -----------------------------------------------------------------------------------------------------------


def test_it_writes_the_rows_that_its_role_allows_and_no_others(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    used = set[tuple[str, str]]()
    kind: Any = type(dynamodb())
    made = kind._make_api_call

    def recording(self: Any, operation: str, request: dict[str, Any]) -> Any:
        if "TableName" in request:
            pk = (request.get("Key") or request["Item"])["pk"]["S"]
            parts = pk.split("#")[: 2 if pk.startswith("limit#") else 1]
            used.add((f"dynamodb:{operation}", "#".join((*parts, "*"))))
        return made(self, operation, request)

    monkeypatch.setattr(kind, "_make_api_call", recording)
    for n in range(PER_MINUTE + 1):
        client.post({"text": "x"}, f"k{n}")
    assert used == CLIENT_ROWS
