"""A WeChat callback in safe mode by Parley and by wechatpy, with the same bytes: verify, decrypt, parse, normalise."""

import time
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto

from parley.adapter import Accepted, App, Headers, Request
from parley.platforms import config_type, inbound
from playground.platforms.model import NewMessage, Wire
from playground.platforms.wechat import Wechat

_CONFIG = {
    "app_id": "wxb11c529a8e25a3f2",
    "app_secret": "secret-of-nobody",
    "token": "benchtoken",
    "encoding_aes_key": "BenchBenchBenchBenchBenchBenchBenchBenchBe0",
    "original_id": "gh_b11c529a8e25",
}
_TEXT = "明天上午十点的会议改到下午两点，请大家确认"


def functions() -> dict[str, Callable[[], Any]]:
    """The compared functions by library."""
    wechat = Wechat(random=Random(1))
    wechat.add_app("bench", _CONFIG)
    wechat.send_message("bench", "", "lin", NewMessage(text=_TEXT))
    (delivery,) = wechat.drain_outbox()
    return {"parley": _ours(delivery.wire), "wechatpy": _theirs(delivery.wire)}


def _ours(wire: Wire) -> Callable[[], Any]:
    """Parley's `receive`. Its result is a unified message."""
    app = App("wechat", "bench", msgspec.convert(_CONFIG, config_type("wechat")))
    receive, query, headers = inbound("wechat").receive, dict(wire.query), dict(wire.headers)

    def once() -> Any:
        return receive(Request(headers=Headers(headers), query=query, body=wire.body), app, time.time())

    outcome = once()
    if not isinstance(outcome, Accepted) or outcome.messages[0].content.text != _TEXT:
        raise SystemExit("bench: Parley does not accept the sample callback of WeChat")
    return once


def _theirs(wire: Wire) -> Callable[[], Any]:
    """Wechatpy's decryption, which checks the signature, and its parser. Its result is a message of wechatpy."""
    crypto = WeChatCrypto(_CONFIG["token"], _CONFIG["encoding_aes_key"], _CONFIG["app_id"])
    signature, stamp, nonce = (wire.query[name] for name in ("msg_signature", "timestamp", "nonce"))

    def once() -> Any:
        return parse_message(crypto.decrypt_message(wire.body, signature, stamp, nonce))

    if once().content != _TEXT:
        raise SystemExit("bench: wechatpy does not accept the sample callback")
    return once
