"""Delivery on Discord beyond the golden files: order of replies, an interaction that ends on the way, token, limits."""

import json
from typing import Any

import pytest

from parley.adapter import IDEMPOTENT, Answer, BreakerFailure, Bucket, Call, Headers, Pause, Sent
from parley.model import Destination, Image, Outgoing, Reply, Text
from parley.platforms.discord.interaction_token import Grant, seal
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
    reply: Reply, ordinal: int = 0, until: float = NOW + 600, grant: Grant | None = None, **to: Any
) -> Outgoing:
    if grant is not None:
        to |= {"reply_token": seal(APP.config, grant), "reply_token_expires": int(until)}
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
    """The calls that are left after `receipts`, each answered with success."""
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


THINKING = Grant(token=INTERACTION_TOKEN, thinking=True)


def test_only_the_first_reply_fills_in_the_promise() -> None:
    reply = Reply(segments=(LONG,))
    assert names(run(outgoing(reply, 0, grant=THINKING))) == ["answer", "follow_up"]
    assert names(run(outgoing(reply, 1, grant=THINKING))) == ["follow_up", "follow_up"]


def test_an_apology_fills_it_in_too_since_nothing_else_was_said() -> None:
    assert names(run(outgoing(Reply(segments=(Text(text="sorry"),)), -1, grant=THINKING))) == ["answer"]


def test_only_what_may_be_repeated_is_called_harmless() -> None:
    answer, follow_up = run(outgoing(Reply(segments=(LONG,)), grant=THINKING))
    first, second = run(outgoing(Reply(segments=(LONG,))))
    assert (answer.idempotent_for, follow_up.idempotent_for) == (IDEMPOTENT, 0)
    assert (first.idempotent_for, second.idempotent_for) == (180, 180)
    assert first.json["nonce"] != second.json["nonce"]
    assert len(first.json["nonce"]) == 25


def test_the_bots_token_is_shown_to_no_interaction_and_no_token_is_in_a_call() -> None:
    for call in run(outgoing(Reply(segments=(LONG,)), grant=THINKING)):
        assert call.auth is None
    for call in run(outgoing(Reply(segments=(LONG,)))):
        assert call.auth is not None
        assert TOKEN not in repr(call)


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("promised_privately", [False, True])
@pytest.mark.parametrize("ordinal", [0, 1])
@pytest.mark.parametrize("done", [1, 2])
def test_a_part_said_before_the_interaction_ended_is_not_said_again(
    private: bool, promised_privately: bool, ordinal: int, done: int
) -> None:
    """The worker dies after some calls; a later one finds the token dead and goes on with the bot's."""
    grant = Grant(token=INTERACTION_TOKEN, thinking=True, private=promised_privately)
    out = outgoing(Reply(segments=(LONG,), private=private), ordinal, grant=grant)
    before = run(out)
    receipts = tuple(Sent("" if call.method == "DELETE" else f"77{n}") for n, call in enumerate(before[:done]))
    said = [call for call in before[:done] if call.json]
    after = [call for call in run(out, NOW + 900, receipts) if call.name == "send"]
    assert len(said) + len(after) == 2
    texts = [call.json["content"] for call in (*said, *after)]
    assert texts == [call.json["content"] for call in before if call.json]
    if private or promised_privately:
        assert all("/channels/991/" in call.url for call in after)


def test_a_later_run_reads_the_receipt_of_the_direct_channel() -> None:
    out = outgoing(Reply(segments=(LONG,), private=True))
    calls = run(out, receipts=(Sent("5", {"channel": "5"}), Sent("6")))
    assert [call.url.rpartition("v10")[2] for call in calls] == ["/channels/5/messages"]


def test_a_message_of_the_bot_in_a_form_is_edited_by_its_own_id() -> None:
    """A form's promise stands beside the message it was opened from, which is therefore not the original."""
    reply = Reply(op="edit", target="4", segments=(Text(text="x"),))
    (call,) = run(outgoing(reply, grant=THINKING, kind="action", message_id="4"))
    assert call.url.endswith("/channels/30/messages/4")


def test_the_token_is_the_configurations_and_looked_up_again_within_the_hour() -> None:
    out = outgoing(Reply())
    assert token_key(out, APP) == "bot"
    with pytest.raises(StopIteration) as end:
        next(token(out, APP, {}, NOW))
    assert (end.value.value.value, end.value.value.expires) == (TOKEN, NOW + 3600)
    assert PROFILE.pushed_credentials == ()


def test_a_file_is_fetched_without_any_token() -> None:
    call = download(Image(url="https://cdn.discordapp.com/a.png?ex=1&hm=2&"), "1", APP)
    assert (call.url, call.auth) == ("https://cdn.discordapp.com/a.png?ex=1&hm=2&", None)


# --- limits -----------------------------------------------------------------------------------------------------------


def keys(out: Outgoing) -> list[tuple[Bucket, ...]]:
    return [limits(call, out, APP) for call in run(out)]


def test_calls_of_a_bot_share_fifty_a_second_and_each_channel_has_its_own() -> None:
    ((everything, here), _) = keys(outgoing(Reply(segments=(LONG,))))
    ((same, there), _) = keys(outgoing(Reply(segments=(LONG,)), room_id="31"))
    assert everything == same == Bucket("discord#1100000000000000001#bot", 50, 1)
    assert here == Bucket("discord#1100000000000000001#POST channels 30", 5, 5)
    assert here.key != there.key


def test_interactions_do_not_count_for_the_bot_and_their_tokens_are_in_no_key() -> None:
    found = keys(outgoing(Reply(segments=(LONG,)), grant=THINKING))
    other = keys(outgoing(Reply(segments=(LONG,)), grant=Grant(token="another", thinking=True)))
    assert {everything.key for everything, _ in found} == {"discord#1100000000000000001#interactions"}
    assert INTERACTION_TOKEN not in repr(found)
    assert found[0][1].key != other[0][1].key
    assert found[0][1].key != found[1][1].key


def taught(status: int, headers: dict[str, str] | None = None, body: bytes = b"{}", **grant: Any) -> tuple[Any, ...]:
    out = outgoing(Reply(segments=(Text(text="x"),)), **grant)
    (call,) = run(out)
    return limit_feedback(call, Answer(status, body, Headers(headers or {})), out, APP)


def test_an_empty_bucket_holds_the_route_until_it_is_full_again() -> None:
    (pause,) = taught(200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.25"})
    assert pause == Pause(Bucket("discord#1100000000000000001#POST channels 30", 5, 5), 1.25)


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset-After": "1"}, {"X-RateLimit-Remaining": "0"}]
    + [{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": after} for after in ("", "0", "nan", "-1", "1e9")],
)
def test_other_headers_teach_nothing(headers: dict[str, str]) -> None:
    assert taught(200, headers) == ()


def of(lessons: tuple[Any, ...], kind: type) -> list[Any]:
    return [lesson for lesson in lessons if isinstance(lesson, kind)]


@pytest.mark.parametrize(
    ("headers", "body", "held"),
    [
        ({"X-RateLimit-Scope": "user"}, b'{"retry_after":2}', "#POST channels 30"),
        ({"X-RateLimit-Scope": "shared"}, b'{"retry_after":2}', "#POST channels 30"),
        ({"X-RateLimit-Scope": "global"}, b'{"retry_after":2}', "#bot"),
        ({}, b'{"retry_after":2,"global":true}', "#bot"),
        ({"Retry-After": "2"}, b"<html>", "#POST channels 30"),
    ],
)
def test_a_refusal_for_its_rate_holds_the_route_or_the_whole_bot(headers, body, held) -> None:
    (pause,) = of(taught(429, headers, body), Pause)
    assert (pause.bucket.key, pause.seconds) == (f"discord#1100000000000000001{held}", 2)


@pytest.mark.parametrize(
    ("status", "headers", "strikes"),
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
@pytest.mark.parametrize("grant", [None, THINKING])
def test_what_discord_bans_for_is_counted_and_silences_the_app_long_before(status, headers, strikes, grant) -> None:
    found = of(taught(status, headers, grant=grant), BreakerFailure)
    assert len(found) == strikes
    for strike in found:
        assert (strike.bucket.limit, strike.bucket.period) == (1000, 600)
        assert [bucket.key.rpartition("#")[2] for bucket in strike.pauses] == ["bot", "interactions"]


def test_another_host_changes_the_addresses_and_not_the_limits() -> None:
    out = outgoing(Reply(segments=(Text(text="x"),)))
    local = make_app(host="http://127.0.0.1:8089/discord/api/v10")
    call = next(deliver(out, local, NOW))
    assert call.url == "http://127.0.0.1:8089/discord/api/v10/channels/30/messages"
    assert limits(call, out, local) == limits(next(deliver(out, APP, NOW)), out, APP)
