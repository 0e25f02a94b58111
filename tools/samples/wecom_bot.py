"""Callbacks of a WeCom smart bot."""

import json
from random import Random
from typing import Any

from tools.samples import gateway, tencent

_BOT, _TOKEN = "aibsample", "sampletoken"
_KEY = "SampleSampleSampleSampleSampleSampleSample0"


def app(playground: str) -> dict[str, Any]:
    """The configuration of the app `sample`."""
    return {
        "bot_id": _BOT,
        "name": "Parley",
        "token": _TOKEN,
        "encoding_aes_key": _KEY,
        "host": f"{playground}/wecom_bot",
    }


def events(now: int) -> dict[str, Any]:
    """One event per case."""
    rng = Random(f"wecom_bot {now}")
    ids = [f"{rng.getrandbits(128):032x}" for _ in range(3)]
    person = {"aibotid": _BOT, "chattype": "single", "from": {"userid": "lin"}}
    text = {"msgid": ids[0], **person, "msgtype": "text", "text": {"content": "/count"}}
    poll = {"msgid": ids[1], **person, "msgtype": "stream", "stream": {"id": ids[0].encode().hex()}}
    entered = {"msgid": ids[2], **person, "create_time": now, "msgtype": "event", "event": {"eventtype": "enter_chat"}}
    return {
        "verification": _verification(now, rng),
        "text": _posted(text, now, rng),
        "poll": _posted(poll, now, rng),
        "enter_chat": _posted(entered, now, rng),
    }


def _verification(now: int, rng: Random) -> dict[str, Any]:
    echo = tencent.encrypt(_KEY, str(rng.getrandbits(62)), "", rng)
    return gateway.callback("wecom_bot", {}, b"", now, query={**_signed(echo, now, rng), "echostr": echo})


def _posted(fields: dict[str, Any], now: int, rng: Random) -> dict[str, Any]:
    encrypted = tencent.encrypt(_KEY, json.dumps(fields, ensure_ascii=False), "", rng)
    body, headers = json.dumps({"encrypt": encrypted}).encode(), {"Content-Type": "application/json"}
    return gateway.callback("wecom_bot", headers, body, now, query=_signed(encrypted, now, rng))


def _signed(encrypted: str, now: int, rng: Random) -> dict[str, str]:
    stamp, nonce = str(int(now)), str(rng.randrange(10**10))
    return {
        "msg_signature": tencent.sign(_TOKEN, stamp, nonce, encrypted),
        "timestamp": stamp,
        "nonce": nonce,
    }
