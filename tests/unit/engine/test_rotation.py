"""Secrets of callbacks are rotated without a refused callback, on every platform: two values are valid meanwhile."""

from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec
import pytest

from parley.adapter import App, Headers, Rejected, Request
from parley.engine.callback import Callback
from parley.platforms import NAMES, config_type, inbound
from playground.platforms.base import NewMessage
from tools.faults.scheduler import START
from tools.faults.targets import APP, Target, titled

NEW: dict[str, dict[str, Any]] = {
    "feishu": {"verification_token": "another-token", "encrypt_key": "another-key"},
    "wecom": {"token": "anothertoken", "encoding_aes_key": "n" * 42 + "A"},
    "wecom_bot": {"token": "anothertoken", "encoding_aes_key": "n" * 42 + "A"},
    "wechat": {"token": "anothertoken", "encoding_aes_key": "n" * 42 + "A"},
    "discord": {"public_key": "0" * 63 + "1"},
}
"""By platform: the secrets that authenticate callbacks, and other values of them."""
LISTED = {"http": "the configuration lists issuers and their keys, of which all are valid"}
TITLES = {name: {"wechat": "wechat active"}.get(name, name) for name in NEW}


class Configured:
    """In place of `Apps`: the configuration is read again when `now` has changed."""

    def __init__(self, now: App) -> None:
        self.now = now

    def reread(self, app: App) -> App | None:
        return self.now if self.now != app else None


def app_of(platform: str, values: Mapping[str, Any]) -> App:
    return App(platform, APP, msgspec.convert(dict(values), config_type(platform)))


def event_of(target: Target, values: Mapping[str, Any]) -> Request:
    """A callback of the platform, whose console has `values`."""
    platform = target.imitation(clock=lambda: START, random=Random(1), keep_calls=1)
    platform.add_app(APP, values)
    if target.register is not None:
        from tools.faults.bot import make_bot

        target.register(platform, values, make_bot().specs())
    platform.send_message(APP, target.room, "lin", NewMessage(text=target.text("count", "m00001")))
    wire = platform.drain_outbox()[0].wire
    return Request(wire.method, Headers(wire.headers), dict(wire.query), wire.body)


def received(app: App, now: App, request: Request) -> tuple[bool, App]:
    """Whether a function that has read `app` accepts the request, and with which configuration. `now`: that in SSM."""
    callback = Callback(app.platform, inbound(app.platform), Configured(now), lambda: START)  # pyright: ignore[reportArgumentType]
    outcome, used = callback.receive(request, app, {})
    return not isinstance(outcome, Rejected), used


def test_every_platform_has_secrets_that_can_be_rotated() -> None:
    assert {*NEW, *LISTED} == set(NAMES)
    for name, values in NEW.items():
        fields = set(config_type(name).__struct_fields__)
        assert {f"previous_{field}" for field in values} == {each for each in fields if each.startswith("previous_")}


@pytest.mark.parametrize("platform", NEW)
def test_a_rotation_refuses_nothing_before_during_and_after_and_the_old_value_ends(platform: str) -> None:
    target = titled(TITLES[platform])
    old = dict(target.apps[APP])
    new = {**old, **NEW[platform]}
    both = {**new, **{f"previous_{field}": old[field] for field in NEW[platform]}}
    before, during, after = app_of(platform, old), app_of(platform, both), app_of(platform, new)
    by_old = event_of(target, old)

    # The operator stores both; the console still has the old one. Functions have read one or the other.
    assert received(before, during, by_old) == (True, before)
    accepted, used = received(during, during, by_old)
    assert accepted
    assert [getattr(used.config, field) for field in NEW[platform]] == [old[field] for field in NEW[platform]]
    if platform != "discord":  # its private key is not known here
        # The console has the new one.
        by_new = event_of(target, new)
        assert received(during, during, by_new) == (True, during)
        accepted, used = received(before, during, by_new)
        assert (accepted, used) == (True, during)
        assert received(after, after, by_new) == (True, after)
    # The overlap has ended.
    assert received(after, after, by_old)[0] is False
    assert received(during, after, by_old)[0] is True  # until it is read again, within five minutes
