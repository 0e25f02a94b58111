"""Decrypts media (WeCom docs: Smart bots › Receiving messages › Images)."""

from parley.crypto import cbc_decrypt
from parley.platforms.tencent.envelope import aes_key

_BLOCK = 32


def decrypted(data: bytes, keys: tuple[str, ...]) -> bytes:
    """The bytes of a file, by the first of the EncodingAESKeys that fits. Raises ValueError."""
    for key in map(aes_key, keys):
        try:
            return cbc_decrypt(key, key[:16], data, _BLOCK)
        except ValueError:
            continue
    raise ValueError("the file cannot be decrypted: compare `encoding_aes_key` with the console")
