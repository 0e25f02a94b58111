"""Authentication of callbacks.

| body | checks |
|---|---|
| event or callback with an encrypt key | SHA-256 signature, its age, decryption, the verification token |
| event or callback without an encrypt key | the verification token, the age of the event |
| legacy card callback | SHA-1 signature made with the verification token, its age |
| URL verification, plain or encrypted | the verification token. It is not signed. |

All but legacy cards also name the app, which is compared. With an encrypt key, nothing is decrypted before its
signature is checked. The one exception is a URL verification: an unsigned body that is small enough is decrypted
without a check of its padding, and every failure has the same outcome after the same work. It reveals nothing about
the plaintext.
"""

from typing import Any

from parley.adapter import Rejected, Request
from parley.crypto import constant_time_equals
from parley.platforms.feishu import envelope
from parley.platforms.feishu.config import Config
from parley.platforms.feishu.values import Object, unix_seconds
from parley.untrusted import decode_json, mapping, scalar

MAX_AGE = 8 * 3600
"""Seconds. Feishu repeats an event 15 s, 5 min, 1 h and 6 h after failures. The docs do not say that it signs the
repetition anew."""
MAX_AHEAD = 300
"""Seconds that Feishu's clock may be ahead of ours."""


_MAX_UNSIGNED = 512
"""Characters of an unsigned `encrypt` field. That of a URL verification has about 220."""
_UNSIGNED = Rejected(401, "forged", "X-Lark-Signature is missing or wrong; see encrypt_key and verification_token")
"""The one outcome of every encrypted body without a valid signature. Several outcomes would be a decryption oracle."""


def authenticated(request: Request, body: Object, config: Config, now: float) -> Object | Rejected:
    """The decrypted payload of an authentic callback, or the reason for its rejection."""
    if "encrypt" in body:
        payload = _encrypted(request, body["encrypt"], config, now)
    elif is_url_verification(body):
        return _with_token(body, body.get("token"), config)
    elif is_legacy_card(body):
        return _legacy_card(request, body, config, now)
    else:
        payload = _plain(body, config, now)
    return payload if isinstance(payload, Rejected) else _of_this_app(payload, config)


def _plain(body: Object, config: Config, now: float) -> Object | Rejected:
    if config.encrypt_key:
        return Rejected(401, "forged", "body is not encrypted, but the app has an encrypt_key")
    payload = _with_token(body, _token(body), config)
    if isinstance(payload, Rejected):
        return payload
    # The body is not signed: its own time stamp is the only one. An event without one is accepted at any age.
    return _fresh(body, created(body) or now, now)


def is_url_verification(payload: Object) -> bool:
    """Whether it is the request with which the developer console checks an address."""
    return payload.get("type") == "url_verification" and "schema" not in payload


def is_legacy_card(payload: Object) -> bool:
    """Whether it is the flat callback `card.action.trigger_v1`."""
    return "action" in payload and not payload.keys() & {"schema", "header", "uuid", "event"}


def created(payload: Object) -> float:
    """The unix seconds at which the platform created the event; 0 if the event has no time stamp."""
    return unix_seconds(mapping(payload.get("header")).get("create_time")) or unix_seconds(payload.get("ts"))


def _token(payload: Object) -> Any:
    """The verification token of an event: in the header of a v2 envelope (with `schema`), at the top of a v1 one."""
    return mapping(payload.get("header")).get("token") if "schema" in payload else payload.get("token")


def _encrypted(request: Request, encrypted: Any, config: Config, now: float) -> Object | Rejected:
    if not config.encrypt_key:
        return Rejected(401, "forged", "body is encrypted, but the app has no encrypt_key")
    if _is_signed(request, config.encrypt_key):
        return _signed(request, encrypted, config, now)
    if config.legacy_cards and _is_signed_card(request, config):
        # The docs show legacy cards unencrypted only. lark-oapi also accepts encrypted ones with the same signature.
        return _encrypted_card(request, encrypted, config, now)
    if "X-Lark-Signature" in request.headers:
        return _UNSIGNED
    return _unsigned(encrypted, config)


def _signed(request: Request, encrypted: Any, config: Config, now: float) -> Object | Rejected:
    payload = _decrypted(encrypted, config)
    if payload is None:
        return Rejected(400, "malformed", "the encrypted body cannot be read")
    if is_url_verification(payload):
        return _with_token(payload, payload.get("token"), config)
    fresh = _fresh(payload, unix_seconds(request.headers.get("X-Lark-Request-Timestamp", "")), now)
    return fresh if isinstance(fresh, Rejected) else _with_token(payload, _token(payload), config)


def _encrypted_card(request: Request, encrypted: Any, config: Config, now: float) -> Object | Rejected:
    payload = _decrypted(encrypted, config)
    if payload is None or not is_legacy_card(payload):
        return _UNSIGNED
    return _legacy_card(request, payload, config, now)


def _unsigned(encrypted: Any, config: Config) -> Object | Rejected:
    """The payload of a URL verification, which Feishu does not sign."""
    if not isinstance(encrypted, str) or len(encrypted) > _MAX_UNSIGNED:
        return _UNSIGNED
    try:
        plain = envelope.decrypt_unchecked(config.encrypt_key, encrypted)
    except ValueError:
        return _UNSIGNED
    payload = _json_object(plain)
    right = constant_time_equals(scalar((payload or {}).get("token")), config.verification_token)
    return payload if payload is not None and right and is_url_verification(payload) else _UNSIGNED


def _is_signed(request: Request, encrypt_key: str) -> bool:
    """Whether all three headers are present and the signature is right."""
    headers = request.headers
    stamp, nonce = headers.get("X-Lark-Request-Timestamp"), headers.get("X-Lark-Request-Nonce")
    signature = headers.get("X-Lark-Signature")
    if stamp is None or nonce is None or signature is None:
        return False
    return constant_time_equals(signature, envelope.signature(stamp, nonce, encrypt_key, request.body))


def _decrypted(encrypted: Any, config: Config) -> Object | None:
    """The JSON object in `encrypted`, whose signature is right; None if it cannot be decrypted or is no object."""
    if not isinstance(encrypted, str):
        return None
    try:
        return _json_object(envelope.decrypt(config.encrypt_key, encrypted))
    except ValueError:
        return None


def _json_object(data: bytes) -> Object | None:
    try:
        value = decode_json(data)
    except ValueError:
        return None
    return mapping(value) if isinstance(value, dict) else None


def _legacy_card(request: Request, body: Object, config: Config, now: float) -> Object | Rejected:
    if config.encrypt_key and not config.legacy_cards:
        return Rejected(401, "forged", "an unencrypted card callback, but the app has an encrypt_key; see legacy_cards")
    if not _is_signed_card(request, config):
        return Rejected(401, "forged", "X-Lark-Signature of a card is missing or wrong; see verification_token")
    return _fresh(body, unix_seconds(request.headers.get("X-Lark-Request-Timestamp", "")), now)


def _is_signed_card(request: Request, config: Config) -> bool:
    headers = request.headers
    stamp, nonce = headers.get("X-Lark-Request-Timestamp", ""), headers.get("X-Lark-Request-Nonce", "")
    expected = envelope.card_signature(stamp, nonce, config.verification_token, request.body)
    return constant_time_equals(headers.get("X-Lark-Signature", ""), expected)


def _of_this_app(payload: Object, config: Config) -> Object | Rejected:
    """`payload` unless it names another app: in the header of a v2 envelope, in the event of a v1 one."""
    app_id = scalar(mapping(payload.get("header" if "schema" in payload else "event")).get("app_id"))
    if app_id and app_id != config.app_id:
        return Rejected(401, "forged", "the event is for another app than app_id")
    return payload


def _with_token(payload: Object, token: Any, config: Config) -> Object | Rejected:
    if not constant_time_equals(scalar(token), config.verification_token):
        return Rejected(401, "forged", "the token in the body is not the verification_token")
    return payload


def _fresh(payload: Object, stamp: float, now: float) -> Object | Rejected:
    if not now - MAX_AGE <= stamp <= now + MAX_AHEAD:
        return Rejected(401, "stale", "the timestamp is older than 8 hours or ahead of the clock")
    return payload
