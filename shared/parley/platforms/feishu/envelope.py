"""Encryption and signatures of callbacks (Feishu docs: Event subscription > Configure Encrypt Key)."""

import hashlib
from functools import lru_cache

from parley.crypto import cbc_decrypt, cbc_decrypt_blocks, decode_base64

_BLOCK = 16
_PADDING = bytes(range(1, _BLOCK + 1))


def decrypt(encrypt_key: str, encrypted: str) -> bytes:
    """The plaintext of the `encrypt` field: Base64 of a random 16-byte IV and AES-256-CBC data, PKCS#7 to 16 bytes.

    Raises ValueError.
    """
    data = decode_base64(encrypted)
    return cbc_decrypt(_key(encrypt_key), data[:_BLOCK], data[_BLOCK:], _BLOCK)


def decrypt_unchecked(encrypt_key: str, encrypted: str) -> bytes:
    """The same for an unsigned body, but the padding is stripped and not checked. A body with wrong padding is then no
    different from a body with wrong text: there is no padding oracle.

    The text has to be JSON: bytes that look like padding are white space at its end, or make it invalid. Raises
    ValueError for what is not Base64 of whole blocks, which does not depend on the key.
    """
    data = decode_base64(encrypted)
    return cbc_decrypt_blocks(_key(encrypt_key), data[:_BLOCK], data[_BLOCK:]).rstrip(_PADDING)


def signature(timestamp: str, nonce: str, encrypt_key: str, body: bytes) -> str:
    """`X-Lark-Signature` of an event or callback: SHA-256 over the body as it was received, 64 hex digits."""
    return hashlib.sha256(_utf8(timestamp + nonce + encrypt_key) + body).hexdigest()


def card_signature(timestamp: str, nonce: str, verification_token: str, body: bytes) -> str:
    """`X-Lark-Signature` of a legacy card callback: SHA-1 with the verification token, 40 hex digits."""
    data = _utf8(timestamp + nonce + verification_token) + body
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


@lru_cache(maxsize=64)
def _key(encrypt_key: str) -> bytes:
    return hashlib.sha256(_utf8(encrypt_key)).digest()


def _utf8(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
