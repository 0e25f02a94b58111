"""The bytes of a smart bot's callbacks and answers, made with `cryptography` (see `playground.platforms.tencent.wire`).

Facts: WeCom docs, Smart bots › Encryption and decryption.
"""

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from playground.platforms.exchange import dumps
from playground.platforms.model import Wire
from playground.platforms.tencent import wire

_HEADERS = {"Content-Type": "application/json"}


def callback(token: str, key: str, fields: Mapping[str, Any], now: float, random: Random) -> Wire:
    """`fields` as a signed callback. The id of the receiver is empty."""
    encrypted = wire.encrypt(key, dumps(fields), "", random)
    return Wire(query=signed(token, encrypted, now, random), headers=_HEADERS, body=dumps({"encrypt": encrypted}))


def verification(token: str, key: str, echo: bytes, now: float, random: Random) -> Wire:
    """The request that the console sends when a callback URL is saved."""
    encrypted = wire.encrypt(key, echo, "", random)
    return Wire(method="GET", query={**signed(token, encrypted, now, random), "echostr": encrypted})


def signed(token: str, encrypted: str, now: float, random: Random) -> dict[str, str]:
    """The query of a callback."""
    stamp, nonce = str(int(now)), str(random.randrange(10**10))
    return {"msg_signature": wire.sign(token, stamp, nonce, encrypted), "timestamp": stamp, "nonce": nonce}


def answer(token: str, key: str, body: bytes) -> dict[str, Any]:
    """The content of an answer. A repeated one has the nonce of an earlier callback. Raises ValueError."""
    sealed = loads(body)
    encrypted, stamp = str(sealed.get("encrypt")), sealed.get("timestamp")
    if type(stamp) is not int:
        raise ValueError("timestamp is not a number")
    if sealed.get("msgsignature") != wire.sign(token, str(stamp), str(sealed.get("nonce")), encrypted):
        raise ValueError("msgsignature is wrong")
    plain, receiver = wire.decrypt(key, encrypted)
    if receiver:
        raise ValueError(f"it is encrypted for {receiver!r}, and not for nobody")
    return loads(plain)


def file(key: str, data: bytes) -> bytes:
    """A file as the store of WeCom returns it: encrypted, without a length or an id."""
    padder = padding.PKCS7(256).padder()
    raw = wire.key_bytes(key)
    encryptor = Cipher(algorithms.AES256(raw), modes.CBC(raw[:16])).encryptor()
    return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()


def loads(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises ValueError."""
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004  # a fault of the bytes, not of a type
    return value
