"""Parley and lark-oapi, Feishu's own SDK, accept and reject the same bytes. Each intended difference has a test."""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from parley.adapter import Accepted, App, Headers, Request
from parley.crypto import cbc_encrypt
from parley.platforms.feishu import envelope
from parley.platforms.feishu.config import Config
from tests.conformance.adapters.feishu import ADAPTER
from tests.conformance.attacks import BAD_BODIES, changed_bodies, changed_values, noise
from tests.conformance.feishu import (
    CONTENTS,
    KEY,
    LEGACY_APP,
    PLAIN_APP,
    SECRET_APP,
    SIGNED,
    TOKEN,
    card_action,
    chat,
    dump,
    encrypt,
    event,
    legacy_card,
    signed,
    url_verification,
    v1_event,
)
from tests.conformance.kit import receive, with_body, with_header
from tests.conformance.lark import (
    AESCipher,
    CardActionHandler,
    CreateMessageReactionRequest,
    CreateMessageReactionRequestBody,
    Emoji,
    EventDispatcherHandler,
    P2CardActionTriggerResponse,
    RawRequest,
    lark,
    logger,
)
from tests.conformance.test_golden import calls_of

NOW = 1_718_000_002.0
HEADER_NAMES = {name.lower(): name for name in ("X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "X-Lark-Signature")}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """lark-oapi logs a traceback for each rejection, and these tests make thousands."""
    level, logger.level = logger.level, logging.CRITICAL + 1
    yield
    logger.level = level


def dispatcher(app: App) -> EventDispatcherHandler:
    config: Config = app.config
    builder = lark.EventDispatcherHandler.builder(config.encrypt_key, config.verification_token)
    ignore: Callable[[Any], None] = lambda _event: None  # noqa: E731
    return (
        builder.register_p2_im_message_receive_v1(ignore)
        .register_p2_im_message_recalled_v1(ignore)
        .register_p2_im_message_reaction_created_v1(ignore)
        .register_p2_im_chat_member_user_added_v1(ignore)
        .register_p2_card_action_trigger(lambda _event: P2CardActionTriggerResponse({}))
        .register_p1_customized_event("app_open", ignore)
        .register_p1_customized_event("app_ticket", ignore)
        .build()
    )


def card_handler(app: App) -> CardActionHandler:
    config: Config = app.config
    return (
        lark.CardActionHandler.builder(config.encrypt_key, config.verification_token).register(lambda _: None).build()
    )


def lark_accepts(request: Request, handler: EventDispatcherHandler | CardActionHandler) -> bool:
    raw = RawRequest()
    raw.uri, raw.body = "/", request.body
    # lark-oapi finds a header only in its original case. API Gateway does not keep the case.
    raw.headers = {HEADER_NAMES.get(name, name): value for name, value in request.headers.items()}
    answer = handler.do(raw)
    assert answer.status_code in (200, 500)
    return answer.status_code == 200


def parley_accepts(request: Request, app: App) -> bool:
    return isinstance(receive("feishu", request, app, NOW), Accepted)


EVENTS: dict[str, dict[str, Any]] = {
    **{f"{kind} message": chat(NOW, kind, content) for kind, content in CONTENTS.items()},
    "card action": card_action(NOW),
    "recall": event("im.message.recalled_v1", {"message_id": "om_1", "chat_id": "oc_1"}, NOW),
    "reaction": event("im.message.reaction.created_v1", {"message_id": "om_1"}, NOW),
    "member": event("im.chat.member.user.added_v1", {"chat_id": "oc_1", "users": []}, NOW),
    "app opened": v1_event(NOW),
    "ticket": v1_event(NOW, {"type": "app_ticket", "app_id": "cli_a1b2c3d4e5f60708", "app_ticket": "tkt-0d9c8b7a"}),
    "url verification": url_verification(),
}
each_event = pytest.mark.parametrize("payload", EVENTS.values(), ids=EVENTS)


@each_event
def test_both_accept_an_encrypted_event(payload: dict[str, Any]) -> None:
    request = signed(encrypt(dump(payload)), NOW)
    assert lark_accepts(request, dispatcher(SECRET_APP))
    assert parley_accepts(request, SECRET_APP)


@each_event
def test_both_accept_a_plain_event(payload: dict[str, Any]) -> None:
    request = Request(body=dump(payload))
    assert lark_accepts(request, dispatcher(PLAIN_APP))
    assert parley_accepts(request, PLAIN_APP)


@each_event
def test_lark_accepts_a_body_that_parley_encrypted(payload: dict[str, Any]) -> None:
    key, iv = AESCipher(KEY).digest, bytes(16)
    body = dump({"encrypt": base64.b64encode(iv + cbc_encrypt(key, iv, dump(payload), 16)).decode()})
    headers: dict[str, str] = dict(
        zip(SIGNED, ("1718000002", "7", envelope.signature("1718000002", "7", KEY, body)), strict=True)
    )
    assert lark_accepts(Request(headers=Headers(headers), body=body), dispatcher(SECRET_APP))


def test_both_accept_a_legacy_card_plain_and_encrypted() -> None:
    for body in (dump(legacy_card()), encrypt(dump(legacy_card()))):
        request = signed(body, NOW, TOKEN, "sha1")
        for app in (LEGACY_APP, PLAIN_APP) if body.startswith(b'{"open_id"') else (LEGACY_APP,):
            assert lark_accepts(request, card_handler(app))
            assert parley_accepts(request, app)


def test_both_reject_a_legacy_card_with_the_other_signature() -> None:
    for request in (
        signed(dump(legacy_card()), NOW, KEY, "sha256"),
        signed(dump(legacy_card()), NOW, TOKEN, "sha256"),
        signed(dump(legacy_card()), NOW, KEY, "sha1"),
    ):
        assert not lark_accepts(request, card_handler(LEGACY_APP))
        assert not parley_accepts(request, LEGACY_APP)


@pytest.mark.parametrize("name", SIGNED)
def test_both_reject_each_changed_header(name: str) -> None:
    request, handler = signed(encrypt(dump(chat(NOW))), NOW), dispatcher(SECRET_APP)
    for what, value in [("missing", None), *changed_values(request.headers[name])]:
        forged = with_header(request, name, value)
        assert not lark_accepts(forged, handler), what
        assert not parley_accepts(forged, SECRET_APP), what


def test_both_reject_each_changed_body() -> None:
    request, handler = signed(encrypt(dump(chat(NOW))), NOW), dispatcher(SECRET_APP)
    for what, body in changed_bodies(request.body):
        assert not lark_accepts(with_body(request, body), handler), what
        assert not parley_accepts(with_body(request, body), SECRET_APP), what


@pytest.mark.parametrize("app", [PLAIN_APP, SECRET_APP], ids=["plain", "encrypted"])
def test_both_reject_a_body_that_is_no_callback(app: App) -> None:
    handler = dispatcher(app)
    for body in [*BAD_BODIES.values(), *noise(seed=3, count=100)]:
        if body.startswith((b"[" * 2000, b'{"a":' * 2000)):
            continue  # lark-oapi decodes with Python's json, which overflows its stack on these
        for request in (Request(body=body), signed(body, NOW)):
            assert not lark_accepts(request, handler)
            assert not parley_accepts(request, app)


@pytest.mark.parametrize("token", ["", "other", TOKEN.upper(), TOKEN[:-1], None, 1, [TOKEN], {"token": TOKEN}])
def test_both_reject_another_token(token: Any) -> None:
    for payload in (chat(NOW), v1_event(NOW), url_verification()):
        payload.get("header", payload)["token"] = token
        plain = Request(body=dump(payload))
        assert not lark_accepts(plain, dispatcher(PLAIN_APP))
        assert not parley_accepts(plain, PLAIN_APP)
        if token is not None or "challenge" in payload:
            request = signed(encrypt(dump(payload)), NOW)
            assert not lark_accepts(request, dispatcher(SECRET_APP))
            assert not parley_accepts(request, SECRET_APP)


# --- Parley is stricter -----------------------------------------------------------------------------------------------


def test_an_encrypted_event_without_a_token_is_rejected_by_parley_only() -> None:
    """lark-oapi checks the signature only. Feishu always sends the token."""
    payload = chat(NOW)
    del payload["header"]["token"]
    request = signed(encrypt(dump(payload)), NOW)
    assert lark_accepts(request, dispatcher(SECRET_APP))
    assert not parley_accepts(request, SECRET_APP)


def test_a_signed_but_plain_event_is_rejected_by_parley_only_if_there_is_a_key() -> None:
    """lark-oapi accepts it because it is signed. Feishu never sends it."""
    request = signed(dump(chat(NOW)), NOW)
    assert lark_accepts(request, dispatcher(SECRET_APP))
    assert not parley_accepts(request, SECRET_APP)


def test_a_legacy_card_is_rejected_by_parley_only_if_there_is_a_key() -> None:
    """lark-oapi accepts it, although only the token signs it. With `legacy_cards` Parley accepts it too."""
    request = signed(dump(legacy_card()), NOW, TOKEN, "sha1")
    assert lark_accepts(request, card_handler(SECRET_APP))
    assert not parley_accepts(request, SECRET_APP)


def test_an_event_of_another_app_is_rejected_by_parley_only() -> None:
    payload = chat(NOW)
    payload["header"]["app_id"] = "cli_other"
    request = signed(encrypt(dump(payload)), NOW)
    assert lark_accepts(request, dispatcher(SECRET_APP))
    assert not parley_accepts(request, SECRET_APP)


def test_a_replay_after_the_last_retry_is_rejected_by_parley_only() -> None:
    """lark-oapi does not check the time stamp."""
    request = signed(encrypt(dump(chat(NOW))), NOW - 86_400)
    assert lark_accepts(request, dispatcher(SECRET_APP))
    assert not parley_accepts(request, SECRET_APP)


def test_white_space_in_base64_is_rejected_by_parley_only() -> None:
    body = encrypt(dump(chat(NOW))).replace(b'": "', b'": " ')
    request = signed(body, NOW)
    assert lark_accepts(request, dispatcher(SECRET_APP))
    assert not parley_accepts(request, SECRET_APP)


# --- Parley accepts more ----------------------------------------------------------------------------------------------


def test_an_unknown_event_is_accepted_by_parley_only() -> None:
    request = signed(encrypt(dump(event("im.message.translated_v9", {"x": 1}, NOW))), NOW)
    assert not lark_accepts(request, dispatcher(SECRET_APP))
    assert parley_accepts(request, SECRET_APP)


def test_a_challenge_with_a_quote_in_it_is_returned_whole_by_parley_only() -> None:
    challenge = '"},{"x":"'
    request = Request(body=dump({**url_verification(), "challenge": challenge}))
    answer = receive("feishu", request, PLAIN_APP, NOW)
    assert isinstance(answer, Accepted)
    assert json.loads(answer.response.body) == {"challenge": challenge}
    raw = RawRequest()
    raw.uri, raw.body, raw.headers = "/", request.body, {}
    with pytest.raises(ValueError, match="Extra data"):
        json.loads(dispatcher(PLAIN_APP).do(raw).content or b"")


# --- replies ----------------------------------------------------------------------------------------------------------


def test_a_reaction_is_the_request_that_lark_oapi_makes() -> None:
    emoji = Emoji.builder().emoji_type("THUMBSUP").build()
    body = CreateMessageReactionRequestBody.builder().reaction_type(emoji).build()
    request = CreateMessageReactionRequest.builder().message_id("om_1").request_body(body).build()
    case = {"to": {"message_id": "om_1"}, "reply": {"op": "react", "emoji": "👍"}}
    (call,) = calls_of(case, ADAPTER)["calls"]
    path = str(request.uri).replace(":message_id", request.paths["message_id"])
    assert call["url"] == f"https://open.feishu.cn{path}"
    assert str(request.http_method) == f"HttpMethod.{call['method']}"
    assert call["json"] == json.loads(lark.JSON.marshal(request.body) or "")
