"""Delivery on Discord beyond the golden files: order of replies, an expiring interaction token, tokens, limits."""

import json
from typing import Any

import pytest

from parley.adapter import IDEMPOTENT, Answer, BreakerFailure, Bucket, Call, Headers, Pause, Sent
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
    assert (first.idempotent_for, second.idempotent_for) == (180, 180)
    assert first.json["nonce"] != second.json["nonce"]
    assert len(first.json["nonce"]) == 25


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


def test_a_later_run_uses_the_receipt_of_the_direct_channel() -> None:
    out = outgoing(Reply(segments=(LONG,), private=True))
    calls = run(out, receipts=(Sent("5", {"channel": "5"}), Sent("6")))
    assert [call.url.rpartition("v10")[2] for call in calls] == ["/channels/5/messages"]


def test_the_message_that_opened_a_form_is_edited_by_its_id() -> None:
    """The original is the deferred response to the form, not the message that the form was opened from."""
    reply = Reply(op="edit", target="4", segments=(Text(text="x"),))
    (call,) = run(outgoing(reply, interaction=THINKING, kind="action", message_id="4"))
    assert call.url.endswith("/channels/30/messages/4")


def test_the_bot_token_comes_from_the_configuration_and_is_read_again_after_an_hour() -> None:
    out = outgoing(Reply())
    assert token_key(out, APP) == "bot"
    with pytest.raises(StopIteration) as end:
        next(token(out, APP, {}, NOW))
    assert (end.value.value.value, end.value.value.expires) == (TOKEN, NOW + 3600)
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
        assert (failure.bucket.limit, failure.bucket.period) == (1000, 600)
        assert [bucket.key.rpartition("#")[2] for bucket in failure.pauses] == ["bot", "interactions"]


def test_another_host_changes_the_addresses_but_not_the_limits() -> None:
    out = outgoing(Reply(segments=(Text(text="x"),)))
    local = make_app(host="http://127.0.0.1:8089/discord/api/v10")
    call = next(deliver(out, local, NOW))
    assert call.url == "http://127.0.0.1:8089/discord/api/v10/channels/30/messages"
    assert limits(call, out, local) == limits(next(deliver(out, APP, NOW)), out, APP)
