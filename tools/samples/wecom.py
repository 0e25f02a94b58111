"""Callbacks of a WeCom internal app."""

from random import Random
from typing import Any

from tools.samples import gateway, tencent

_CORP, _AGENT, _TOKEN = "ww5a3b1e0000000000", 1000002, "sampletoken"
_KEY = "SampleSampleSampleSampleSampleSampleSample0"


def app(playground: str) -> dict[str, Any]:
    """The configuration of the app `sample`."""
    return {
        "corp_id": _CORP,
        "agent_id": _AGENT,
        "secret": "sample-secret",
        "token": _TOKEN,
        "encoding_aes_key": _KEY,
        "host": f"{playground}/wecom",
    }


def events(now: int) -> dict[str, Any]:
    """One event per case."""
    rng = Random(f"wecom {now}")
    person = {"ToUserName": _CORP, "FromUserName": "lin", "CreateTime": int(now)}
    text = {"MsgType": "text", "Content": "/count", "MsgId": rng.getrandbits(62), "AgentID": _AGENT}
    entered = {"MsgType": "event", "Event": "enter_agent", "EventKey": "", "AgentID": _AGENT}
    return {
        "verification": _verification(now, rng),
        "text": _posted(tencent.xml(person | text), now, rng),
        "enter_agent": _posted(tencent.xml(person | entered), now, rng),
    }


def _verification(now: int, rng: Random) -> dict[str, Any]:
    echo = tencent.encrypt(_KEY, str(rng.getrandbits(62)), _CORP, rng)
    query = {**_signed(echo, now, rng), "echostr": echo}
    return gateway.callback("wecom", tencent.headers(body=False), b"", now, query=query)


def _posted(plain: str, now: int, rng: Random) -> dict[str, Any]:
    encrypted = tencent.encrypt(_KEY, plain, _CORP, rng)
    body = tencent.xml({"ToUserName": _CORP, "Encrypt": encrypted, "AgentID": str(_AGENT)}).encode()
    return gateway.callback("wecom", tencent.headers(body=True), body, now, query=_signed(encrypted, now, rng))


def _signed(encrypted: str, now: int, rng: Random) -> dict[str, str]:
    stamp, nonce = str(int(now)), str(rng.randrange(10**10))
    return {
        "msg_signature": tencent.sign(_TOKEN, stamp, nonce, encrypted),
        "timestamp": stamp,
        "nonce": nonce,
    }
