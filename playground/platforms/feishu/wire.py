"""Encryption and signatures of Feishu's callbacks and webhooks.

Made with the `cryptography` package; shares no code with Parley.
Facts: Feishu docs, Event subscription › Encrypt Key; Custom bot › Signature verification.
"""

import base64
import hashlib
import hmac
import json
from random import Random

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from playground.platforms.exchange import dumps
from playground.platforms.model import Wire

__all__ = ["callback", "decrypt", "dumps", "encrypt", "resigned", "signature", "webhook_sign"]

_BLOCK = 128
"""Bits of a PKCS#7 block."""


def encrypt(key: str, plain: bytes, iv: bytes) -> str:
    """Base64 of IV and AES-256-CBC ciphertext under SHA-256 of `key`."""
    padder = padding.PKCS7(_BLOCK).padder()
    encryptor = _cipher(key, iv).encryptor()
    return base64.b64encode(
        iv + encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    ).decode()


def decrypt(key: str, encrypted: str) -> bytes:
    """The plaintext of what `encrypt` returns. Raises ValueError."""
    data = base64.b64decode(encrypted, validate=True)
    decryptor = _cipher(key, data[:16]).decryptor()
    unpadder = padding.PKCS7(_BLOCK).unpadder()
    return unpadder.update(decryptor.update(data[16:]) + decryptor.finalize()) + unpadder.finalize()


def signature(timestamp: str, nonce: str, key: str, body: bytes) -> str:
    """`X-Lark-Signature`: SHA-256 over timestamp, nonce, Encrypt Key and the bytes that are sent."""
    return hashlib.sha256(f"{timestamp}{nonce}{key}".encode() + body).hexdigest()


def webhook_sign(timestamp: str, secret: str) -> str:
    """The `sign` of a custom bot's webhook: the string to sign is the key of the HMAC, and its message is empty."""
    digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def callback(key: str, plain: bytes, now: float, random: Random, *, signed: bool = True) -> Wire:
    """`plain` as Feishu posts it to a callback URL: encrypted and signed if the app has an Encrypt Key."""
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Feishu-Imitation"}
    if not key:
        return Wire(headers=headers, body=plain)
    body = json.dumps({"encrypt": encrypt(key, plain, random.randbytes(16))}).encode()
    return Wire(headers=headers | (_signed(key, body, now, random) if signed else {}), body=body)


def resigned(wire: Wire, key: str, body: bytes, now: float, random: Random) -> Wire:
    """`wire` with another body or time, and a new signature."""
    return Wire(headers=dict(wire.headers) | _signed(key, body, now, random), body=body)


def _signed(key: str, body: bytes, now: float, random: Random) -> dict[str, str]:
    timestamp, nonce = str(int(now)), str(random.randrange(10**9))
    return {
        "X-Lark-Request-Timestamp": timestamp,
        "X-Lark-Request-Nonce": nonce,
        "X-Lark-Signature": signature(timestamp, nonce, key, body),
    }


def _cipher(key: str, iv: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES256(hashlib.sha256(key.encode()).digest()), modes.CBC(iv))
