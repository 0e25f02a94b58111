"""The bytes of a client: tokens that joserfc issues, and the signatures of Standard Webhooks by its own library."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey
from standardwebhooks import Webhook

from playground.platforms.model import Wire

TOKEN_SECONDS = 300
AUTHORIZATION = "Authorization"


def token(secret: str, claims: Mapping[str, Any], now: float, *, seconds: int = TOKEN_SECONDS) -> str:
    """A token with these claims, valid for `seconds` from `now` on."""
    key = OctKey.import_key(secret)
    return jwt.encode({"alg": "HS256"}, {**claims, "exp": int(now) + seconds}, key, algorithms=["HS256"])


def posted(bearer: str, key: str, body: Mapping[str, Any]) -> Wire:
    """The request that posts a message. `key`: the idempotency key."""
    headers = {AUTHORIZATION: f"Bearer {bearer}", "Idempotency-Key": key, "Content-Type": "application/json"}
    return Wire(headers=headers, body=json.dumps(body, ensure_ascii=False).encode())


def is_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the signatures of a push is that of `secret`. Header names are in lower case."""
    try:
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        wanted = Webhook(secret).sign(headers["webhook-id"], at, body.decode())
    except (KeyError, ValueError):
        return False
    return wanted in headers.get("webhook-signature", "").split(" ")
