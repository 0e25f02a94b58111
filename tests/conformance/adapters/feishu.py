"""Feishu in the conformance suite: checks of its vectors, samples and receipts for golden files."""

import json
from collections.abc import Iterator
from typing import Any

from parley.adapter import Accepted, Answer, App, Call, Headers, Rejected, Request
from parley.platforms.feishu import envelope, push
from parley.platforms.feishu.config import Webhook
from tests.conformance.attacks import wrong_types
from tests.conformance.feishu import (
    CONTENTS,
    KEY,
    LEGACY_APP,
    OTHER,
    PLAIN_APP,
    SECRET_APP,
    SIGNED,
    TOKEN,
    card_action,
    chat,
    dump,
    encrypt,
    legacy_card,
    make_app,
    signed,
    url_verification,
    v1_event,
)
from tests.conformance.kit import (
    Adapter,
    Failed,
    Sample,
    Vector,
    expect,
    expect_accepted,
    expect_action,
    expect_equal,
    expect_rejected,
    receive,
)


def samples(now: float) -> tuple[Sample, ...]:
    """One valid request of each type."""
    encrypted = {
        "message": chat(now),
        "card action": card_action(now),
        "v1 event": v1_event(now),
    }
    return (
        *(
            Sample(name, signed(encrypt(dump(payload)), now), SECRET_APP, headers=SIGNED)
            for name, payload in encrypted.items()
        ),
        Sample("legacy card", signed(dump(legacy_card()), now, TOKEN, "sha1"), LEGACY_APP, headers=SIGNED),
        # Without an encrypt key only the token in the body authenticates the request, so its other bytes may change.
        Sample("plain message", Request(body=dump(chat(now))), PLAIN_APP, body=False),
        Sample("plain v1 event", Request(body=dump(v1_event(now))), PLAIN_APP, body=False),
        Sample(
            "url verification, plain", Request(body=dump(url_verification())), PLAIN_APP, 0, body=False, dated=False
        ),
        Sample(
            "url verification, encrypted",
            Request(body=encrypt(dump(url_verification()))),
            SECRET_APP,
            0,
            body=False,
            dated=False,
        ),
    )


def wrap(payload: bytes, now: float) -> tuple[Request, App]:
    """`payload` encrypted and signed, and the app that accepts it."""
    return signed(encrypt(payload), now), SECRET_APP


def payloads() -> Iterator[bytes]:
    """Each type of event and of content, with each field replaced by values of other types."""
    now = 1_718_000_002.0
    for payload in (chat(now), card_action(now), v1_event(now), legacy_card(), url_verification()):
        yield from wrong_types(dump(payload))
    for kind, content in CONTENTS.items():
        for changed in wrong_types(dump(content)):
            yield dump(chat(now, kind, json.loads(changed)))


# --- vectors ----------------------------------------------------------------------------------------------------------


def _decrypt(vector: Vector) -> None:
    plain = envelope.decrypt(vector.inputs["encrypt_key"], vector.inputs["encrypt"])
    expect_equal(plain.decode(), vector.expected["plaintext"], "plaintext")


def _signed_request(vector: Vector) -> tuple[Request, App, float]:
    """The request of a vector with the headers that it names, its app, and a time one second after the time stamp."""
    inputs = vector.inputs
    signature = vector.expected.get("signature") or inputs.get("signature")
    values = (inputs.get("timestamp"), inputs.get("nonce"), signature)
    headers = {name: str(value) for name, value in zip(SIGNED, values, strict=True) if value is not None}
    token = inputs.get("verification_token") or _token_inside(vector) or TOKEN
    named = {"app_id": app_id} if (app_id := _app_id_inside(vector)) else {}
    app = make_app(token, inputs.get("encrypt_key", ""), **named)
    return Request(headers=Headers(headers), body=inputs["body"].encode()), app, _moment(inputs.get("timestamp")) + 1


def _token_inside(vector: Vector) -> str:
    """The token in the plaintext, for vectors that do not name the configured one."""
    sent = json.loads(vector.expected.get("plaintext", "{}"))
    return sent.get("header", sent).get("token", "")


def _app_id_inside(vector: Vector) -> str:
    """The app that the plaintext names. No vector names the configured one."""
    sent = json.loads(vector.expected.get("plaintext", "{}"))
    return sent.get("header", sent.get("event", {})).get("app_id", "")


def _moment(stamp: Any) -> float:
    try:
        moment = float(stamp)
    except (TypeError, ValueError):
        return 1_718_000_000
    while moment > 1e11:
        moment /= 1000
    return moment


def _signed_event(vector: Vector) -> None:
    request, app, now = _signed_request(vector)
    inputs, expected = vector.inputs, vector.expected
    found = envelope.signature(inputs["timestamp"], inputs["nonce"], inputs["encrypt_key"], request.body)
    expect_equal(found, expected["signature"], "signature")
    plain = envelope.decrypt(inputs["encrypt_key"], json.loads(inputs["body"])["encrypt"]).decode()
    expect_equal(plain, expected["plaintext"], "plaintext")
    accepted = expect_accepted(receive("feishu", request, app, now))
    expect(len(accepted.messages) + len(accepted.credentials) == 1, "expected one message or one ticket")
    for message in accepted.messages:
        _nothing_lost(json.loads(plain), message.raw)
        expect_action(vector, message)


def _nothing_lost(sent: dict[str, Any], raw: dict[str, Any]) -> None:
    """Check that `raw` is the payload without the credentials."""
    inner = sent.get("event", {})
    for part in (sent, sent.get("header", {}), inner, inner.get("context", {})):
        for name in ("token", "preview_token"):
            part.pop(name, None)
    expect_equal(raw, sent, "raw")


def _signed_event_refused(vector: Vector) -> None:
    request, app, now = _signed_request(vector)
    expect_rejected(receive("feishu", request, app, now))


def _challenge(vector: Vector) -> None:
    """The answer to a URL verification, and that another token gets none.

    A vector may leave the configured token out: then the app has the one that the request carries. Where the request
    carries none either, an app with a token has to refuse it, and has to answer it as soon as it carries the token.
    """
    inputs = vector.inputs
    key, body = inputs.get("encrypt_key", ""), inputs["body"].encode()
    plain = envelope.decrypt(key, json.loads(body)["encrypt"]) if key else body
    if key and "plaintext" in vector.expected:
        expect_equal(plain.decode(), vector.expected["plaintext"], "plaintext")
    sent = json.loads(plain)
    token = inputs.get("verification_token") or sent.get("token") or TOKEN
    if "token" not in sent:
        expect_rejected(_verified(body, token, key))
        changed = dump({**sent, "token": token})
        body = encrypt(changed, key) if key else changed
    answer = expect_accepted(_verified(body, token, key)).response
    expect_equal(answer.status, 200, "status")
    expect_equal(json.loads(answer.body), vector.expected["response_json"], "answer")
    expect_rejected(_verified(body, f"not {token}", key))


def _challenge_refused(vector: Vector) -> None:
    inputs = vector.inputs
    token = inputs.get("verification_token") or TOKEN
    expect_rejected(_verified(inputs["body"].encode(), token, inputs.get("encrypt_key", "")))


def _verified(body: bytes, token: str, key: str) -> Accepted | Rejected:
    return receive("feishu", Request(body=body), make_app(token, key), 1_718_000_000)


def _legacy_card(vector: Vector) -> None:
    request, app, now = _signed_request(vector)
    inputs = vector.inputs
    args = (inputs["timestamp"], inputs["nonce"], inputs["verification_token"], request.body)
    expect_equal(envelope.card_signature(*args), vector.expected["signature"], "signature")
    (message,) = expect_accepted(receive("feishu", request, app, now)).messages
    expect(message.action, "expected an action")


def _custom_bot_sign(vector: Vector) -> None:
    expect_equal(push.sign(str(vector.inputs["timestamp"]), vector.inputs["secret"]), vector.expected["sign"], "sign")


def _decrypt_refused(vector: Vector) -> None:
    try:
        envelope.decrypt(vector.inputs["encrypt_key"], vector.inputs["encrypt"])
    except ValueError:
        return
    raise Failed("decrypted, but expected ValueError")


CHECKS = {
    "decrypt": _decrypt,
    "decrypt_negative": _decrypt_refused,
    "signed_encrypted_event": _signed_event,
    "signed_encrypted_event_negative": _signed_event_refused,
    "url_verification_plain": _challenge,
    "url_verification_plain_negative": _challenge_refused,
    "url_verification_encrypted": _challenge,
    "url_verification_encrypted_negative": _challenge_refused,
    "legacy_card_signature": _legacy_card,
    "legacy_card_signature_negative": _signed_event_refused,
    "custom_bot_sign": _custom_bot_sign,
}


# --- golden files -----------------------------------------------------------------------------------------------------


def receipt(call: Call, number: int) -> Answer:
    """A successful answer, with an id that depends on the number of the call."""
    match call.name:
        case "upload_image":
            data = {"image_key": f"img_{number}"}
        case "upload_file":
            data = {"file_key": f"file_{number}"}
        case _:
            data = {"message_id": f"om_{number}"}
    return Answer(200, dump({"code": 0, "msg": "success", "data": data}))


ADAPTER = Adapter(
    platform="feishu",
    checks=CHECKS,
    samples=samples,
    stranger=make_app(OTHER, OTHER),
    wrap=wrap,
    payloads=payloads,
    app=make_app(
        key=KEY, webhooks={"alerts": Webhook(url="https://open.feishu.cn/open-apis/bot/v2/hook/1f2e", secret="demo")}
    ),
    receipt=receipt,
    max_age=8 * 3600,
    max_ahead=300,
    never_in_raw=(TOKEN, KEY, "appsecret", "c-0f1e2d3c", "pt-1"),
)
