"""Nothing of a callback is decrypted or parsed before its signature is right, on every platform.

Otherwise an attacker without a key learns from errors or times what the content would be. Feishu has more cases of its
own: feishu/test_verify.py.
"""

from collections.abc import Callable
from typing import Any

import pytest

from parley.adapter import Rejected
from parley.platforms import NAMES
from parley.platforms.discord import inbound as discord
from parley.platforms.feishu import envelope as feishu
from parley.platforms.http import inbound as http
from parley.platforms.tencent import envelope as tencent
from tests.conformance.kit import adapters, receive, with_header, with_query

NOW = 1_800_000_000.0
READERS: dict[str, list[tuple[Any, str]]] = {
    "discord": [(discord, "decode_json")],
    "feishu": [(feishu, "decrypt")],
    "wecom": [(tencent, "decrypt")],
    "wechat": [(tencent, "decrypt")],
    "wecom_bot": [(tencent, "decrypt")],
    "http": [(http, "posted_in")],
}
"""The functions that read the content."""


def test_every_platform_is_checked() -> None:
    assert set(READERS) == set(NAMES)


@pytest.mark.parametrize("platform", sorted(READERS))
def test_a_callback_with_a_wrong_signature_is_refused_unread(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    for module, name in READERS[platform]:
        monkeypatch.setattr(module, name, _recording(getattr(module, name), read))
    adapter = adapters()[platform]
    checked = 0
    for sample in adapter.samples(NOW):
        if not (sample.headers or sample.query):
            continue  # this one is not signed
        receive(platform, sample.request, sample.app, NOW)
        was_read, forged = len(read), sample.request
        for header in sample.headers:
            forged = with_header(forged, header, "0" * 64)
        for name in sample.query:
            forged = with_query(forged, name, "0" * 40)
        outcome = receive(platform, forged, sample.app, NOW)
        assert isinstance(outcome, Rejected)
        assert len(read) == was_read, sample
        checked += was_read
    assert checked


def _recording(function: Callable[..., Any], read: list[str]) -> Callable[..., Any]:
    def recorded(*arguments: Any, **more: Any) -> Any:
        read.append(function.__name__)
        return function(*arguments, **more)

    return recorded
