"""Signature and encryption of callbacks (WeCom docs: Encryption and decryption; WeChat docs: Message encryption).

The plaintext is 16 random bytes, the length of the message in bytes (4 bytes, big-endian), the message, and the id of
the receiver: a corp id, a suite id or an appid. The cipher is AES-256-CBC with PKCS#7 padding to 32 bytes. The IV is
the first half of the key.
"""

import base64
import hashlib
import os
import struct
from collections.abc import Container, Iterable
from typing import NamedTuple

from parley.crypto import cbc_decrypt, cbc_encrypt, decode_base64
from parley.errors import ParleyError

_BLOCK = 32
_HEAD = 20
_LENGTH = struct.Struct(">I")


class Decrypted(NamedTuple):
    """A decrypted message: its text, the id of the receiver, and the EncodingAESKey that decrypted it."""

    text: str
    receiver: str
    key: str


class WrongReceiverError(ParleyError, ValueError):
    """The message can be decrypted, but is addressed to another receiver."""


class NotUtf8Error(ParleyError, ValueError):
    """The message can be decrypted and is addressed to this receiver, but it is not UTF-8."""


def signature(*parts: str) -> str:
    """SHA-1 over `parts`, sorted and joined, as 40 lower-case hex digits."""
    joined = "".join(sorted(parts)).encode("utf-8", "surrogatepass")
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def aes_key(encoding_aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey, which has 43 characters. Raises ValueError."""
    key = decode_base64(encoding_aes_key + "=")
    if len(key) != 32:
        raise ValueError("not 32 bytes")
    return key


def encrypt(encoding_aes_key: str, text: str, receiver: str, random: bytes | None = None) -> str:
    """Encrypt `text` for `receiver`, as Base64. `random`: the first 16 bytes; new ones by default."""
    key, data = aes_key(encoding_aes_key), text.encode()
    plain = (random or os.urandom(16)) + _LENGTH.pack(len(data)) + data + receiver.encode()
    return base64.b64encode(cbc_encrypt(key, key[:16], plain, _BLOCK)).decode()


def decrypt(encoding_aes_key: str, encrypted: str) -> Decrypted:
    """The reverse of `encrypt`. Raises ValueError, which does not say which check has failed.

    NotUtf8Error is an exception to this rule: only decrypted content that has an intact layout raises it.
    """
    key = aes_key(encoding_aes_key)
    plain = cbc_decrypt(key, key[:16], decode_base64(encrypted), _BLOCK)
    if len(plain) < _HEAD:
        raise ValueError("not decryptable")
    end = _HEAD + _LENGTH.unpack(plain[16:_HEAD])[0]
    if end > len(plain):
        raise ValueError("not decryptable")
    receiver = plain[end:].decode()
    try:
        return Decrypted(plain[_HEAD:end].decode(), receiver, encoding_aes_key)
    except UnicodeDecodeError as error:
        raise NotUtf8Error("the content is not UTF-8") from error


def decrypt_for(receivers: Container[str], keys: Iterable[str], encrypted: str) -> Decrypted:
    """Decrypt with the first of `keys` that fits. The console may change the key while messages are on their way.

    Raises WrongReceiverError if the message is for none of `receivers`, NotUtf8Error, and ValueError if no key decrypts
    it.
    """
    for_another = False
    for key in keys:
        try:
            decrypted = decrypt(key, encrypted)
        except NotUtf8Error:
            raise
        except ValueError:
            continue
        if decrypted.receiver in receivers:
            return decrypted
        for_another = True
    raise WrongReceiverError("for another receiver") if for_another else ValueError("not decryptable")
