"""Pushes follow Standard Webhooks: its reference library verifies them, and their answers are read."""

import base64
import json
import time
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from parley.adapter import Answer, App, Call, Headers, Permanent, Sent, Transient, UndeliverableError, Unknown
from parley.model import Destination, Outgoing, Reply, Text
from parley.platforms.http.config import Config
from parley.platforms.http.outbound import deliver, outcome
from tests.tokens import issuer


def secret(seed: int) -> str:
    return "whsec_" + base64.b64encode(bytes([seed]) * 32).decode()


NOW = 1_800_000_000.0
HOOK = {"webhook_url": "https://client.example.com/hook"}


def app(*secrets: str) -> App:
    hook: dict[str, Any] = {**HOOK, "webhook_secrets": secrets} if secrets else {}
    return App("http", "web", Config(issuers=(issuer(),), **hook))


def out(**more: Any) -> Outgoing:
    to = Destination(platform="http", app="web", user_id="lin", message_id="m1")
    reply = Reply(**{"segments": (Text(text="你好 hello"),), **more})
    return Outgoing(id="0123", message_key="k", ordinal=0, to=to, reply=reply, created=NOW)


def call(made: Outgoing, of: App, now: float = NOW) -> Call:
    (found,) = list(deliver(made, of, now))
    return found


def test_each_secret_verifies_a_push_while_the_secret_changes() -> None:
    push = call(out(), app(secret(1), secret(2)), time.time())
    body = msgspec.json.encode(push.json)
    for good in (secret(1), secret(2)):
        assert Webhook(good).verify(body, push.headers)["data"]["text"] == "你好 hello"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret(3)).verify(body, push.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret(1)).verify(body + b" ", push.headers)


def test_a_repeated_push_has_the_same_id_and_body_and_a_fresh_time() -> None:
    first, again = (call(out(), app(secret(1)), NOW + wait) for wait in (0, 600))
    assert (first.headers["webhook-id"], first.json) == (again.headers["webhook-id"], again.json)
    assert int(again.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 600
    assert again.idempotent_for > 86_400


def test_without_a_webhook_the_reply_is_kept_and_nothing_is_sent() -> None:
    kept = call(out(), app())
    assert (kept.keeps, kept.url, kept.json) == (True, "", None)


def test_with_a_webhook_the_reply_is_kept_as_well() -> None:
    assert call(out(), app(secret(1))).keeps


@pytest.mark.parametrize(
    ("status", "headers", "wanted"),
    [
        (200, {}, Sent("0123")),
        (204, {}, Sent("0123")),
        (429, {"Retry-After": "7"}, Transient("HTTP 429", after=7)),
        (429, {"Retry-After": "99999999"}, Transient("HTTP 429", after=900)),
        (429, {}, Transient("HTTP 429", after=60)),
        (410, {}, Permanent),
        (400, {}, Transient),
        (401, {}, Transient),
        (404, {}, Transient),
        (302, {}, Transient),
        (500, {}, Unknown),
        (503, {}, Unknown),
    ],
)
def test_an_answer_of_the_webhook_has_an_outcome(status: int, headers: dict[str, str], wanted: Any) -> None:
    push = call(out(), app(secret(1)))
    found = outcome(push, Answer(status, b"", Headers(headers)))
    assert isinstance(found, wanted) if isinstance(wanted, type) else found == wanted


@pytest.mark.parametrize("more", [{"segments": ()}, {"op": "edit"}, {"op": "recall"}, {"op": "edit", "target": "m1"}])
def test_what_shows_nothing_is_undeliverable(more: dict[str, Any]) -> None:
    with pytest.raises(UndeliverableError):
        list(deliver(out(**more), app(), NOW))


def test_a_reaction_without_a_target_is_to_the_message() -> None:
    push = call(out(op="react", segments=(), emoji="👍"), app(secret(1)))
    assert (push.json["data"]["target"], push.json["data"]["emoji"]) == ("m1", "👍")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"issuers": []}, "issuers"),
        ({"origins": ["www.example.com"]}, "origins"),
        ({"origins": ["https://www.example.com/"]}, "origins"),
        ({"webhook_url": "http://client.example.com"}, "webhook_url"),
        ({"webhook_url": "", "webhook_secrets": [secret(1)]}, "both"),
        ({"webhook_secrets": []}, "both"),
        ({"webhook_secrets": ["c2VjcmV0"]}, "webhook_secrets"),
        ({"webhook_secrets": ["whsec_c2VjcmV0"]}, "webhook_secrets"),
        ({"webhook_secrets": ["whsec_***"]}, "webhook_secrets"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_wrong_configuration_names_the_field(changes: dict[str, Any], named: str) -> None:
    good = {"issuers": [msgspec.to_builtins(issuer())], **HOOK, "webhook_secrets": [secret(1)]}
    msgspec.json.decode(json.dumps(good), type=Config)
    with pytest.raises(msgspec.ValidationError, match=named) as failed:
        msgspec.json.decode(json.dumps({**good, **changes}), type=Config)
    assert secret(1) not in str(failed.value)
