"""Pushes to the client's own address, as Standard Webhooks specifies them (standardwebhooks.com): the headers
`webhook-id`, `webhook-timestamp` and `webhook-signature`.
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from parley.model import Outgoing
from parley.platforms.http.replies import shown


def event(out: Outgoing) -> dict[str, Any]:
    """The body of the push of a reply."""
    return {
        "type": "reply",
        "timestamp": datetime.fromtimestamp(int(out.created), UTC).isoformat().replace("+00:00", "Z"),
        "data": shown(out),
    }


def headers(id_: str, timestamp: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers of a push of `body` at `timestamp`: one signature for each key."""
    signed = f"{id_}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
