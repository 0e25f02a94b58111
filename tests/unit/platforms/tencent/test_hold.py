"""In passive mode the deliverer leaves a fresh reply to the callback for four seconds."""

from typing import Any

import msgspec
import pytest

from parley.adapter import App
from parley.errors import RetryAfter
from parley.model import Destination, Outgoing, Reply
from parley.platforms import config_type, outbound

NOW = 1_764_000_000.0
KEY = "SampleSampleSampleSampleSampleSampleSample0"
CONFIGS: dict[str, dict[str, Any]] = {
    "wecom": {"corp_id": "ww1", "agent_id": 1, "secret": "s"},
    "wechat": {"app_id": "wx1", "app_secret": "s"},
}
HERE = {platform: Destination(platform=platform, app="demo", user_id="lin") for platform in CONFIGS}


def first_call(platform: str, mode: str, *, after: float = 0, reply: Reply | None = None, key: str = "m") -> str:
    """The name of the deliverer's first call, `after` seconds after the bot's decision."""
    config = CONFIGS[platform] | {"token": "t", "encoding_aes_key": KEY, "reply_mode": mode}
    app = App(platform, "demo", msgspec.convert(config, type=config_type(platform)))
    out = Outgoing(
        id="0" * 32, message_key=key, ordinal=0, to=HERE[platform], reply=reply or Reply.of("hi"), created=NOW
    )
    return next(outbound(platform).deliver(out, app, NOW + after)).name


@pytest.mark.parametrize("platform", CONFIGS)
def test_a_fresh_reply_is_left_to_the_callback(platform: str) -> None:
    with pytest.raises(RetryAfter) as held:
        first_call(platform, "passive", after=3.9)
    assert held.value.seconds == pytest.approx(0.1, abs=1e-3)
    assert first_call(platform, "passive", after=4) == "send"


@pytest.mark.parametrize("platform", CONFIGS)
def test_in_active_mode_a_reply_is_sent_at_once(platform: str) -> None:
    assert first_call(platform, "active") == "send"


@pytest.mark.parametrize("platform", CONFIGS)
def test_a_reply_to_another_place_and_a_push_are_sent_at_once(platform: str) -> None:
    assert first_call(platform, "passive", reply=Reply(segments=Reply.of("hi").segments, to=HERE[platform])) == "send"
    assert first_call(platform, "passive", key="") == "send"


def test_a_recall_is_sent_at_once() -> None:
    assert first_call("wecom", "passive", reply=Reply(op="recall", target="m1")) == "recall"
