"""Media of clients on the local stack: uploaded once, and received by the bot."""

import time
import uuid
from base64 import b64encode
from typing import Any

import httpx
import pytest

from parley import send
from parley.engine import aws
from parley.model import Destination, Image
from playground.platforms.http import wire
from tests.stack import Stack


@pytest.fixture
def person(stack: Stack) -> tuple[str, str]:
    """A new person, and their token."""
    issuer: dict[str, Any] = stack.facts["apps"]["http"]["demo"]["issuers"][0]
    claims = {"iss": issuer["issuer"], "aud": issuer["audience"], "sub": f"media-{uuid.uuid4().hex[:8]}"}
    return claims["sub"], wire.token(issuer["secrets"][0], claims, time.time())


def test_uploaded_media_are_in_the_bucket_once_and_the_bot_gets_them(stack: Stack, person: tuple[str, str]) -> None:
    bearer = person[1]
    messages: str = stack.facts["callbacks"]["http"]["demo"]

    def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
        sent = wire.posted(bearer, uuid.uuid4().hex, body)
        answer = httpx.post(url, content=sent.body, headers=dict(sent.headers), timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json()

    made = post(messages.removesuffix("/messages") + "/media", {"type": "image/png", "size": 4})
    assert httpx.put(made["url"], content=b"png.", headers=made["headers"]).status_code == 200
    assert httpx.put(made["url"], content=b"gif.", headers=made["headers"]).status_code == 412

    s3 = stack.client("s3")
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"] if "mediabucket" in each["Name"]]
    assert s3.get_object(Bucket=bucket, Key=f"demo/{made['id']}")["Body"].read() == b"png."

    answer = post(f"{messages}?wait=20", {"media": [{"id": made["id"], "type": "image/png"}]})
    assert [reply["text"] for reply in answer["replies"]] == ["Thank you for the image."]


def test_a_client_loads_bytes_that_a_program_has_sent(
    stack: Stack, person: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, bearer = person
    for name, value in {
        "DEFAULT_REGION": stack.facts["region"],
        "ACCESS_KEY_ID": "t",
        "SECRET_ACCESS_KEY": "t",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.facts["aws_endpoint"])
    aws.sqs.cache_clear()
    there = Destination(platform="http", app="demo", user_id=id_)
    send(
        there,
        Image(data=b64encode(b"png.").decode(), mime="image/png"),
        key="k",
        queue=stack.facts["queues"]["inbound"],
    )
    aws.sqs.cache_clear()

    url = (
        stack.facts["callbacks"]["http"]["demo"].removesuffix("/messages") + "/conversations/me/replies?after=0&wait=20"
    )
    (reply,) = httpx.get(url, headers={wire.AUTHORIZATION: f"Bearer {bearer}"}, timeout=30).json()["replies"]
    (image,) = reply["segments"]
    assert not image.get("data")
    loaded = httpx.get(image["url"])
    assert (loaded.status_code, loaded.content, loaded.headers["content-type"]) == (200, b"png.", "image/png")
