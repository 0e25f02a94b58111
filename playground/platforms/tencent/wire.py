"""Encryption and signatures of callbacks and passive replies.

Made with the `cryptography` package; shares no code with Parley.
Facts: WeCom docs, Encryption and decryption; WeChat docs, Message encryption.
"""

import base64
import hashlib
from collections.abc import Mapping
from random import Random
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 256
"""Bits of a PKCS#7 block: 32 bytes, although a block of AES has 16."""
_HEAD = 20


def encrypt(encoding_aes_key: str, plain: bytes, receiver: str, random: Random) -> str:
    """Base64 of AES-256-CBC over 16 random bytes, the length of `plain`, `plain`, and the receiver's id."""
    padder = padding.PKCS7(_BLOCK).padder()
    encryptor = _cipher(encoding_aes_key).encryptor()
    content = random.randbytes(16) + len(plain).to_bytes(4, "big") + plain + receiver.encode()
    padded = padder.update(content) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(encoding_aes_key: str, encrypted: str) -> tuple[bytes, str]:
    """The plaintext and the receiver's id. Raises ValueError."""
    decryptor = _cipher(encoding_aes_key).decryptor()
    unpadder = padding.PKCS7(_BLOCK).unpadder()
    padded = decryptor.update(base64.b64decode(encrypted, validate=True)) + decryptor.finalize()
    content = unpadder.update(padded) + unpadder.finalize()
    end = _HEAD + int.from_bytes(content[16:_HEAD], "big")
    if len(content) < _HEAD or end > len(content):
        raise ValueError("the length within the ciphertext is wrong")
    return content[_HEAD:end], content[end:].decode()


def sign(*parts: str) -> str:
    """SHA-1 over `parts`, sorted."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def xml(fields: Mapping[str, Any]) -> bytes:
    """`fields` as XML: text in CDATA, numbers without, a list as a repeated element."""
    return f"<xml>{_elements(fields)}</xml>".encode()


def _elements(fields: Mapping[str, Any]) -> str:
    pairs = [(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])]
    return "".join(f"<{name}>{_content(value)}</{name}>" for name, value in pairs)


def _content(value: Any) -> str:
    if isinstance(value, Mapping):
        return _elements(value)
    if isinstance(value, int):
        return str(value)
    return "<![CDATA[" + str(value).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def read_xml(body: bytes) -> dict[str, Any]:
    """The fields of an XML document. Raises ValueError."""
    try:
        value = xmltodict.parse(body, disable_entities=True, strip_whitespace=False)
    except (ExpatError, ValueError) as error:
        raise ValueError(f"it is not XML: {error}") from error
    fields = value.get("xml")
    if not isinstance(fields, dict):
        raise ValueError("it has no <xml> element with fields")  # noqa: TRY004
    return {name: item or "" for name, item in fields.items() if name != "#text"}


def key_bytes(encoding_aes_key: str) -> bytes:
    """The key of AES."""
    return base64.b64decode(f"{encoding_aes_key}=")


def _cipher(encoding_aes_key: str) -> Cipher[modes.CBC]:
    key = key_bytes(encoding_aes_key)
    return Cipher(algorithms.AES256(key), modes.CBC(key[:16]))
