"""Which callbacks are believed.

| body | what must hold |
|---|---|
| URL verification, plain or encrypted | the token; it comes unsigned |
| event or callback, no encrypt key | the token |
| event or callback, encrypt key | SHA-256 signature, its age, decryption, the token |
| legacy card callback | SHA-1 signature made with the verification token, its age |
"""

from typing import Any

from parley.adapter import Rejected, Request
from parley.crypto import constant_time_equals
from parley.platforms.feishu import envelope
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.values import Object, unix_seconds
from parley.untrusted import decode_json, mapping, scalar

MAX_AGE = 8 * 3600
"""Seconds. Feishu repeats an event 15 s, 5 min, 1 h and 6 h after failures, and nothing says that it signs anew."""
MAX_AHEAD = 300
"""Seconds that a clock may be wrong."""


def believed(request: Request, body: Object, config: Config, now: float) -> Object | Rejected:
    """The decrypted payload of a callback that can be trusted, or why not."""
    if "encrypt" in body:
        return _encrypted(request, body["encrypt"], config, now)
    if is_url_verification(body):
        return _with_token(body, body.get("token"), config)
    if is_legacy_card(body):
        return _legacy_card(request, body, config, now)
    if config.encrypt_key:
        return Rejected(401, "forged", "body is not encrypted, but the app has an encrypt_key")
    outcome = _with_token(body, _token(body), config)
    if isinstance(outcome, Rejected):
        return outcome
    # Unsigned: the only time is the one inside. Without it there is nothing to judge by.
    return _fresh(body, created(body) or now, now)


def is_url_verification(payload: Object) -> bool:
    """The request with which the developer console tries out an address."""
    return payload.get("type") == "url_verification" and "schema" not in payload


def is_legacy_card(payload: Object) -> bool:
    """The flat callback `card.action.trigger_v1`."""
    return "action" in payload and not payload.keys() & {"schema", "header", "uuid", "event"}


def created(payload: Object) -> float:
    """Unix seconds at which the platform made the event; 0 where it does not say."""
    return unix_seconds(mapping(payload.get("header")).get("create_time")) or unix_seconds(payload.get("ts"))


def _token(payload: Object) -> Any:
    """v2 keeps the verification token in its header, v1 at the top. `schema` tells them apart."""
    return mapping(payload.get("header")).get("token") if "schema" in payload else payload.get("token")


def _encrypted(request: Request, encrypted: Any, config: Config, now: float) -> Object | Rejected:
    if not config.encrypt_key:
        return Rejected(401, "forged", "body is encrypted, but the app has no encrypt_key")
    # The signature is judged before anything about the plaintext shows in the answer: an answer that tells an unsigned
    # body that decrypts from one that does not would be an oracle for the key.
    headers = request.headers
    stamp, nonce = headers.get("X-Lark-Request-Timestamp"), headers.get("X-Lark-Request-Nonce")
    sent = headers.get("X-Lark-Signature")
    signed = (
        stamp is not None
        and nonce is not None
        and sent is not None
        and constant_time_equals(sent, envelope.signature(stamp, nonce, config.encrypt_key, request.body))
    )
    payload = _open(encrypted, config)
    if payload is not None and is_url_verification(payload):
        return _with_token(payload, payload.get("token"), config)
    if payload is not None and is_legacy_card(payload):
        # The docs show these plain only; lark-oapi takes them encrypted as well, under the same signature.
        return _legacy_card(request, payload, config, now)
    if not signed:
        return Rejected(401, "forged", "X-Lark-Signature is missing or does not hold; see encrypt_key")
    if payload is None:
        return Rejected(400, "malformed", "the encrypted body cannot be read")
    fresh = _fresh(payload, unix_seconds(stamp), now)
    return fresh if isinstance(fresh, Rejected) else _with_token(payload, _token(payload), config)


def _open(encrypted: Any, config: Config) -> Object | None:
    if not isinstance(encrypted, str):
        return None
    try:
        payload = decode_json(envelope.decrypt(config.encrypt_key, encrypted))
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None  # pyright: ignore[reportUnknownVariableType]


def _legacy_card(request: Request, body: Object, config: Config, now: float) -> Object | Rejected:
    headers = request.headers
    stamp, nonce = headers.get("X-Lark-Request-Timestamp", ""), headers.get("X-Lark-Request-Nonce", "")
    expected = envelope.card_signature(stamp, nonce, config.verification_token, request.body)
    if not constant_time_equals(headers.get("X-Lark-Signature", ""), expected):
        return Rejected(401, "forged", "X-Lark-Signature of a card is missing or wrong; see verification_token")
    return _fresh(body, unix_seconds(stamp), now)


def _with_token(payload: Object, token: Any, config: Config) -> Object | Rejected:
    if not constant_time_equals(scalar(token), config.verification_token):
        return Rejected(401, "forged", "the token inside is not the verification_token")
    return payload


def _fresh(payload: Object, stamp: float, now: float) -> Object | Rejected:
    if not now - MAX_AGE <= stamp <= now + MAX_AHEAD:
        return Rejected(401, "stale", "the timestamp is older than 8 hours or ahead of the clock")
    return payload
