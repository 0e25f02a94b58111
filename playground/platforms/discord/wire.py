"""Discord's signatures, by PyNaCl: nothing here is shared with Parley's own code.

Facts: Discord docs, Interactions › Overview › Security and Authorization; Reference › Snowflakes.
"""

import json
from typing import Any

from nacl.signing import SigningKey

from playground.platforms.base import stable_hex
from playground.platforms.model import Wire

EPOCH_MS = 1_420_070_400_000


def signed(key: SigningKey, body: bytes, now: float) -> Wire:
    """`body` as Discord posts it to an application's address."""
    stamp = str(int(now))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)",
        "X-Signature-Ed25519": key.sign(stamp.encode() + body).signature.hex(),
        "X-Signature-Timestamp": stamp,
    }
    return Wire(headers=headers, body=body)


def wrongly_signed(wire: Wire) -> Wire:
    """`wire` with one digit of the signature changed: how Discord probes whether anybody looks."""
    right = wire.headers["X-Signature-Ed25519"]
    wrong = ("1" if right[0] == "0" else "0") + right[1:]
    return Wire(headers={**wire.headers, "X-Signature-Ed25519": wrong}, body=wire.body)


def snowflake(now: float, number: int) -> str:
    """The id of what is made at `now` as the `number`th thing."""
    return str((int(now * 1000) - EPOCH_MS << 22) | (number & 0x3FFFFF))


def stable_id(*parts: str) -> str:
    """An id that is the same for the same parts, in every run."""
    return str(10**18 + int(stable_hex(*parts, digits=14), 16) % 10**17)


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
