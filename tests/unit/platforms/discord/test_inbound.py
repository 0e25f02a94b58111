"""Callbacks of Discord: authentication, the response, and the interaction token."""

import json
from typing import Any

import pytest

from parley.adapter import Accepted, App, Headers, Rejected, Request
from parley.model import Context, Destination, Message
from parley.platforms.discord.inbound import receive
from parley.platforms.discord.interaction_token import InteractionToken, is_usable, unseal
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
    option,
    ping,
    press,
    signed,
    slash,
)

NOW = 1_764_000_000.0


def accepted(body: dict[str, Any], app: App = APP, now: float = NOW) -> Accepted:
    outcome = receive(signed(dump(body), now), app, now)
    assert isinstance(outcome, Accepted), outcome
    return outcome


def response(body: dict[str, Any], app: App = APP) -> Any:
    return json.loads(accepted(body, app).response.body)


def interaction_token(body: dict[str, Any], app: App = APP) -> InteractionToken:
    (message,) = accepted(body, app).messages
    interaction = unseal(destination(message.context), app.config)
    assert interaction is not None
    return interaction


def destination(context: Context) -> Destination:
    return Destination(
        platform="discord", app="demo", reply_token=context.reply_token, reply_token_expires=context.reply_token_expires
    )


# --- authentication ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
@pytest.mark.parametrize("body", [b"", b"{}", dump(ping()), b"\xff"])
def test_a_wrong_signature_gets_401_with_every_method(method: str, body: bytes) -> None:
    headers = signed(b"another body", NOW).headers
    for given in (headers, Headers()):
        outcome = receive(Request(method=method, headers=given, body=body), APP, NOW)
        assert isinstance(outcome, Rejected)
        assert (outcome.status, outcome.reason) == (401, "forged")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_signed_request_with_another_method_than_post_gets_405(method: str) -> None:
    """The signature does not cover the method. Discord uses POST only, so this is a copy of a callback."""
    sent = signed(dump(slash()), NOW)
    outcome = receive(Request(method=method, headers=sent.headers, body=sent.body), APP, NOW)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.reason) == (405, "malformed")


@pytest.mark.parametrize("stamp", ["now", "", "1e9", "-1764000000", "1764000000 ", "١٧٦٤٠٠٠٠٠٠", "9" * 400])
def test_a_signed_timestamp_that_is_no_unix_time_gets_401(stamp: str) -> None:
    from tests.conformance.adapters.discord import KEY

    signature = KEY.sign(stamp.encode() + b"{}").signature.hex()
    headers = Headers({"X-Signature-Ed25519": signature, "X-Signature-Timestamp": stamp})
    outcome = receive(Request(headers=headers, body=b"{}"), APP, NOW)
    assert isinstance(outcome, Rejected)
    assert outcome.status == 401


def test_a_callback_for_another_application_is_refused() -> None:
    """Two applications with one public key are a configuration error. The log names the field."""
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
def test_a_signed_body_without_a_required_field_is_malformed(body: dict[str, Any]) -> None:
    outcome = receive(signed(dump(body), NOW), APP, NOW)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.reason) == (400, "malformed")


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    body = dump({**slash(), "data": {"name": "do", "type": 1, "options": [option(3, "a", "HERE")]}})
    outcome = receive(signed(body.replace(b"HERE", rb"x\ud83d"), NOW), APP, NOW)
    assert isinstance(outcome, Accepted)
    assert outcome.messages[0].content.text == "/do x\ufffd"


@pytest.mark.parametrize("depth", [101, 5_000])
def test_a_signed_body_that_is_nested_too_deep_is_malformed(depth: int) -> None:
    outcome = receive(signed(b'{"type":2,"data":' + b"[" * depth + b"]" * depth + b"}", NOW), APP, NOW)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.reason) == (400, "malformed")


# --- the response -----------------------------------------------------------------------------------------------------


def test_a_ping_gets_a_pong_and_makes_no_message() -> None:
    outcome = accepted(ping())
    assert json.loads(outcome.response.body) == {"type": 1}
    assert (outcome.messages, outcome.instant) == ((), None)


@pytest.mark.parametrize("body", [{"version": 1, "type": 0}, event()])
def test_a_webhook_event_gets_an_empty_204_with_a_content_type(body: dict[str, Any]) -> None:
    found = accepted(body).response
    assert (found.status, found.body, found.content_type) == (204, b"", "application/json")


def test_the_response_to_a_command_is_deferred_and_public() -> None:
    assert response(slash()) == {"type": 5}
    assert response(on_message()) == {"type": 5}
    assert interaction_token(slash()) == InteractionToken(
        token=INTERACTION_TOKEN, thinking=True, upload_limit=10_485_760
    )


@pytest.mark.parametrize(
    ("config", "private"),
    [
        ({"ephemeral": True}, True),
        ({"ephemeral_commands": ["doc"]}, True),
        ({"ephemeral_commands": ["doc file check"]}, True),
        ({"ephemeral_commands": ["doc file", "file check", "ticket"]}, False),
    ],
)
def test_the_configuration_makes_the_replies_to_a_command_private(config: dict[str, Any], private: bool) -> None:
    app = make_app(**config)
    assert response(slash(), app) == ({"type": 5, "data": {"flags": 64}} if private else {"type": 5})
    assert interaction_token(slash(), app).private is private


def test_the_response_to_a_button_changes_nothing_visible() -> None:
    assert response(press()) == {"type": 6}
    assert interaction_token(press()) == InteractionToken(token=INTERACTION_TOKEN, upload_limit=10_485_760)


def test_replies_to_an_action_on_a_private_message_are_private() -> None:
    private = {**CARD, "flags": 64}
    assert interaction_token({**press(), "message": private}).private
    assert response({**form(), "message": private}) == {"type": 5, "data": {"flags": 64}}


@pytest.mark.parametrize("config", [{"ephemeral": True}, {"ephemeral_commands": ["ticket"]}])
def test_the_response_to_a_form_is_deferred_and_private_if_configured(config: dict[str, Any]) -> None:
    assert response(form()) == {"type": 5}
    assert response(form(), make_app(**config)) == {"type": 5, "data": {"flags": 64}}
    assert interaction_token(form()).thinking


def test_a_completion_goes_to_the_instant_function_and_is_empty_by_default() -> None:
    outcome = accepted(completion())
    assert json.loads(outcome.response.body) == {"type": 8, "data": {"choices": []}}
    assert outcome.messages == ()
    assert outcome.instant is not None
    assert outcome.instant.context.reply_token == ""


def test_a_command_or_button_may_open_a_form_but_a_form_may_not() -> None:
    for body in (slash(), press()):
        outcome = accepted(body)
        assert outcome.instant is outcome.messages[0]
    assert accepted(form()).instant is None


# --- the interaction token --------------------------------------------------------------------------------------------


def test_an_interaction_token_is_used_for_fifteen_minutes_less_a_margin() -> None:
    (message,) = accepted(slash()).messages
    to = destination(message.context)
    assert message.context.reply_token_expires == NOW + 870
    interaction = unseal(to, APP.config)
    assert is_usable(to, interaction, NOW)
    assert is_usable(to, interaction, NOW + 869)
    assert not is_usable(to, interaction, NOW + 870)


def test_an_interaction_token_encrypted_with_an_earlier_bot_token_is_unusable_and_private() -> None:
    (message,) = accepted(slash()).messages
    to = destination(message.context)
    interaction = unseal(to, make_app(bot_token="another").config)
    assert interaction is not None
    assert interaction.private
    assert not is_usable(to, interaction, NOW)


def test_a_destination_without_an_interaction_token_has_none() -> None:
    assert unseal(Destination(platform="discord", app="demo"), APP.config) is None


def test_no_message_contains_the_interaction_token_in_plain_text() -> None:
    from parley.model.codec import encode

    for body in (slash(), press(), form(), on_message()):
        message: Message = accepted(body).messages[0]
        assert INTERACTION_TOKEN.encode() not in encode(message)
        assert message.raw["data"] == body["data"]


def test_an_interaction_without_a_size_limit_has_an_upload_limit_of_zero() -> None:
    assert interaction_token(interaction(2, slash()["data"], attachment_size_limit=None)).upload_limit == 0
