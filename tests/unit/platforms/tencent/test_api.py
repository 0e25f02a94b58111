"""Answers of the API: their outcomes, tokens and addresses."""

import json
from typing import Any

import pytest

from parley.adapter import (
    Answer,
    Outcome,
    Permanent,
    Sent,
    Token,
    TokenRejected,
    TokenUnavailableError,
    Transient,
    Unknown,
)
from parley.errors import RetryAfter
from parley.platforms.tencent import api
from parley.platforms.tencent.api import Codes

CODES = Codes(
    token=frozenset({42001}),
    limited={45009: 60},
    transient=frozenset({-1}),
    form=frozenset({40058}),
    done=frozenset({45065}),
    window_closed=frozenset({45015}),
    hints={40164: "see the page"},
)


def answer(status: int = 200, **body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer(errcode=0, errmsg="ok", msgid="m1"), Sent(id="m1")),
        (answer(errcode=0, msgid=402), Sent(id="402")),
        (answer(errcode="0"), Sent()),
        (answer(type="image", media_id="M", created_at=1), Sent(id="M")),
        (answer(thumb_media_id="T"), Sent(id="T")),
        (answer(errcode=45065, errmsg="duplicate"), Sent()),
        (answer(errcode=42001, errmsg="expired"), TokenRejected("42001 expired")),
        (answer(errcode="42001", errmsg="expired"), TokenRejected("42001 expired")),
        (answer(errcode=45009, errmsg="fast"), RetryAfter(60, "45009 fast")),
        (answer(errcode=-1, errmsg="busy"), Transient("-1 busy")),
        (answer(errcode=40058, errmsg="bad"), Permanent("40058 bad", part="form")),
        (answer(errcode=45015, errmsg="late"), Permanent("45015 late", window_closed=True)),
        (answer(errcode=40164, errmsg="ip"), Permanent("40164 ip: see the page")),
        (answer(errcode=99999), Permanent("99999 ")),
        (answer(500, errcode=-1, errmsg="busy"), Transient("-1 busy")),
        (answer(429), RetryAfter(60, "HTTP 429 without an errcode")),
        (answer(502, message="Bad gateway"), Unknown("HTTP 502 without an errcode")),
        (answer(404, message="no"), Permanent("HTTP 404 without an errcode")),
        (answer(408), Unknown("HTTP 408 without an errcode")),
        (Answer(200, b"<html>"), Unknown("HTTP 200 without an errcode")),
        (Answer(200, b""), Unknown("HTTP 200 without an errcode")),
        (Answer(200, b"[1]"), Unknown("HTTP 200 without an errcode")),
    ],
)
def test_the_outcome_of_an_answer(given: Answer, expected: Outcome) -> None:
    assert api.outcome(given, CODES) == expected


def test_a_long_error_message_is_cut() -> None:
    found = api.outcome(answer(errcode=1, errmsg="x" * 5000), CODES)
    assert isinstance(found, Permanent)
    assert len(found.reason) < 300


def test_a_token_expires_as_the_answer_states() -> None:
    assert api.read_token(answer(access_token="T", expires_in=7200), CODES, {}, 100) == Token("T", 7300)
    assert api.read_token(answer(errcode=0, access_token="T", expires_in=300), CODES, {}, 100) == Token("T", 400)


@pytest.mark.parametrize(
    ("given", "seconds", "reason"),
    [
        (answer(errcode=40001, errmsg="bad secret"), None, "40001 bad secret: see the page"),
        (answer(errcode=45009, errmsg="fast"), 60, "45009 fast"),
        (answer(errcode=-1, errmsg="busy"), 2, "-1 busy"),
        (Answer(502, b"<html>"), 2, "HTTP 502 without a token"),
        (answer(access_token="", expires_in=7200), 2, "HTTP 200 without a token"),
        (answer(access_token="T"), 2, "HTTP 200 without a token"),
    ],
)
def test_a_token_error_states_the_reason_and_when_to_retry(given: Answer, seconds: float | None, reason: str) -> None:
    with pytest.raises(TokenUnavailableError, match=reason) as error:
        api.read_token(given, CODES, {40001: "the page"}, 0)
    assert error.value.retry_after == seconds


def test_addresses_are_cidr_blocks() -> None:
    listed = answer(ip_list=["101.226.103.*", "101.226.*.*", "1.2.3.4", "10.0.0.0/24", "2402:4e00::1", "", None])
    assert api.read_addresses(listed) == (
        "101.226.103.0/24",
        "101.226.0.0/16",
        "1.2.3.4/32",
        "10.0.0.0/24",
        "2402:4e00::1/128",
    )


@pytest.mark.parametrize("given", [answer(errcode=40014), answer(ip_list=[]), answer(ip_list="x"), Answer(200, b"")])
def test_an_answer_without_addresses_is_an_error(given: Answer) -> None:
    with pytest.raises(ValueError, match="ip_list"):
        api.read_addresses(given)
