"""Microseconds of CPU for a Feishu callback: verify, decrypt, parse, normalise. lark-oapi gets the same bytes."""

import statistics
import time
import timeit
from collections.abc import Callable
from typing import Any

import lark_oapi as lark
import msgspec
from lark_oapi.core.model import RawRequest

from parley.adapter import Accepted, App, Headers, Request
from parley.platforms import config_type, inbound
from tools.bench import sample

ROUNDS, CALLS = 31, 200


def functions() -> dict[str, Callable[[], Any]]:
    """What is compared, by whose it is."""
    headers, body = sample.callback()
    return {"parley": ours(headers, body), "lark-oapi": theirs(headers, body)}


def measure(functions: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Microseconds of CPU per callback in each round, by whose it is. The rounds alternate."""
    found: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(ROUNDS + 1):
        for name, function in functions.items():
            taken = timeit.timeit(function, timer=time.process_time, number=CALLS) / CALLS * 1e6
            if number:  # the first round warms the caches
                found[name].append(taken)
    return found


def ours(headers: dict[str, str], body: bytes) -> Callable[[], Any]:
    """Parley's `receive`, which ends with a unified message."""
    app = App("feishu", "bench", msgspec.convert(sample.CONFIG, config_type("feishu")))
    receive = inbound("feishu").receive

    def once() -> Any:
        return receive(Request(headers=Headers(headers), body=body), app, time.time())

    outcome = once()
    if not isinstance(outcome, Accepted) or not outcome.messages[0].content.text.startswith("/echo"):
        raise SystemExit("bench: the sample callback was not understood")
    return once


def theirs(headers: dict[str, str], body: bytes) -> Callable[[], Any]:
    """lark-oapi's dispatcher with a handler that does nothing: it ends with a typed event, content still a string."""
    seen: list[Any] = []
    builder = lark.EventDispatcherHandler.builder(sample.CONFIG["encrypt_key"], sample.CONFIG["verification_token"])
    dispatcher = builder.register_p2_im_message_receive_v1(seen.append).build()

    def once() -> Any:
        request = RawRequest()
        request.uri, request.headers, request.body = "/", headers, body
        return dispatcher.do(request)

    answer = once()
    if answer.status_code != 200 or len(seen) != 1:
        raise SystemExit(f"bench: lark-oapi did not take the sample callback: {answer.content!r}")
    seen.clear()
    builder = lark.EventDispatcherHandler.builder(sample.CONFIG["encrypt_key"], sample.CONFIG["verification_token"])
    dispatcher = builder.register_p2_im_message_receive_v1(lambda _event: None).build()
    return once


def ratio(found: dict[str, list[float]], other: str) -> float:
    """How many times as long `other` takes: the median of the rounds' own ratios."""
    return statistics.median(theirs / ours for ours, theirs in zip(found["parley"], found[other], strict=True))
