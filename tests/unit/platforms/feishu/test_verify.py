"""Authentication of callbacks. Attacks that every platform must refuse are in tests/conformance."""

import base64
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from parley.adapter import Accepted, AcceptsUnsigned, App, Headers, Rejected, Request
from parley.platforms import inbound
from parley.platforms.feishu import envelope
from parley.platforms.feishu.inbound import receive
from tests.conformance.feishu import (
    IV,
    KEY,
    LEGACY_APP,
    PLAIN_APP,
    SECRET_APP,
    TOKEN,
    card_action,
    chat,
    dump,
    encrypt,
    event,
    legacy_card,
    make_app,
    signed,
    url_verification,
    v1_event,
)
from tests.conformance.kit import with_header

NOW = 1_718_000_002.0
HOURS = 3600


def rejection(request: Request, app: App = SECRET_APP, now: float = NOW) -> tuple[int, str] | None:
    outcome = receive(request, app, now)
    return (outcome.status, outcome.reason) if isinstance(outcome, Rejected) else None


def plain(payload: Any) -> Request:
    return Request(body=dump(payload))


def test_a_url_verification_returns_the_challenge_plain_and_encrypted() -> None:
    for request, app in (
        (plain(url_verification()), PLAIN_APP),
        (plain(url_verification()), SECRET_APP),
        (Request(body=encrypt(dump(url_verification()))), SECRET_APP),
    ):
        outcome = receive(request, app, NOW)
        assert isinstance(outcome, Accepted)
        assert json.loads(outcome.response.body) == {"challenge": "3f1c6e3e-8a44-4f4e-9f0e-2b1c7d5a9e10"}
        assert not outcome.messages


def test_a_url_verification_needs_the_token_and_a_text_challenge() -> None:
    assert rejection(plain(url_verification("other")), PLAIN_APP) == (401, "forged")
    assert rejection(Request(body=encrypt(dump(url_verification("other"))))) == (401, "forged")
    assert rejection(plain({**url_verification(), "challenge": {}}), PLAIN_APP) == (400, "malformed")


def test_an_event_with_the_type_url_verification_is_still_an_event() -> None:
    payload = {**chat(NOW), "type": "url_verification", "challenge": "x", "token": TOKEN}
    assert rejection(Request(body=encrypt(dump(payload)))) == (401, "forged")
    outcome = receive(signed(encrypt(dump(payload)), NOW), SECRET_APP, NOW)
    assert isinstance(outcome, Accepted)
    assert outcome.messages


def test_a_plain_body_is_refused_if_there_is_an_encrypt_key() -> None:
    for payload in (chat(NOW), v1_event(NOW), event("card.action.trigger", {}, NOW)):
        assert rejection(plain(payload)) == (401, "forged")
        assert rejection(signed(dump(payload), NOW)) == (401, "forged")
        assert rejection(signed(dump(payload), NOW, TOKEN, "sha1")) == (401, "forged")


def test_an_encrypted_body_without_an_encrypt_key_is_refused_and_names_the_setting() -> None:
    outcome = receive(signed(encrypt(dump(chat(NOW))), NOW), PLAIN_APP, NOW)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, "encrypt_key" in outcome.detail) == ("forged", True)


UNSIGNED = {
    "an event": encrypt(dump(chat(NOW))),
    "a small event": encrypt(dump({"token": TOKEN, "event": {}})),
    "no json": encrypt(b"no json"),
    "no object": encrypt(b"[]"),
    "another token": encrypt(dump(url_verification("other"))),
    "without a token": encrypt(b'{"type":"url_verification"}'),
    "wrong padding": encrypt(dump(url_verification()))[:-20] + b'AAAAAAAAAAAAAAAA=="}',
    "a large event with wrong padding": encrypt(dump(chat(NOW)))[:-20] + b'AAAAAAAAAAAAAAAA=="}',
    "a number": b'{"encrypt":1}',
    "no base64": b'{"encrypt":"*"}',
    "no block": b'{"encrypt":"AAAA"}',
    "one block": b'{"encrypt":"AAAAAAAAAAAAAAAAAAAAAA=="}',
    "a legacy card": encrypt(dump(legacy_card())),
}


@pytest.mark.parametrize("name", UNSIGNED)
@pytest.mark.parametrize("app", [SECRET_APP, LEGACY_APP], ids=["default", "legacy cards"])
def test_an_unsigned_body_gets_the_same_answer_whether_it_decrypts_or_not(name: str, app: App) -> None:
    """Different answers would be an oracle: each forged body would reveal one bit of the plaintext."""
    outcome = receive(Request(body=UNSIGNED[name]), app, NOW)
    assert outcome == receive(Request(body=UNSIGNED["an event"]), app, NOW)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.reason) == (401, "forged")


class Counted:
    """The functions of `envelope` that decrypt, with the number of their calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: dict[str, int] = {"decrypt": 0, "decrypt_unchecked": 0}
        for name in self.calls:
            monkeypatch.setattr(envelope, name, self._counting(name, getattr(envelope, name)))

    def _counting(self, name: str, function: Callable[[str, str], bytes]) -> Callable[[str, str], bytes]:
        def counting(key: str, encrypted: str) -> bytes:
            self.calls[name] += 1
            return function(key, encrypted)

        return counting


def test_nothing_is_decrypted_before_the_signature_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    right = signed(encrypt(dump(chat(NOW))), NOW)
    wrong = with_header(right, "X-Lark-Signature", "0" * 64)
    token_alone = signed(right.body, NOW, TOKEN, "sha1")
    for request in (wrong, Request(body=right.body), token_alone, with_header(right, "X-Lark-Request-Nonce", None)):
        assert rejection(request) == (401, "forged")
    small = encrypt(dump(url_verification()))
    assert rejection(with_header(signed(small, NOW), "X-Lark-Signature", "0" * 64)) == (401, "forged")
    assert counted.calls == {"decrypt": 0, "decrypt_unchecked": 0}
    assert rejection(right) is None
    assert counted.calls == {"decrypt": 1, "decrypt_unchecked": 0}


def test_an_unsigned_body_is_decrypted_once_if_it_is_small_and_its_padding_is_never_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = Counted(monkeypatch)
    padded = base64.b64decode(json.loads(encrypt(dump(url_verification())))["encrypt"])
    for last in range(256):  # each value of the last byte of the last block but one: right padding, and wrong
        changed = padded[:-17] + bytes([last]) + padded[-16:]
        receive(Request(body=dump({"encrypt": base64.b64encode(changed).decode()})), SECRET_APP, NOW)
    assert counted.calls == {"decrypt": 0, "decrypt_unchecked": 256}


def test_the_time_of_an_unsigned_body_does_not_depend_on_its_padding() -> None:
    """Two blocks, as in a padding oracle attack: the last byte of the plaintext is 0x01, or it is not."""
    block = base64.b64decode(json.loads(encrypt(b"x"))["encrypt"])[16:]
    iv = bytearray(IV)
    iv[0] ^= 1  # the text is no JSON in either case
    times: dict[bool, list[int]] = {True: [], False: []}
    for _ in range(300):
        for right in (True, False):
            iv[15] = IV[15] ^ (0 if right else 0x40)
            request = Request(body=dump({"encrypt": base64.b64encode(bytes(iv) + block).decode()}))
            started = time.perf_counter_ns()
            receive(request, SECRET_APP, NOW)
            times[right].append(time.perf_counter_ns() - started)
    one, other = (statistics.median(sorted(found)[:150]) for found in times.values())
    assert 0.8 < one / other < 1.25


def test_an_unsigned_body_is_refused_undecrypted_if_it_is_larger_than_a_url_verification(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = Counted(monkeypatch)
    for size, decrypted in ((100, True), (190_000, False)):
        payload = {**url_verification(), "challenge": "x" * size}
        assert (rejection(Request(body=encrypt(dump(payload)))) is None) is decrypted
    assert counted.calls == {"decrypt": 0, "decrypt_unchecked": 1}


@pytest.mark.parametrize("payload", [b"no json", b"[]", b"null", b'"x"', b"\xff", b""])
def test_a_signed_body_that_is_no_json_object_is_malformed(payload: bytes) -> None:
    assert rejection(signed(encrypt(payload), NOW)) == (400, "malformed")


def test_a_signed_body_with_the_wrong_token_is_forged() -> None:
    payload = chat(NOW)
    payload["header"]["token"] = "other"
    assert rejection(signed(encrypt(dump(payload)), NOW)) == (401, "forged")
    assert rejection(signed(encrypt(dump({**v1_event(NOW), "token": "other"})), NOW)) == (401, "forged")


def test_a_token_at_the_position_of_the_other_envelope_version_is_ignored() -> None:
    payload = {**chat(NOW), "token": TOKEN}
    del payload["header"]["token"]
    assert rejection(plain(payload), PLAIN_APP) == (401, "forged")
    old = {**v1_event(NOW), "header": {"token": TOKEN}}
    del old["token"]
    assert rejection(plain(old), PLAIN_APP) == (401, "forged")


@pytest.mark.parametrize(
    ("stamp", "wanted"),
    [
        (str(int(NOW * 1000)), None),
        (str(int(NOW * 1_000_000)), None),
        (f"{NOW:.3f}", None),
        (str(int(NOW - 8 * HOURS - 1)), (401, "stale")),
        (str(int(NOW + 301)), (401, "stale")),
        ("", (401, "stale")),
        ("0", (401, "stale")),
        ("-1718000002", (401, "stale")),
        ("1_718_000_002", (401, "stale")),
        ("nan", (401, "stale")),
        ("inf", (401, "stale")),
        ("1e9", (401, "stale")),
        ("9" * 300, (401, "stale")),
        ("١٧١٨٠٠٠٠٠٢", (401, "stale")),
    ],
)
def test_a_signed_time_stamp_may_have_any_unit_and_must_be_recent(stamp: str, wanted: tuple[int, str] | None) -> None:
    from parley.platforms.feishu.envelope import signature

    body = encrypt(dump(chat(NOW)))
    request = signed(body, NOW)
    request = with_header(request, "X-Lark-Request-Timestamp", stamp)
    request = with_header(request, "X-Lark-Signature", signature(stamp, "4096123", KEY, body))
    assert rejection(request) == wanted


def test_the_age_of_a_plain_event_is_that_of_its_create_time() -> None:
    assert rejection(plain(chat(NOW)), PLAIN_APP, NOW + 8 * HOURS - 1) is None
    assert rejection(plain(chat(NOW)), PLAIN_APP, NOW + 8 * HOURS + 1) == (401, "stale")
    assert rejection(plain(v1_event(NOW)), PLAIN_APP, NOW + 8 * HOURS + 1) == (401, "stale")
    undated = chat(NOW)
    del undated["header"]["create_time"]
    assert rejection(plain(undated), PLAIN_APP, NOW + 9 * HOURS) is None


def test_a_legacy_card_needs_its_signature_with_and_without_an_encrypt_key() -> None:
    body = dump(legacy_card())
    for app in (PLAIN_APP, LEGACY_APP):
        assert rejection(signed(body, NOW, TOKEN, "sha1"), app) is None
        assert rejection(Request(body=body), app) == (401, "forged")
        assert rejection(signed(body, NOW), app) == (401, "forged")
        assert rejection(signed(body, NOW, TOKEN, "sha1"), app, NOW + 9 * HOURS) == (401, "stale")


def test_with_an_encrypt_key_a_legacy_card_is_refused_unless_the_configuration_allows_it() -> None:
    """Its signature proves knowledge of the verification token alone, which every event carries."""
    for body in (dump(legacy_card()), encrypt(dump(legacy_card()))):
        request = signed(body, NOW, TOKEN, "sha1")
        assert rejection(request, SECRET_APP) == (401, "forged")
        assert rejection(request, LEGACY_APP) is None
    outcome = receive(signed(dump(legacy_card()), NOW, TOKEN, "sha1"), SECRET_APP, NOW)
    assert isinstance(outcome, Rejected)
    assert "legacy_cards" in outcome.detail


def test_an_event_signed_with_the_verification_token_alone_is_refused() -> None:
    assert rejection(signed(encrypt(dump(chat(NOW))), NOW, TOKEN, "sha1"), LEGACY_APP) == (401, "forged")


def test_an_event_of_another_app_is_refused() -> None:
    other = make_app(key=KEY, app_id="cli_other")
    for payload in (chat(NOW), card_action(NOW), v1_event(NOW)):
        assert rejection(signed(encrypt(dump(payload)), NOW), other) == (401, "forged")
        assert rejection(plain(payload), make_app(app_id="cli_other")) == (401, "forged")
    unnamed = chat(NOW)
    del unnamed["header"]["app_id"]
    assert rejection(signed(encrypt(dump(unnamed)), NOW)) is None
    reaction = event("im.message.reaction.created_v1", {"operator_type": "app", "app_id": "cli_other"}, NOW)
    assert rejection(signed(encrypt(dump(reaction)), NOW)) is None  # the app that reacted, not the receiver


def test_header_names_are_case_insensitive() -> None:
    request = signed(encrypt(dump(chat(NOW))), NOW)
    upper = Request(
        headers=Headers({name.upper(): value for name, value in request.headers.items()}), body=request.body
    )
    assert rejection(upper) is None


def test_an_encrypt_key_may_have_any_length() -> None:
    for key in ("k", "k" * 500, "密钥 🔑"):
        assert rejection(signed(encrypt(dump(chat(NOW)), key), NOW, key), make_app(key=key)) is None


def test_an_encrypted_body_may_have_a_single_block() -> None:
    request = signed(encrypt(b"{}"), NOW)
    assert len(IV) == 16
    assert rejection(request) == (401, "forged")  # decrypted, but the token is missing


def test_no_detail_holds_a_secret() -> None:
    payload = dump(chat(NOW))
    requests = [
        Request(body=payload),
        Request(body=encrypt(payload)),
        signed(encrypt(payload), NOW - 9 * HOURS),
        signed(encrypt(b"x"), NOW),
        plain(legacy_card()),
        plain(url_verification("other")),
    ]
    for request in requests:
        for app in (PLAIN_APP, SECRET_APP, LEGACY_APP):
            outcome = receive(request, app, NOW)
            if isinstance(outcome, Rejected):
                assert not [secret for secret in (TOKEN, KEY, "appsecret", "deploy") if secret in outcome.detail]


def test_a_request_without_a_signature_counts_as_unsigned() -> None:
    """Such requests are limited (`engine.callback`): they are decrypted before their sender is known."""
    feishu = inbound("feishu")
    assert isinstance(feishu, AcceptsUnsigned)
    signed, unsigned = Request(headers=Headers({"x-lark-signature": "s"})), Request()
    with_key, without = make_app(key=KEY), make_app()
    assert [feishu.is_unsigned(request, with_key) for request in (signed, unsigned)] == [False, True]
    assert not feishu.is_unsigned(unsigned, without)
