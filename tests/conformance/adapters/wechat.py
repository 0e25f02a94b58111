"""WeChat Official Accounts: vectors, and callbacks of every mode that wechatpy encrypts and signs."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from parley.adapter import Answer, App, Request
from parley.platforms.tencent import envelope
from parley.platforms.wechat.config import Config
from tests.conformance.kit import Adapter, Sample, Vector, expect_accepted, expect_equal, expect_rejected, receive
from tests.conformance.tencent import (
    check_content,
    check_encryption,
    check_nothing_lost,
    encrypt,
    every_wrong_payload,
    moment,
    query_of,
    receipt,
    sign,
    xml,
)

APP_ID, ACCOUNT, OPENID = "wx1a2b3c4d5e6f7081", "gh_1f2e3d4c5b6a", "oXyZ1234567890abcdefghijklmn"
TOKEN, SECRET = "oaTok3n_9", "0123456789abcdef0123456789abcdef"
KEY, OTHER_KEY = "Zx9Cv8Bn7Ml6Kj5Hg4Fd3Sa2Qw1Er0Ty9Ui8Op7As6D", "R2k5VbT8wQzYc1NfXh4LmP7sUa0DgJeKoI3rBnM6tWq"
SIGNED = ("msg_signature", "timestamp", "nonce", "encrypt_type")
SIGNED_PLAIN = ("signature", "timestamp", "nonce")


def make_app(token: str = TOKEN, key: str = KEY, app_id: str = APP_ID, **more: Any) -> App:
    """An account with these credentials."""
    fields = {"app_id": app_id, "app_secret": SECRET, "token": token, "encoding_aes_key": key, **more}
    return App("wechat", "demo", Config(**fields))


APP, COMPATIBLE, PLAIN = make_app(), make_app(mode="compatible"), make_app(mode="plain", key="")


# --- requests as WeChat makes them ------------------------------------------------------------------------------------


def fields(now: float, kind: str = "text", **more: Any) -> dict[str, Any]:
    """The fields of every message, and `more`."""
    common = {"ToUserName": ACCOUNT, "FromUserName": OPENID, "CreateTime": int(now), "MsgType": kind}
    return {**common, **more}


def chat(now: float) -> dict[str, Any]:
    """A text message."""
    return fields(now, Content="订单 🎁", MsgId=24567890123456789)


OTHERS: tuple[dict[str, Any], ...] = (
    {"MsgType": "text", "Content": "Yes", "bizmsgmenuid": "yes", "MsgId": "9"},
    {"MsgType": "image", "PicUrl": "http://mmbiz.qpic.cn/x", "MediaId": "m1", "MsgId": "1"},
    {"MsgType": "voice", "MediaId": "m2", "Format": "speex", "Recognition": "你好", "MsgId": "2"},
    {"MsgType": "shortvideo", "MediaId": "m3", "ThumbMediaId": "t3", "MsgId": "3"},
    {"MsgType": "location", "Location_X": 39.9, "Location_Y": 116.4, "Scale": 15, "Label": "HQ", "MsgId": "4"},
    {"MsgType": "link", "Title": "T", "Description": "D", "Url": "https://e.com", "MsgId": "5"},
    {"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_123", "Ticket": "T"},
    {"MsgType": "event", "Event": "LOCATION", "Latitude": "39.9", "Longitude": "116.4", "Precision": "65"},
    {"MsgType": "event", "Event": "scancode_push", "EventKey": "k", "ScanCodeInfo": {"ScanResult": "42"}},
)


def _query(now: float, encrypted: str) -> dict[str, str]:
    signature = query_of(TOKEN, now, name="signature")
    return {**signature, **query_of(TOKEN, now, encrypted), "openid": OPENID, "encrypt_type": "aes"}


def delivery(payload: bytes | str, now: float) -> Request:
    """A callback with `payload` in safe mode, in the data format of the payload."""
    encrypted = encrypt(KEY, payload, APP_ID)
    envelope_ = {"ToUserName": ACCOUNT, "Encrypt": encrypted}
    as_json = payload[:1] in ("{", b"{")
    body = json.dumps(envelope_) if as_json else xml(envelope_)
    return Request(query=_query(now, encrypted), body=body.encode())


def compatible(payload: dict[str, Any], now: float) -> Request:
    """A callback in compatible mode: the plain fields and the encrypted content."""
    encrypted = encrypt(KEY, xml(payload), APP_ID)
    return Request(query=_query(now, encrypted), body=xml({**payload, "Encrypt": encrypted}).encode())


def plain(payload: dict[str, Any], now: float) -> Request:
    """A callback in plain mode."""
    return Request(query=query_of(TOKEN, now, name="signature", openid=OPENID), body=xml(payload).encode())


def verification(now: float) -> Request:
    """The request that the console sends when the callback address is saved."""
    query = query_of(TOKEN, now, name="signature", echostr="4375120948345356249")
    return Request(method="GET", query=query)


def samples(now: float) -> tuple[Sample, ...]:
    """One valid request of each type. The signature covers only the encrypted part of the body."""
    payload = chat(now)
    return (
        Sample("safe, XML", delivery(xml(payload), now), APP, query=SIGNED, body=False),
        Sample("safe, JSON", delivery(json.dumps(payload), now), APP, query=SIGNED, body=False),
        Sample("compatible", compatible(payload, now), COMPATIBLE, query=SIGNED, body=False),
        Sample("plain", plain(payload, now), PLAIN, query=SIGNED_PLAIN, body=False),
        Sample("url verification", verification(now), APP, 0, query=SIGNED_PLAIN, body=False),
    )


def wrap(payload: bytes, now: float) -> tuple[Request, App]:
    """`payload`, encrypted and signed."""
    return delivery(payload, now), APP


def payloads() -> Iterator[bytes]:
    """Messages and events of every type, with each field replaced by values of wrong types."""
    now = 1_718_000_002.0
    yield from every_wrong_payload([chat(now), *({**fields(now), **more} for more in OTHERS)])


# --- vectors ----------------------------------------------------------------------------------------------------------


def _sorted(vector: Vector) -> None:
    expect_equal(envelope.signature(*vector.inputs["parts"]), vector.expected["sha1"], "sha1")


def _message_signature(vector: Vector) -> None:
    inputs = vector.inputs
    found = envelope.signature(inputs["token"], inputs["timestamp"], inputs["nonce"], inputs["encrypt"])
    expect_equal(found, vector.expected["msg_signature"], "msg_signature")


def _verified(vector: Vector) -> None:
    """The response to a URL verification. A signature over other parts is refused."""
    inputs = vector.inputs
    echo = inputs.get("echostr", "echo")
    query = {name: inputs[name] for name in SIGNED_PLAIN} | {"echostr": echo}
    request = Request(method="GET", query=query)
    response = expect_accepted(receive("wechat", request, make_app(inputs["token"]), moment(request))).response
    expected = (200, "text/plain", vector.expected.get("response_body", echo))
    expect_equal((response.status, response.content_type, response.body.decode()), expected, "answer")
    other = Request(method="GET", query=query | {"signature": sign(inputs["token"], inputs["timestamp"])})
    expect_rejected(receive("wechat", other, make_app(inputs["token"]), moment(request)))


def _not_verified(vector: Vector) -> None:
    inputs = vector.inputs
    query = {name: inputs[name] for name in SIGNED_PLAIN} | {"echostr": inputs.get("echostr", "echo")}
    request = Request(method="GET", query=query)
    expect_rejected(receive("wechat", request, make_app(inputs["token"]), moment(request)))


def _request(vector: Vector) -> Request:
    inputs = vector.inputs
    query = {name: inputs[name] for name in ("msg_signature", "timestamp", "nonce")} | {"encrypt_type": "aes"}
    if "query_string" in inputs:
        query = dict(parse_qsl(inputs["query_string"], strict_parsing=True))
    query["msg_signature"] = inputs["msg_signature"]
    return Request(query=query, body=inputs["body"].encode())


def _app(vector: Vector) -> App:
    inputs = vector.inputs
    return make_app(inputs["token"], inputs["encoding_aes_key"], inputs["appid"])


def _posted(vector: Vector) -> None:
    """The encrypted callback is accepted. The same account refuses the same content without encryption."""
    check_content(vector, vector.inputs["appid"])
    request = _request(vector)
    accepted = expect_accepted(receive("wechat", request, _app(vector), moment(request)))
    check_nothing_lost(vector.expected["plaintext"], accepted)
    inputs = vector.inputs
    signature = sign(inputs["token"], inputs["timestamp"], inputs["nonce"])
    query = {"signature": signature, "timestamp": inputs["timestamp"], "nonce": inputs["nonce"]}
    downgraded = Request(query=query, body=vector.expected["plaintext"].encode())
    expect_equal(
        expect_rejected(receive("wechat", downgraded, _app(vector), moment(request))).reason, "forged", "reason"
    )


def _refused(vector: Vector) -> None:
    request = _request(vector)
    expect_rejected(receive("wechat", request, _app(vector), moment(request)))


CHECKS = {
    "url_signature": _verified,
    "url_signature_negative": _not_verified,
    "get_verify": _verified,
    "get_verify_negative": _not_verified,
    "sha1_sorted": _sorted,
    "msg_signature": _message_signature,
    "encrypt_raw": lambda vector: check_encryption(vector, vector.inputs["appid"]),
    "encrypt_reply": lambda vector: check_encryption(vector, vector.inputs["appid"]),
    "post_encrypted": _posted,
    "post_encrypted_negative": _refused,
}

ADAPTER = Adapter(
    platform="wechat",
    also_called=("wechat_oa",),
    checks=CHECKS,
    samples=samples,
    stranger=make_app("anothertoken", OTHER_KEY, "wx0000000000000000"),
    wrap=wrap,
    payloads=payloads,
    app=APP,
    receipt=lambda call, number: Answer(200, receipt(call, number)),
    max_age=3600,
    max_ahead=300,
    never_in_raw=(TOKEN, KEY, SECRET),
)
