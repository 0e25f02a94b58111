"""`receive` never raises, and every accepted message survives the queue's encoding."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from parley.adapter import Accepted, Headers, Request
from parley.model.codec import decode_message, encode
from parley.platforms.feishu.inbound import receive
from parley.platforms.feishu.values import unix_seconds
from tests.conformance.feishu import PLAIN_APP, SECRET_APP, TOKEN, card_action, chat, encrypt, signed

NOW = 1_718_000_002.0

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["@_user_1", "@_all", TOKEN])
)
keys = st.text() | st.sampled_from(
    ["schema", "header", "event", "token", "type", "action", "encrypt", "message", "content", "tag", "text", "mentions"]
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
)
headers = st.dictionaries(
    st.sampled_from(["X-Lark-Signature", "x-lark-request-nonce", "X-LARK-REQUEST-TIMESTAMP"]), st.text(), max_size=3
)


def answers(request: Request, app: Any) -> None:
    outcome = receive(request, app, NOW)
    if isinstance(outcome, Accepted):
        for message in outcome.messages:
            assert decode_message(encode(message)).id == message.id


@given(st.binary(), headers)
def test_receive_never_raises_for_any_bytes(body: bytes, sent: dict[str, str]) -> None:
    for app in (PLAIN_APP, SECRET_APP):
        answers(Request(headers=Headers(sent), body=body), app)


@given(documents, headers)
def test_receive_never_raises_for_any_document(document: Any, sent: dict[str, str]) -> None:
    body = json.dumps(document).encode("utf-8", "surrogatepass")
    for app in (PLAIN_APP, SECRET_APP):
        answers(Request(headers=Headers(sent), body=body), app)
    answers(signed(encrypt(body), NOW), SECRET_APP)
    answers(signed(body, NOW, TOKEN, "sha1"), SECRET_APP)


@settings(max_examples=300)
@given(documents, st.sampled_from(["text", "post", "interactive", "location", "media", "system", "no such type"]))
def test_receive_never_raises_for_any_content_of_an_authentic_message(content: Any, kind: str) -> None:
    answers(signed(encrypt(json.dumps(chat(NOW, kind, content)).encode()), NOW), SECRET_APP)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["message", "sender", "action", "operator", "context", "token"]), documents))
def test_receive_never_raises_for_any_authentic_event(inner: dict[str, Any]) -> None:
    for payload in (chat(NOW), card_action(NOW)):
        payload["event"] = inner
        answers(signed(encrypt(json.dumps(payload).encode()), NOW), SECRET_APP)


@given(st.text() | st.integers() | st.floats() | st.none())
def test_any_time_stamp_is_read_as_seconds(value: Any) -> None:
    assert 0 <= unix_seconds(value) < 1e11
