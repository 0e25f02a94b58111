"""What the adapters of WeCom and WeChat share: callbacks that wechatpy encrypts and signs, and XML."""

import json
from collections.abc import Iterator
from typing import Any

import xmltodict
from wechatpy.crypto import PrpCrypto
from wechatpy.utils import WeChatSigner

from parley.adapter import Accepted, Call, Request
from parley.platforms.tencent import envelope
from tests.conformance.attacks import wrong_types
from tests.conformance.kit import Vector, expect, expect_equal

CREDENTIALS = ("ResponseCode", "Token", "SuiteTicket", "AuthCode")


def encrypt(key: str, plain: bytes | str, receiver: str) -> str:
    """`plain`, encrypted by wechatpy."""
    return PrpCrypto(envelope.aes_key(key)).encrypt(plain, receiver).decode()


def sign(*parts: str) -> str:
    """The signature of wechatpy over `parts`."""
    signer = WeChatSigner()
    signer.add_data(*parts)
    return signer.signature


def query_of(token: str, now: float, *signed_parts: str, name: str = "msg_signature", **more: str) -> dict[str, str]:
    """The query of a callback: time stamp, nonce, and a signature over them and `signed_parts`."""
    timestamp, nonce = str(int(now)), "1514711492"
    return {name: sign(token, timestamp, nonce, *signed_parts), "timestamp": timestamp, "nonce": nonce, **more}


def xml(value: Any) -> str:
    """`value` as XML. A value that XML cannot hold, such as an empty name, becomes malformed XML."""
    return f"<xml>{_inner(value)}</xml>"


def _inner(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(_element(name, one) for name, one in value.items())
    if isinstance(value, list):
        return "".join(map(_inner, value))
    return "" if value is None else f"<![CDATA[{value}]]>"


def _element(name: str, value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return "".join(f"<{name}>{_inner(one)}</{name}>" for one in values)


def every_wrong_payload(payloads: list[dict[str, Any]]) -> Iterator[bytes]:
    """Each payload with each field replaced by values of wrong types, as JSON and as XML."""
    for payload in payloads:
        for wrong in wrong_types(json.dumps(payload).encode()):
            yield wrong
            yield xml(json.loads(wrong)).encode("utf-8", "surrogatepass")


# --- vectors ----------------------------------------------------------------------------------------------------------


def check_content(vector: Vector, receiver: str) -> None:
    """The signature is valid, the content decrypts, and the same random bytes encrypt it to the same ciphertext."""
    inputs, expected = vector.inputs, vector.expected
    found = envelope.signature(inputs["token"], inputs["timestamp"], inputs["nonce"], inputs["encrypt"])
    expect_equal(found, inputs["msg_signature"], "msg_signature")
    decrypted = envelope.decrypt(inputs["encoding_aes_key"], inputs["encrypt"])
    expect_equal(decrypted.text, expected["plaintext"], "plaintext")
    expect_equal(decrypted.receiver, receiver, "receiver")
    if "random16_hex" in expected:
        random = bytes.fromhex(expected["random16_hex"])
        again = envelope.encrypt(inputs["encoding_aes_key"], decrypted.text, receiver, random)
        expect_equal(again, inputs["encrypt"], "encrypted again")


def check_nothing_lost(plain: str, accepted: Accepted) -> None:
    """The message or the credentials of a callback have all its values; the message has no credentials."""
    sent = json.loads(plain) if plain.startswith("{") else xmltodict.parse(plain)["xml"]
    if sent.get("InfoType") == "suite_ticket":
        expect_equal(dict(accepted.credentials), {"suite_ticket": sent["SuiteTicket"]}, "credentials")
        expect(not accepted.messages, "a ticket is not a message")
        return
    (message,) = accepted.messages
    expected = {name: _as_parsed(value) for name, value in sent.items() if name not in CREDENTIALS}
    expect_equal(message.raw, expected, "raw")
    if "FromUserName" in expected:
        expect_equal(message.sender.id, expected["FromUserName"], "sender")
    if expected.get("MsgType") == "text":
        expect_equal(message.content.text, expected["Content"], "text")


def _as_parsed(value: Any) -> Any:
    """A value of xmltodict, or of JSON, in the form that Parley keeps: text, or an object."""
    return value if isinstance(value, dict) else "" if value is None else str(value)


def check_encryption(vector: Vector, receiver: str) -> None:
    """A reply that is encrypted with given random bytes has the expected ciphertext and signature."""
    inputs, expected = vector.inputs, vector.expected
    random = inputs["random16"].encode()
    encrypted = envelope.encrypt(inputs["encoding_aes_key"], inputs["plaintext"], receiver, random)
    expect_equal(encrypted, expected["encrypt"], "encrypt")
    if "msg_signature" in expected:
        found = envelope.signature(inputs["token"], inputs["timestamp"], inputs["nonce"], encrypted)
        expect_equal(found, expected["msg_signature"], "msg_signature")


def receipt(call: Call, number: int) -> bytes:
    """A success with a different id for each call."""
    done = {"errcode": 0, "errmsg": "ok"}
    if call.name == "upload":
        # The real platforms send no `errcode` if an upload succeeds.
        return json.dumps({"type": call.query["type"], "media_id": f"MEDIA_{number}", "created_at": 1}).encode()
    return json.dumps(done | {"msgid": f"msg_{number}"}).encode()


def moment(request: Request) -> float:
    """The unix second at which `request` was signed."""
    return float(request.query["timestamp"])
