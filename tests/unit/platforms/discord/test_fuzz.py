"""`receive` never raises, and never accepts a callback that is not authentic."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from parley.adapter import Accepted, Headers, Rejected, Request
from parley.model.codec import decode_message, encode
from parley.platforms.discord.inbound import receive
from tests.conformance.adapters.discord import APP, completion, event, form, on_message, press, select, signed, slash

NOW = 1_764_000_000.0
KEYS = ("id", "type", "token", "data", "member", "user", "message", "channel", "options", "resolved", "name", "value")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(KEYS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner),
    max_leaves=12,
)


def sane(outcome: Accepted | Rejected) -> None:
    if isinstance(outcome, Rejected):
        assert outcome.status in (400, 401)
        return
    for message in (*outcome.messages, *((outcome.instant,) if outcome.instant else ())):
        assert encode(decode_message(encode(message))) == encode(message)


@settings(max_examples=300)
@given(body=st.binary(), headers=st.dictionaries(st.text(), st.text()), method=st.text())
def test_any_unsigned_request_gets_401(body, headers, method) -> None:
    outcome = receive(Request(method=method, headers=Headers(headers), body=body), APP, NOW)
    assert isinstance(outcome, Rejected)
    assert outcome.status == 401


@settings(max_examples=200)
@given(timestamp=st.text(max_size=20), signature=st.text(st.sampled_from("0123456789abcdefABCDEF"), max_size=130))
def test_any_wrong_signature_headers_get_401(timestamp, signature) -> None:
    headers = Headers({"X-Signature-Timestamp": timestamp, "X-Signature-Ed25519": signature})
    outcome = receive(Request(headers=headers, body=b"{}"), APP, NOW)
    assert isinstance(outcome, Rejected)
    assert outcome.status == 401


@settings(max_examples=200)
@given(body=st.binary(max_size=200))
def test_any_signed_bytes_are_read_or_refused(body) -> None:
    sane(receive(signed(body, NOW), APP, NOW))


@settings(max_examples=400)
@given(
    make=st.sampled_from([slash, on_message, press, select, form, completion, event]),
    path=st.lists(st.integers(0, 9), min_size=1, max_size=7),
    value=VALUES,
)
def test_any_value_anywhere_in_a_signed_callback_is_read_or_refused(make, path, value: Any) -> None:
    document = deepcopy(make())
    holder: Any = document
    place: Any = None
    for step in path:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        place = keys[step % len(keys)]
        if not isinstance(holder[place], dict | list) or not holder[place]:
            break
        if step is not path[-1]:
            holder = holder[place]
    if place is not None and (place in holder if isinstance(holder, dict) else place < len(holder)):
        holder[place] = value
    sane(receive(signed(json.dumps(document).encode(), NOW), APP, NOW))
