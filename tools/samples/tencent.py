"""The envelope and the signature of callbacks of WeCom and WeChat, made with the `cryptography` package.

Facts: WeCom docs, Encryption and decryption; WeChat docs, Encrypted messages.
"""

import base64
import hashlib
from collections.abc import Mapping
from random import Random

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_HEADERS = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"}


def headers(*, body: bool) -> dict[str, str]:
    """The headers of a callback. The verification of a URL has no body and no content type."""
    return _HEADERS if body else {"User-Agent": _HEADERS["User-Agent"]}


def encrypt(encoding_aes_key: str, plain: str, receiver: str, rng: Random) -> str:
    """Base64 of AES-256-CBC over 16 random bytes, the length, the text and its receiver; PKCS#7 to 32."""
    key = base64.b64decode(f"{encoding_aes_key}=")
    text = plain.encode()
    padder = padding.PKCS7(256).padder()
    encryptor = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).encryptor()
    content = rng.randbytes(16) + len(text).to_bytes(4, "big") + text + receiver.encode()
    return base64.b64encode(
        encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    ).decode()


def sign(*parts: str) -> str:
    """SHA-1 of `parts` in sorted order."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def xml(fields: Mapping[str, str | int]) -> str:
    """Fields as XML: text in CDATA, numbers without."""
    inner = "".join(
        f"<{name}>{value}</{name}>" if isinstance(value, int) else f"<{name}><![CDATA[{value}]]></{name}>"
        for name, value in fields.items()
    )
    return f"<xml>{inner}</xml>"
