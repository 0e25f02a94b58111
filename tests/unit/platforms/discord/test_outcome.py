"""Outcomes of Discord's answers, code by code."""

import json
from typing import Any

import pytest

from parley.adapter import (
    NOTHING,
    Answer,
    Auth,
    Call,
    Headers,
    Permanent,
    Sent,
    TokenRejected,
    Transient,
    Unknown,
    Upload,
)
from parley.errors import RetryAfter
from parley.model import Image
from parley.platforms.discord.outbound import outcome

DEFERRED = 1_764_000_000
BOT = Call(
    name="send", method="POST", url="https://x/channels/1/messages", auth=Auth("header", "Authorization", "Bot ")
)
ANSWER = Call(name="answer", method="PATCH", url="https://x/webhooks/1/t/messages/@original", note=str(DEFERRED))
RECALL = Call(name="recall", method="DELETE", url="https://x/channels/1/messages/2", auth=BOT.auth)
THREAD = Call(name="thread", method="POST", url="https://x", auth=BOT.auth, note="77")
OPEN = Call(name="open", method="POST", url="https://x", auth=BOT.auth)
EDIT = Call(name="edit", method="PATCH", url="https://x")
DOWNLOAD = Call(name="download", method="GET", url="https://cdn.example/a")

SECONDS_LATER = "Mon, 24 Nov 2025 16:00:08 GMT"
MINUTES_LATER = "Mon, 24 Nov 2025 16:05:00 GMT"
HTML = b"<!DOCTYPE html><title>Access denied | Cloudflare</title>"


def answer(status: int, code: int | None = None, headers: dict[str, str] | None = None, **more: Any) -> Answer:
    body = {"code": code, "message": "m", **more} if code is not None else more
    return Answer(status, json.dumps(body).encode(), Headers(headers or {}))


@pytest.mark.parametrize(
    ("call", "given", "sent"),
    [
        (BOT, answer(200, id="9"), Sent("9")),
        (BOT, Answer(200, b""), Sent("")),
        (RECALL, Answer(204), Sent(data=NOTHING)),
        (OPEN, answer(200, id="5"), Sent("5", {"channel": "5"})),
        (THREAD, answer(201, id="77"), Sent("77")),
        (THREAD, answer(400, 160004), Sent("77")),
        (RECALL, answer(404, 10008), Sent(data=NOTHING)),
        (RECALL, answer(404, 10003), Sent(data=NOTHING)),
        (ANSWER, answer(400, 40060), Sent()),
    ],
)
def test_a_done_or_repeated_call_is_sent(call: Call, given: Answer, sent: Sent) -> None:
    assert outcome(call, given) == sent


@pytest.mark.parametrize(
    ("given", "after"),
    [
        (answer(429, retry_after=1.57, message="slow"), 1.57),
        (answer(429, 20028, retry_after=3), 3),
        (answer(429, headers={"Retry-After": "7"}), 7),
        (answer(429, headers={"X-RateLimit-Reset-After": "0.5"}), 0.5),
        (Answer(429, HTML), 60),
        (Answer(429, HTML, Headers({"Retry-After": "soon"})), 60),
        (answer(429, retry_after=-1), 60),
        (answer(429, retry_after=1e9), 60),
        (answer(429, retry_after=True), 60),
        (answer(400, 20016, retry_after=12), 12),
        (answer(400, 30046), 60),
        (answer(403, 40003, retry_after=8), 8),
        (answer(400, 40062), 60),
        (Answer(403, HTML), 60),
        (answer(403, 40333), 60),
        (answer(403, 40333, headers={"Retry-After": "30"}), 30),
    ],
)
def test_a_rate_limit_or_block_has_its_wait(given: Answer, after: float) -> None:
    for call in (BOT, ANSWER):
        found = outcome(call, given)
        assert isinstance(found, RetryAfter), found
        assert found.seconds == after


@pytest.mark.parametrize(
    "given", [answer(401, 0), answer(401, 40001), answer(403, 50014), answer(401, 50025), Answer(401)]
)
def test_a_refused_bot_token_is_reported_as_token_rejected(given: Answer) -> None:
    assert isinstance(outcome(BOT, given), TokenRejected)


@pytest.mark.parametrize(
    "given", [answer(404, 10015), answer(404, 10062), answer(401, 50027), answer(400, 40094), Answer(401)]
)
def test_a_refused_interaction_token_is_permanent_for_the_reply_token(given: Answer) -> None:
    assert outcome(ANSWER, given) == Permanent(f"{given.status} {given.json().get('code', 0)}", reply_token=True)


def test_a_deferred_response_that_discord_does_not_know_yet_is_retried_after_a_second() -> None:
    found = outcome(ANSWER, answer(404, 10015, {"Date": SECONDS_LATER}))
    assert isinstance(found, RetryAfter)
    assert found.seconds == 1


@pytest.mark.parametrize("date", [MINUTES_LATER, "", "yesterday", "Mon, 99 Nov 2025 16:00:08 GMT"])
def test_an_unknown_interaction_token_is_refused_later_or_without_a_date(date: str) -> None:
    assert outcome(ANSWER, answer(404, 10015, {"Date": date})) == Permanent("404 10015", reply_token=True)


def test_a_date_without_a_time_zone_is_utc() -> None:
    assert isinstance(outcome(ANSWER, answer(404, 10015, {"Date": "Mon, 24 Nov 2025 16:00:08 -0000"})), RetryAfter)


@pytest.mark.parametrize(
    "code",
    [
        10003,
        10004,
        10008,
        10013,
        50001,
        50007,
        50008,
        50013,
        50278,
        50083,
        160005,
        160002,
        200000,
        240000,
        40058,
        10015,
    ],
)
def test_any_other_code_is_permanent(code: int) -> None:
    assert outcome(BOT, answer(403, code)) == Permanent(f"403 {code}")


@pytest.mark.parametrize("code", [50035, 50006, 40005, 50045, 30015, 220001, 220002, 220003])
def test_a_refused_form_can_fall_back_to_plain_text(code: int) -> None:
    for call in (BOT, ANSWER):
        assert outcome(call, answer(400, code)) == Permanent(f"400 {code}", part="form")


def test_http_400_without_a_code_can_fall_back_and_invalid_json_cannot() -> None:
    assert outcome(BOT, Answer(400, b"bad")) == Permanent("400 0", part="form")
    assert outcome(BOT, answer(400, 50109)) == Permanent("400 50109")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 408])
def test_a_server_error_or_timeout_has_an_unknown_outcome(status: int) -> None:
    assert isinstance(outcome(BOT, Answer(status, HTML)), Unknown)


def test_an_overload_is_transient() -> None:
    assert isinstance(outcome(BOT, answer(503, 130000)), Transient)


@pytest.mark.parametrize(("status", "kind"), [(200, Sent), (403, Permanent), (404, Permanent), (502, Transient)])
def test_a_download_is_judged_by_its_http_status(status: int, kind: type) -> None:
    assert isinstance(outcome(DOWNLOAD, Answer(status, b"<Error/>")), kind)


def refusal(errors: dict[str, Any], code: int = 50035) -> Answer:
    return answer(400, code, errors=errors)


UNKNOWN_QUOTE = {
    "message_reference": {"_errors": [{"code": "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "message": "Unknown"}]}
}
BUTTON = {"components": {"0": {"components": {"1": {"custom_id": {"_errors": [{"code": "DUPLICATED"}]}}}}}}
PICTURE = {"embeds": {"0": {"image": {"url": {"_errors": [{"code": "URL_TYPE_INVALID_URL", "message": "said text"}]}}}}}
CONTENT = {"content": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]}}
QUOTING = Call(name="send", method="POST", url="https://x", auth=BOT.auth, json={"message_reference": {}})
UPLOADING = Call(
    name="send",
    method="POST",
    url="https://x",
    auth=BOT.auth,
    upload=Upload(
        field="f", media=Image(url="https://x/a"), limit=1, fields={"payload_json": '{"message_reference":{}}'}
    ),
)


def at(name: str, note: str) -> Call:
    return Call(name=name, method="POST", url="https://x", auth=BOT.auth, note=note)


@pytest.mark.parametrize(
    ("call", "given", "part"),
    [
        (QUOTING, refusal(UNKNOWN_QUOTE), "quote"),
        (
            QUOTING,
            refusal({"message_reference": {"_errors": [{"code": "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE"}]}}),
            "quote",
        ),
        (QUOTING, answer(403, 160002), "quote"),
        (UPLOADING, answer(403, 160002), "quote"),
        (BOT, refusal(BUTTON), "buttons"),
        (BOT, refusal(PICTURE), "media"),
        (UPLOADING, refusal(PICTURE), "form"),
        (BOT, refusal(PICTURE | BUTTON), "form"),
        (BOT, refusal(CONTENT), "form"),
        (UPLOADING, answer(413, 40005), "media"),
        (UPLOADING, answer(400, 50045), "media"),
        *((THREAD, answer(400, code), "thread") for code in (50024, 50001, 50013, 10008, 10003, 160006, 30033, 50021)),
        (THREAD, answer(400, 50035), "thread"),
        *((EDIT, answer(403, code), "target") for code in (10008, 10003, 50005, 50021, 50001, 50013, 50083, 160005)),
        (EDIT, refusal(BUTTON), "buttons"),
        (EDIT, answer(400, 50035), "form"),
        (EDIT, answer(403, 200000), ""),
        *((at("send", "thread"), answer(403, code), "thread") for code in (50083, 160005, 10003, 50024)),
        *((at("send", ""), answer(403, code), "") for code in (50083, 160005, 10003, 50024, 50007, 50278)),
        *((at("send", "private"), answer(403, code), "private") for code in (50007, 50278, 10013)),
        *((at("open", "private"), answer(403, code), "private") for code in (50007, 10013, 50035, 50001)),
        (at("open", ""), answer(403, 50007), ""),
    ],
)
def test_the_refused_part_is_named(call: Call, given: Answer, part: str) -> None:
    found = outcome(call, given)
    assert isinstance(found, Permanent)
    assert found.part == part


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (CONTENT, "400 50035: content BASE_TYPE_MAX_LENGTH Must be 2000 or fewer in length."),
        (PICTURE, "400 50035: embeds.0.image.url URL_TYPE_INVALID_URL"),
        (
            {str(n): CONTENT for n in range(9)},
            "400 50035: "
            + ", ".join(f"{n}.content BASE_TYPE_MAX_LENGTH Must be 2000 or fewer in length." for n in range(3)),
        ),
        ({"a": 1, "_errors": [None, {"code": 5}]}, "400 50035"),
    ],
)
def test_the_reason_names_the_fields_and_the_limit(errors: dict[str, Any], reason: str) -> None:
    found = outcome(BOT, refusal(errors))
    assert isinstance(found, Permanent)
    assert found.reason == reason


def test_an_answer_whose_thinking_is_gone_is_not_sent_and_other_calls_are_refused() -> None:
    gone = answer(404, 10008)
    assert outcome(ANSWER, gone) == Sent(data=NOTHING)
    assert outcome(EDIT, gone) == Permanent("404 10008", part="target")
