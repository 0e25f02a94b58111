"""A Feishu callback by Parley and by lark-oapi, with the same bytes: verify, decrypt, parse, normalise."""

import time
from collections.abc import Callable
from typing import Any

import lark_oapi as lark
import msgspec
from lark_oapi.core.model import RawRequest

from parley.adapter import Accepted, App, Headers, Request
from parley.platforms import config_type, inbound
from tools.bench import sample


def functions() -> dict[str, Callable[[], Any]]:
    """The compared functions by library."""
    headers, body = sample.callback()
    return {"parley": ours(headers, body), "lark-oapi": theirs(headers, body)}


def ours(headers: dict[str, str], body: bytes) -> Callable[[], Any]:
    """Parley's `receive`. Its result is a unified message."""
    app = App("feishu", "bench", msgspec.convert(sample.CONFIG, config_type("feishu")))
    receive = inbound("feishu").receive

    def once() -> Any:
        return receive(Request(headers=Headers(headers), body=body), app, time.time())

    outcome = once()
    if not isinstance(outcome, Accepted) or not outcome.messages[0].content.text.startswith("/echo"):
        raise SystemExit("bench: Parley does not accept the sample callback")
    return once


def theirs(headers: dict[str, str], body: bytes) -> Callable[[], Any]:
    """lark-oapi's dispatcher with an empty handler. Its result is a typed event, whose content is still a string."""
    seen: list[Any] = []
    builder = lark.EventDispatcherHandler.builder(sample.CONFIG["encrypt_key"], sample.CONFIG["verification_token"])
    dispatcher = builder.register_p2_im_message_receive_v1(seen.append).build()

    def once() -> Any:
        request = RawRequest()
        request.uri, request.headers, request.body = "/", headers, body
        return dispatcher.do(request)

    answer = once()
    if answer.status_code != 200 or len(seen) != 1:
        raise SystemExit(f"bench: lark-oapi does not accept the sample callback: {answer.content!r}")
    seen.clear()
    builder = lark.EventDispatcherHandler.builder(sample.CONFIG["encrypt_key"], sample.CONFIG["verification_token"])
    dispatcher = builder.register_p2_im_message_receive_v1(lambda _event: None).build()
    return once
