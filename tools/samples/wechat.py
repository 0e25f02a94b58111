"""Callbacks of a WeChat Official Account in safe mode."""

from random import Random
from typing import Any

from tools.samples import gateway, tencent

_APP_ID, _ORIGINAL_ID, _TOKEN = "wx5a3b1e0000000000", "gh_5a3b1e000000", "sampletoken"
_KEY = "SampleSampleSampleSampleSampleSampleSample0"
_PERSON = "oSampleSampleSampleSampleLin"


def app(playground: str) -> dict[str, Any]:
    """The configuration of the app `sample`."""
    return {
        "app_id": _APP_ID,
        "app_secret": "sample-secret",
        "token": _TOKEN,
        "encoding_aes_key": _KEY,
        "original_id": _ORIGINAL_ID,
        "host": f"{playground}/wechat",
    }


def events(now: int) -> dict[str, Any]:
    """One event per case."""
    rng = Random(f"wechat {now}")
    person = {"ToUserName": _ORIGINAL_ID, "FromUserName": _PERSON, "CreateTime": int(now)}
    text = {"MsgType": "text", "Content": "/count", "MsgId": rng.getrandbits(62)}
    followed = {"MsgType": "event", "Event": "subscribe", "EventKey": ""}
    return {
        "verification": _verification(now, rng),
        "text": _posted(tencent.xml(person | text), now, rng),
        "subscribe": _posted(tencent.xml(person | followed), now, rng),
    }


def _verification(now: int, rng: Random) -> dict[str, Any]:
    query = {**_signed(now, rng), "echostr": str(rng.getrandbits(62))}
    return gateway.callback("wechat", tencent.headers(body=False), b"", now, query=query)


def _posted(plain: str, now: int, rng: Random) -> dict[str, Any]:
    encrypted = tencent.encrypt(_KEY, plain, _APP_ID, rng)
    query = _signed(now, rng)
    query |= {"openid": _PERSON, "encrypt_type": "aes"}
    query["msg_signature"] = tencent.sign(_TOKEN, query["timestamp"], query["nonce"], encrypted)
    body = tencent.xml({"ToUserName": _ORIGINAL_ID, "Encrypt": encrypted}).encode()
    return gateway.callback("wechat", tencent.headers(body=True), body, now, query=query)


def _signed(now: int, rng: Random) -> dict[str, str]:
    stamp, nonce = str(int(now)), str(rng.randrange(10**10))
    return {"signature": tencent.sign(_TOKEN, stamp, nonce), "timestamp": stamp, "nonce": nonce}
