"""Signatures of Discord's callbacks, and its ids.

Made with PyNaCl; shares no code with Parley.
Facts: Discord docs, Interactions › Overview › Security and Authorization; Reference › Snowflakes.
"""

from dataclasses import replace

from nacl.signing import SigningKey

from playground.platforms.digests import flip_first_digit, stable_hex
from playground.platforms.exchange import dumps
from playground.platforms.model import Wire

__all__ = ["dumps", "signed", "snowflake", "stable_id", "wrongly_signed"]

EPOCH_MS = 1_420_070_400_000


def signed(key: SigningKey, body: bytes, now: float) -> Wire:
    """`body` as Discord posts it to an application's URL."""
    stamp = str(int(now))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)",
        "X-Signature-Ed25519": key.sign(stamp.encode() + body).signature.hex(),
        "X-Signature-Timestamp": stamp,
    }
    return Wire(headers=headers, body=body)


def wrongly_signed(wire: Wire) -> Wire:
    """`wire` with one digit of the signature changed. With it, Discord checks that a receiver verifies signatures."""
    wrong = flip_first_digit(wire.headers["X-Signature-Ed25519"])
    return replace(wire, headers={**wire.headers, "X-Signature-Ed25519": wrong})


def snowflake(now: float, number: int) -> str:
    """The id of the `number`th object, created at `now`."""
    return str((int(now * 1000) - EPOCH_MS << 22) | (number & 0x3FFFFF))


def stable_id(*parts: str) -> str:
    """An id that is the same for the same parts, in every run."""
    return str(10**18 + int(stable_hex(*parts, digits=14), 16) % 10**17)
