"""Discord's callbacks: what is told at once, and to whom the answer will be shown."""

import json
from typing import Any

import pytest

from parley.adapter import Accepted, App, Headers, Rejected, Request
from parley.model import Context, Destination, Message
from parley.platforms.discord.inbound import receive
from parley.platforms.discord.interaction_token import LIFE, MARGIN, Grant, is_alive, unseal
from tests.conformance.adapters.discord import (
    APP,
    CARD,
    INTERACTION_TOKEN,
    completion,
    dump,
    event,
    form,
    interaction,
    make_app,
    on_message,
    ping,
    press,
    signed,
    slash,
)

NOW = 1_764_000_000.0


def got(body: dict[str, Any], app: App = APP, now: float = NOW) -> Accepted:
    outcome = receive(signed(dump(body), now), app, now)
    assert isinstance(outcome, Accepted), outcome
    return outcome


def told(body: dict[str, Any], app: App = APP) -> Any:
    return json.loads(got(body, app).response.body)


def granted(body: dict[str, Any], app: App = APP) -> Grant:
    (message,) = got(body, app).messages
    grant = unseal(destination(message.context), app.config)
    assert grant is not None
    return grant


def destination(context: Context) -> Destination:
    return Destination(
        platform="discord", app="demo", reply_token=context.reply_token, reply_token_expires=context.reply_token_expires
    )


# --- before anything else ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
@pytest.mark.parametrize("body", [b"", b"{}", dump(ping()), b"\xff"])
def test_the_probe_with_a_wrong_signature_gets_401_by_every_method(method: str, body: bytes) -> None:
    headers = signed(b"another body", NOW).headers
    for given in (headers, Headers()):
        outcome = receive(Request(method=method, headers=given, body=body), APP, NOW)
        assert isinstance(outcome, Rejected)
        assert (outcome.status, outcome.reason) == (401, "forged")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_what_is_signed_and_not_posted_gets_405_and_nothing_comes_of_it(method: str) -> None:
    """The signature covers the body and not the method: Discord uses no other, so whoever does has a copy."""
    sent = signed(dump(slash()), NOW)
    outcome = receive(Request(method=method, headers=sent.headers, body=sent.body), APP, NOW)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.reason) == (405, "malformed")


@pytest.mark.parametrize("stamp", ["now", "", "1e9", "-1764000000", "1764000000 ", "١٧٦٤٠٠٠٠٠٠", "9" * 400])
def test_a_signed_timestamp_that_is_no_unix_second_is_refused_with_401(stamp: str) -> None:
    from tests.conformance.adapters.discord import KEY

    signature = KEY.sign(stamp.encode() + b"{}").signature.hex()
    headers = Headers({"X-Signature-Ed25519": signature, "X-Signature-Timestamp": stamp})
    outcome = receive(Request(headers=headers, body=b"{}"), APP, NOW)
    assert isinstance(outcome, Rejected)
    assert outcome.status == 401


def test_what_is_signed_for_another_application_is_refused() -> None:
    """One key of two applications is a mistake in the configuration: the log names the field."""
    outcome = receive(signed(dump(ping()), NOW), make_app(application_id="1"), NOW)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.reason) == (401, "forged")
    assert "application_id" in outcome.detail


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": 7},
        {"type": True},
        {"type": "1"},
        {"type": 1, "event": None},
        {"type": 1, "event": {"data": {}}},
        {**slash(), "id": "x"},
        {**slash(), "token": ""},
        {**slash(), "data": None},
        {**slash(), "member": None},
        {**press(), "data": {}},
    ],
)
def test_a_signed_body_without_what_every_callback_has_is_malformed(body: dict[str, Any]) -> None:
    outcome = receive(signed(dump(body), NOW), APP, NOW)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.reason) == (400, "malformed")


# --- the first answer -------------------------------------------------------------------------------------------------


def test_a_ping_is_answered_with_a_pong_and_nothing_else_happens() -> None:
    accepted = got(ping())
    assert json.loads(accepted.response.body) == {"type": 1}
    assert (accepted.messages, accepted.instant) == ((), None)


@pytest.mark.parametrize("body", [{"version": 1, "type": 0}, event()])
def test_webhook_events_are_answered_with_an_empty_204_that_has_a_content_type(body: dict[str, Any]) -> None:
    response = got(body).response
    assert (response.status, response.body, response.content_type) == (204, b"", "application/json")


def test_a_command_is_promised_an_answer_for_all() -> None:
    assert told(slash()) == {"type": 5}
    assert told(on_message()) == {"type": 5}
    assert granted(slash()) == Grant(token=INTERACTION_TOKEN, thinking=True, upload_limit=10_485_760)


@pytest.mark.parametrize(
    ("config", "private"),
    [
        ({"ephemeral": True}, True),
        ({"ephemeral_commands": ["doc"]}, True),
        ({"ephemeral_commands": ["doc file check"]}, True),
        ({"ephemeral_commands": ["doc file", "file check", "ticket"]}, False),
    ],
)
def test_the_configuration_makes_a_command_private(config: dict[str, Any], private: bool) -> None:
    app = make_app(**config)
    assert told(slash(), app) == ({"type": 5, "data": {"flags": 64}} if private else {"type": 5})
    assert granted(slash(), app).private is private


def test_a_button_is_promised_nothing_visible() -> None:
    assert told(press()) == {"type": 6}
    assert granted(press()) == Grant(token=INTERACTION_TOKEN, upload_limit=10_485_760)


def test_what_is_done_on_a_private_message_is_answered_privately() -> None:
    private = {**CARD, "flags": 64}
    assert granted({**press(), "message": private}).private
    assert told({**form(), "message": private}) == {"type": 5, "data": {"flags": 64}}


@pytest.mark.parametrize("config", [{"ephemeral": True}, {"ephemeral_commands": ["ticket"]}])
def test_a_form_is_promised_an_answer_private_where_configured(config: dict[str, Any]) -> None:
    assert told(form()) == {"type": 5}
    assert told(form(), make_app(**config)) == {"type": 5, "data": {"flags": 64}}
    assert granted(form()).thinking


def test_a_completion_is_left_to_the_bots_instant_function_and_empty_without_one() -> None:
    accepted = got(completion())
    assert json.loads(accepted.response.body) == {"type": 8, "data": {"choices": []}}
    assert accepted.messages == ()
    assert accepted.instant is not None
    assert accepted.instant.context.reply_token == ""


def test_a_command_or_button_may_open_a_form_at_once_and_a_form_may_not() -> None:
    for body in (slash(), press()):
        accepted = got(body)
        assert accepted.instant is accepted.messages[0]
    assert got(form()).instant is None


# --- the right to answer ----------------------------------------------------------------------------------------------


def test_the_grant_lives_for_the_tokens_fifteen_minutes_less_a_margin() -> None:
    (message,) = got(slash()).messages
    to = destination(message.context)
    assert message.context.reply_token_expires == NOW + LIFE - MARGIN
    grant = unseal(to, APP.config)
    assert is_alive(to, grant, NOW)
    assert is_alive(to, grant, NOW + 869)
    assert not is_alive(to, grant, NOW + 870)


def test_a_grant_sealed_under_an_earlier_bot_token_is_dead_and_counts_as_private() -> None:
    (message,) = got(slash()).messages
    to = destination(message.context)
    grant = unseal(to, make_app(bot_token="another").config)
    assert grant is not None
    assert grant.private
    assert not is_alive(to, grant, NOW)


def test_a_destination_without_a_grant_has_none() -> None:
    assert unseal(Destination(platform="discord", app="demo"), APP.config) is None


def test_the_token_is_nowhere_to_be_read() -> None:
    from parley.model.codec import encode

    for body in (slash(), press(), form(), on_message()):
        message: Message = got(body).messages[0]
        assert INTERACTION_TOKEN.encode() not in encode(message)
        assert message.raw["data"] == body["data"]


def test_an_interaction_that_tells_no_size_limit_leaves_it_to_the_documented_one() -> None:
    assert granted(interaction(2, slash()["data"], attachment_size_limit=None)).upload_limit == 0
