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
    dice = Random(f"wechat {now}")
    person = {"ToUserName": _ORIGINAL_ID, "FromUserName": _PERSON, "CreateTime": int(now)}
    text = {"MsgType": "text", "Content": "/count", "MsgId": dice.getrandbits(62)}
    followed = {"MsgType": "event", "Event": "subscribe", "EventKey": ""}
    return {
        "verification": _verification(now, dice),
        "text": _posted(tencent.xml(person | text), now, dice),
        "subscribe": _posted(tencent.xml(person | followed), now, dice),
    }


def _verification(now: int, dice: Random) -> dict[str, Any]:
    query = {**_signed(now, dice), "echostr": str(dice.getrandbits(62))}
    return gateway.callback("wechat", tencent.headers(body=False), b"", now, query=query)


def _posted(plain: str, now: int, dice: Random) -> dict[str, Any]:
    encrypted = tencent.encrypt(_KEY, plain, _APP_ID, dice)
    query = _signed(now, dice)
    query |= {"openid": _PERSON, "encrypt_type": "aes"}
    query["msg_signature"] = tencent.sign(_TOKEN, query["timestamp"], query["nonce"], encrypted)
    body = tencent.xml({"ToUserName": _ORIGINAL_ID, "Encrypt": encrypted}).encode()
    return gateway.callback("wechat", tencent.headers(body=True), body, now, query=query)


def _signed(now: int, dice: Random) -> dict[str, str]:
    stamp, nonce = str(int(now)), str(dice.randrange(10**10))
    return {"signature": tencent.sign(_TOKEN, stamp, nonce), "timestamp": stamp, "nonce": nonce}
