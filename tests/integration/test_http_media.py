"""Media of clients on the local stack: uploaded once, and received by the bot."""

import time
import uuid
from typing import Any

import httpx

from playground.platforms.http import wire
from tests.stack import Stack


def test_uploaded_media_are_in_the_bucket_once_and_the_bot_gets_them(stack: Stack) -> None:
    issuer: dict[str, Any] = stack.facts["apps"]["http"]["demo"]["issuers"][0]
    claims = {"iss": issuer["issuer"], "aud": issuer["audience"], "sub": f"media-{uuid.uuid4().hex[:8]}"}
    bearer = wire.token(issuer["secrets"][0], claims, time.time())
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
