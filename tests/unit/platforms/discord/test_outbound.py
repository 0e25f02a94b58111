"""Delivery on Discord beyond the golden files: order of replies, an expiring interaction token, tokens, limits."""

import json
import math
from typing import Any

import pytest
from msgspec.structs import replace

from parley.adapter import IDEMPOTENT, NOTHING, Answer, BreakerFailure, Bucket, Call, Headers, Pause, Sent, fallback
from parley.journal.states import is_safe_to_repeat
from parley.model import Destination, Image, Outgoing, Reply, Text
from parley.platforms.discord.interaction_token import InteractionToken, seal
from parley.platforms.discord.outbound import (
    PROFILE,
    deliver,
    download,
    limit_feedback,
    limits,
    outcome,
    token,
    token_key,
)
from tests.conformance.adapters.discord import APP, INTERACTION_TOKEN, TOKEN, make_app

NOW = 1_764_000_000.0
LONG = Text(text="word " * 500)
"""Two messages."""


def outgoing(
    reply: Reply, ordinal: int = 0, until: float = NOW + 600, interaction: InteractionToken | None = None, **to: Any
) -> Outgoing:
    if interaction is not None:
        to |= {"reply_token": seal(APP.config, interaction), "reply_token_expires": int(until)}
    place = {"tenant": "20", "room_id": "30", "user_id": "50", **to}
    return Outgoing(
        id="0123456789abcdef0123456789abcdef",
        message_key="key",
        ordinal=ordinal,
        to=Destination(platform="discord", app="demo", **place),
        reply=reply,
        created=NOW,
    )


def run(out: Outgoing, now: float = NOW, receipts: tuple[Sent, ...] = ()) -> list[Call]:
    """The calls after those of `receipts`, each answered with success."""
    steps = deliver(out, APP, now)
    calls: list[Call] = []
    try:
        call = next(steps)
        for receipt in receipts:
            call = steps.send(receipt)
        while True:
            calls.append(call)
            body = b"" if call.method == "DELETE" else json.dumps({"id": f"99{len(calls)}"}).encode()
            sent = outcome(call, Answer(200, body))
            assert isinstance(sent, Sent)
            call = steps.send(sent)
    except StopIteration:
        return calls


def names(calls: list[Call]) -> list[str]:
    return [call.name for call in calls]


THINKING = InteractionToken(token=INTERACTION_TOKEN, thinking=True)


def test_only_the_first_reply_replaces_the_deferred_response() -> None:
    reply = Reply(segments=(LONG,))
    assert names(run(outgoing(reply, 0, interaction=THINKING))) == ["answer", "follow_up"]
    assert names(run(outgoing(reply, 1, interaction=THINKING))) == ["follow_up", "follow_up"]


def test_an_error_reply_replaces_the_deferred_response() -> None:
    assert names(run(outgoing(Reply(segments=(Text(text="sorry"),)), -1, interaction=THINKING))) == ["answer"]


def test_each_call_has_its_idempotency_window() -> None:
    answer, follow_up = run(outgoing(Reply(segments=(LONG,)), interaction=THINKING))
    first, second = run(outgoing(Reply(segments=(LONG,))))
    assert (answer.idempotent_for, follow_up.idempotent_for) == (IDEMPOTENT, 0)
    assert (first.idempotent_for, second.idempotent_for) == (120, 120)
    assert first.json["nonce"] != second.json["nonce"]
    assert len(first.json["nonce"]) == 25


@pytest.mark.parametrize(("age", "is_safe"), [(0, True), (93.9, True), (94, False), (160, False)])
def test_a_message_is_repeated_only_if_the_call_ends_within_the_two_minutes(age: float, is_safe: bool) -> None:
    """A worker may stall until its lease of 26 s ends, and the call then reaches Discord."""
    (call,) = run(outgoing(Reply(segments=(Text(text="x"),))))
    assert is_safe_to_repeat(call, NOW, NOW + age + 26) is is_safe


def test_a_follow_up_is_never_repeated_and_an_answer_always() -> None:
    answer, follow_up = run(outgoing(Reply(segments=(LONG,)), interaction=THINKING))
    assert is_safe_to_repeat(answer, NOW, NOW + 1e6)
    assert not is_safe_to_repeat(follow_up, NOW, NOW)


def test_calls_with_an_interaction_token_have_no_auth_and_no_call_contains_the_bot_token() -> None:
    for call in run(outgoing(Reply(segments=(LONG,)), interaction=THINKING)):
        assert call.auth is None
    for call in run(outgoing(Reply(segments=(LONG,)))):
        assert call.auth is not None
        assert TOKEN not in repr(call)


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("deferred_privately", [False, True])
@pytest.mark.parametrize("ordinal", [0, 1])
@pytest.mark.parametrize("done", [1, 2])
def test_a_part_sent_before_the_interaction_token_expired_is_not_sent_again(
    private: bool, deferred_privately: bool, ordinal: int, done: int
) -> None:
    """A worker stops after some calls. The next one finds the interaction token expired and uses the bot token."""
    interaction = InteractionToken(token=INTERACTION_TOKEN, thinking=True, private=deferred_privately)
    out = outgoing(Reply(segments=(LONG,), private=private), ordinal, interaction=interaction)
    before = run(out)
    receipts = tuple(Sent("" if call.method == "DELETE" else f"77{n}") for n, call in enumerate(before[:done]))
    sent = [call for call in before[:done] if call.json]
    after = [call for call in run(out, NOW + 900, receipts) if call.name == "send"]
    assert len(sent) + len(after) == 2
    texts = [call.json["content"] for call in (*sent, *after)]
    assert texts == [call.json["content"] for call in before if call.json]
    if private or deferred_privately:
        assert all("/channels/991/" in call.url for call in after)


def calls_after(out: Outgoing, *answers: Answer, now: float = NOW) -> list[Call]:
    """The calls, the first ones answered with `answers`, the others with success."""
    steps = deliver(out, APP, now)
    calls: list[Call] = []
    try:
        call = next(steps)
        while True:
            calls.append(call)
            given = answers[len(calls) - 1] if len(calls) <= len(answers) else Answer(200, b'{"id":"9"}')
            sent = outcome(call, given)
            assert isinstance(sent, Sent), sent
            call = steps.send(sent)
    except StopIteration:
        return calls


UNKNOWN_MESSAGE = Answer(404, b'{"code":10008,"message":"Unknown Message"}')


@pytest.mark.parametrize("private", [False, True])
def test_an_answer_whose_thinking_was_deleted_follows_as_a_message(private: bool) -> None:
    interaction = InteractionToken(token=INTERACTION_TOKEN, thinking=True, private=private)
    answer, *more = calls_after(outgoing(Reply(segments=(LONG,)), interaction=interaction), UNKNOWN_MESSAGE)
    assert (answer.name, names(more)) == ("answer", ["follow_up", "follow_up"])
    assert more[0].json.get("flags", 0) == (64 if private else 0)
    assert {**more[0].json, "flags": 0} == {**answer.json, "flags": 0}


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("deferred_privately", [False, True])
@pytest.mark.parametrize("tenant", ["20", ""])
@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_after_a_deleted_thinking_every_part_is_sent_once_although_the_token_expires(
    private: bool, deferred_privately: bool, tenant: str, done: int
) -> None:
    interaction = InteractionToken(token=INTERACTION_TOKEN, thinking=True, private=deferred_privately)
    out = outgoing(Reply(segments=(LONG,), private=private), interaction=interaction, tenant=tenant)
    before = calls_after(out, UNKNOWN_MESSAGE)
    receipts = tuple(
        Sent("", NOTHING) if call.name == "answer" else Sent("" if call.method == "DELETE" else f"77{n}")
        for n, call in enumerate(before[:done])
    )
    sent = [call for call in before[:done] if call.name == "follow_up"]
    after = [call for call in run(out, NOW + 900, receipts) if call.name == "send"]
    assert [call.json["content"] for call in (*sent, *after)] == [
        call.json["content"] for call in before if call.name == "follow_up"
    ]


@pytest.mark.parametrize(
    ("reply", "to", "interaction", "notes"),
    [
        (Reply(thread=True), {"message_id": "4"}, None, ["4", "thread", ""]),
        (Reply(), {"thread_id": "31"}, None, ["thread", ""]),
        (Reply(), {}, None, ["", ""]),
        (Reply(private=True), {}, None, ["private", "private", ""]),
        (Reply(private=True), {}, InteractionToken(token="t", private=True), ["", "", ""]),
        (Reply(), {}, InteractionToken(token="t", private=True), ["", "", ""]),
    ],
)
def test_only_calls_before_the_first_message_can_drop_their_place(reply, to, interaction, notes) -> None:
    """Privacy that the configuration asks for, or that is unknown, is never dropped."""
    out = outgoing(replace(reply, segments=(LONG,)), until=NOW, interaction=interaction, **to)
    assert [call.note for call in run(out)] == notes


def test_a_reply_without_a_refused_part_has_nonces_of_its_own() -> None:
    out = outgoing(Reply(segments=(Text(text="x"),), quote=True), message_id="4")
    without = fallback(out, "quote")
    assert without is not None
    (first,), (second,) = run(out), run(without)
    assert first.json["nonce"] != second.json["nonce"]
    assert "message_reference" not in second.json


@pytest.mark.parametrize("part", ["thread", "private", "quote"])
def test_a_refused_part_is_left_out_and_the_words_are_sent(part: Any) -> None:
    only: dict[str, Any] = {part: True}
    reply = Reply(segments=(Text(text="x"),), **only)
    without = fallback(outgoing(reply, message_id="4"), part)
    assert without is not None
    (call,) = run(without)
    assert (call.url.rpartition("v10")[2], call.json["content"]) == ("/channels/30/messages", "x")


@pytest.mark.parametrize("op", ["send", "recall"])
def test_a_draft_is_replaced_or_removed_although_the_interaction_token_has_expired(op: Any) -> None:
    """One message remains: that of the draft, which the bot token changes by its id."""
    reply = Reply(op=op, segments=(LONG,) if op == "send" else ())
    interaction = InteractionToken(token=INTERACTION_TOKEN, thinking=True)
    shown = replace(outgoing(reply, interaction=interaction), draft=("77",))
    late = NOW + 900
    first, *others = run(shown, late)
    assert (first.method, first.url.rpartition("/channels/")[2]) == (
        ("PATCH" if op == "send" else "DELETE"),
        "30/messages/77",
    )
    assert [call.method for call in others] == (["POST"] if op == "send" else [])
    original = run(shown)[0]
    assert original.url.endswith("/messages/@original")
    if op == "send":  # somebody has deleted the draft: the reply is a new message
        gone = fallback(shown, "target", None)
        assert gone is not None
        assert [call.method for call in run(gone, late)] == ["POST", "POST"]


def test_a_draft_that_only_one_person_sees_is_left_when_the_token_has_expired() -> None:
    interaction = InteractionToken(token=INTERACTION_TOKEN, thinking=True, private=True)
    shown = replace(outgoing(Reply.of("hi"), interaction=interaction), draft=("77",))
    assert [call.method for call in run(shown, NOW + 900)] == ["POST", "POST"]


def test_a_later_run_uses_the_receipt_of_the_direct_channel() -> None:
    out = outgoing(Reply(segments=(LONG,), private=True))
    calls = run(out, receipts=(Sent("5", {"channel": "5"}), Sent("6")))
    assert [call.url.rpartition("v10")[2] for call in calls] == ["/channels/5/messages"]


def test_the_message_that_opened_a_form_is_edited_by_its_id() -> None:
    """The original is the deferred response to the form, not the message that the form was opened from."""
    reply = Reply(op="edit", target="4", segments=(Text(text="x"),))
    (call,) = run(outgoing(reply, interaction=THINKING, kind="action", message_id="4"))
    assert call.url.endswith("/channels/30/messages/4")


def test_the_bot_token_comes_from_the_configuration_and_never_expires() -> None:
    out = outgoing(Reply())
    assert token_key(out, APP) == "bot"
    with pytest.raises(StopIteration) as end:
        next(token(out, APP, {}, NOW))
    assert (end.value.value.value, end.value.value.expires) == (TOKEN, math.inf)
    assert PROFILE.fixed_token
    assert PROFILE.pushed_credentials == ()


def test_a_download_has_no_token() -> None:
    call = download(Image(url="https://cdn.discordapp.com/a.png?ex=1&hm=2&"), "1", APP)
    assert (call.url, call.auth) == ("https://cdn.discordapp.com/a.png?ex=1&hm=2&", None)


# --- limits -----------------------------------------------------------------------------------------------------------


def keys(out: Outgoing) -> list[tuple[Bucket, ...]]:
    return [limits(call, out, APP) for call in run(out)]


def test_all_calls_of_a_bot_share_a_bucket_and_each_channel_has_its_own() -> None:
    ((everything, here), _) = keys(outgoing(Reply(segments=(LONG,))))
    ((same, there), _) = keys(outgoing(Reply(segments=(LONG,)), room_id="31"))
    assert everything == same == Bucket("discord#1100000000000000001#bot", 50, 1)
    assert here == Bucket("discord#1100000000000000001#POST channels 30", 5, 5)
    assert here.key != there.key


def test_interactions_have_buckets_of_their_own_whose_keys_contain_no_token() -> None:
    found = keys(outgoing(Reply(segments=(LONG,)), interaction=THINKING))
    other = keys(outgoing(Reply(segments=(LONG,)), interaction=InteractionToken(token="another", thinking=True)))
    assert {everything.key for everything, _ in found} == {"discord#1100000000000000001#interactions"}
    assert INTERACTION_TOKEN not in repr(found)
    assert found[0][1].key != other[0][1].key
    assert found[0][1].key != found[1][1].key


def feedback(status: int, headers: dict[str, str] | None = None, body: bytes = b"{}", **to: Any) -> tuple[Any, ...]:
    out = outgoing(Reply(segments=(Text(text="x"),)), **to)
    (call,) = run(out)
    return limit_feedback(call, Answer(status, body, Headers(headers or {})), out, APP)


def test_an_exhausted_bucket_pauses_its_route_until_the_reset() -> None:
    (pause,) = feedback(200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.25"})
    assert pause == Pause(Bucket("discord#1100000000000000001#POST channels 30", 5, 5), 1.25)


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset-After": "1"}, {"X-RateLimit-Remaining": "0"}]
    + [{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": after} for after in ("", "0", "nan", "-1", "1e9")],
)
def test_other_headers_give_no_feedback(headers: dict[str, str]) -> None:
    assert feedback(200, headers) == ()


def of_type(results: tuple[Any, ...], kind: type) -> list[Any]:
    return [result for result in results if isinstance(result, kind)]


@pytest.mark.parametrize(
    ("headers", "body", "paused"),
    [
        ({"X-RateLimit-Scope": "user"}, b'{"retry_after":2}', "#POST channels 30"),
        ({"X-RateLimit-Scope": "shared"}, b'{"retry_after":2}', "#POST channels 30"),
        ({"X-RateLimit-Scope": "global"}, b'{"retry_after":2}', "#bot"),
        ({}, b'{"retry_after":2,"global":true}', "#bot"),
        ({"Retry-After": "2"}, b"<html>", "#POST channels 30"),
    ],
)
def test_a_rate_limit_pauses_the_route_or_the_whole_bot(headers, body, paused) -> None:
    (pause,) = of_type(feedback(429, headers, body), Pause)
    assert (pause.bucket.key, pause.seconds) == (f"discord#1100000000000000001{paused}", 2)


@pytest.mark.parametrize(
    ("status", "headers", "failures"),
    [
        (401, {}, 1),
        (403, {}, 1),
        (429, {}, 1),
        (429, {"X-RateLimit-Scope": "user"}, 1),
        (429, {"X-RateLimit-Scope": "shared"}, 0),
        (404, {}, 0),
        (200, {}, 0),
    ],
)
@pytest.mark.parametrize("interaction", [None, THINKING])
def test_an_invalid_request_counts_as_a_breaker_failure(status, headers, failures, interaction) -> None:
    found = of_type(feedback(status, headers, interaction=interaction), BreakerFailure)
    assert len(found) == failures
    for failure in found:
        assert (failure.bucket.limit, failure.bucket.period) == (100, 60)
        assert [bucket.key.rpartition("#")[2] for bucket in failure.pauses] == ["bot", "interactions"]


def test_another_host_changes_the_addresses_but_not_the_limits() -> None:
    out = outgoing(Reply(segments=(Text(text="x"),)))
    local = make_app(host="http://127.0.0.1:8089/discord/api/v10")
    call = next(deliver(out, local, NOW))
    assert call.url == "http://127.0.0.1:8089/discord/api/v10/channels/30/messages"
    assert limits(call, out, local) == limits(next(deliver(out, APP, NOW)), out, APP)


WORDS: dict[str, Any] = {"kind": "message", "message_id": "4"}


def test_the_answer_to_words_in_a_server_is_a_reply_to_them_with_an_idempotency_key() -> None:
    first, second = run(outgoing(Reply(segments=(LONG,)), **WORDS))
    assert first.url.endswith("/channels/30/messages")
    assert first.auth is not None
    assert first.json["message_reference"] == {"message_id": "4", "fail_if_not_exists": False}
    assert first.json["enforce_nonce"] is True
    assert "message_reference" not in second.json
    assert first.json["nonce"] != second.json["nonce"]


@pytest.mark.parametrize(
    ("ordinal", "place"), [(1, {}), (0, {"tenant": ""}), (0, {"thread_id": "31"}), (0, {"kind": "event"})]
)
def test_other_answers_are_no_replies_to_a_message(ordinal: int, place: dict[str, Any]) -> None:
    (call,) = run(outgoing(Reply(segments=(Text(text="x"),)), ordinal, **{**WORDS, **place}))
    assert "message_reference" not in call.json


def test_an_answer_that_may_not_refer_to_the_words_is_sent_without() -> None:
    out = outgoing(Reply(segments=(Text(text="x"),)), **WORDS)
    (call,) = run(out)
    refused = outcome(call, Answer(403, b'{"code": 160002}'))
    assert getattr(refused, "part", "") == "quote"
    without = fallback(out, "quote")
    assert without is not None
    (again,) = run(without)
    assert "message_reference" not in again.json
    assert again.json["nonce"] != call.json["nonce"]
    assert fallback(without, "quote") is None
