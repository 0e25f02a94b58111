"""`parley app check` explains what is wrong with an app, and names the way out, and no secret."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from parley_cli.place import Place
from playground.platforms.discord import Discord
from playground.platforms.feishu import Feishu
from playground.platforms.wecom import Wecom
from tests.unit.cli.tool import (
    DISCORD,
    FEISHU,
    Answering,
    Platforms,
    Shown,
    Store,
    made,
)
from tests.unit.playground import discord as portal
from tests.unit.playground.tencent import WECHAT, WECOM


def test_an_app_with_another_name(store: Store, shown: Shown) -> None:
    store("feishu/demo", FEISHU)
    text = shown("app", "check", "feishu/dmeo")
    assert "The app feishu/dmeo does not exist: there is no parameter /parley/unit/feishu/dmeo" in text
    assert "The stage has feishu/demo." in text
    assert "parley app add feishu/dmeo --stage unit" in text


def test_a_name_that_no_callback_url_can_have(stack: Place, shown: Shown) -> None:
    text = shown("app", "check", "feishu/my bot")
    assert "The name 'my bot' is not allowed" in text
    assert "letters, digits, dots, underscores and hyphens" in text


def test_json_that_lacks_a_brace(store: Store, shown: Shown) -> None:
    store("wecom/demo", json.dumps(WECOM)[:-1])
    text = shown("app", "check", "wecom/demo")
    assert "The configuration of wecom/demo is not JSON" in text
    assert "parley app add wecom/demo --replace" in text


def test_a_missing_field_and_where_its_value_is(store: Store, shown: Shown) -> None:
    store("feishu/demo", {name: value for name, value in FEISHU.items() if name != "verification_token"})
    text = shown("app", "check", "feishu/demo")
    assert "lacks the field `verification_token`" in text
    assert "Events & Callbacks › Encryption Strategy › Verification Token" in text


def test_a_mistyped_field(store: Store, shown: Shown) -> None:
    store("feishu/demo", {**FEISHU, "encryptkey": "x"})
    text = shown("app", "check", "feishu/demo")
    assert "has the field `encryptkey`, which does not exist" in text
    assert "encrypt_key" in text


def test_an_aes_key_of_the_wrong_length(store: Store, shown: Shown) -> None:
    store("wecom/demo", {**WECOM, "encoding_aes_key": WECOM["encoding_aes_key"][:-1]})
    text = shown("app", "check", "wecom/demo")
    assert "encoding_aes_key: must be 43 letters and digits, has 42 characters" in text
    assert "API Receive › EncodingAESKey" in text
    assert "parley app rotate wecom/demo encoding_aes_key" in text


def test_a_value_of_the_wrong_type(store: Store, shown: Shown) -> None:
    store("wecom/demo", {**WECOM, "agent_id": "1000002"})
    text = shown("app", "check", "wecom/demo")
    assert "agent_id: Expected `int`, got `str`" in text
    assert "parley app rotate wecom/demo agent_id" in text


def test_a_parameter_that_is_not_encrypted(store: Store, platforms: Platforms, shown: Shown) -> None:
    platforms(feishu=made(Feishu, FEISHU))
    store("feishu/demo", FEISHU, "String")
    text = shown("app", "check", "feishu/demo")
    assert "the parameter is not encrypted" in text
    assert "SecureString" in text


@pytest.mark.parametrize(
    ("platform", "config", "simulated", "words"),
    [
        ("feishu", {**FEISHU, "app_secret": "wrong"}, lambda: made(Feishu, FEISHU), "app_id, app_secret and app_type"),
        ("wecom", {**WECOM, "secret": "wrong"}, lambda: made(Wecom, WECOM), "see `secret`, at work.weixin.qq.com"),
    ],
)
def test_a_wrong_secret(
    platform: str,
    config: dict[str, Any],
    simulated: Callable[[], Any],
    words: str,
    store: Store,
    platforms: Platforms,
    shown: Shown,
) -> None:
    platforms(**{platform: simulated()})
    store(f"{platform}/demo", config)
    text = shown("app", "check", f"{platform}/demo")
    assert "does not accept the credentials" in text
    assert words in text
    assert f"parley app rotate {platform}/demo FIELD" in text


@pytest.mark.parametrize(
    ("platform", "config", "code", "listed_at"),
    [
        ("wecom", WECOM, 60020, "Trusted IP of the Company"),
        ("wechat", WECHAT, 40164, "IP Allow-list"),
    ],
)
def test_an_address_that_is_not_listed(
    platform: str,
    config: dict[str, Any],
    code: int,
    listed_at: str,
    store: Store,
    platforms: Platforms,
    shown: Shown,
) -> None:
    platforms(**{platform: Answering(errcode=code, errmsg="not allow to access from your ip")})
    store(f"{platform}/demo", config)
    text = shown("app", "check", f"{platform}/demo")
    assert "refuses the address of the caller" in text
    assert listed_at in text
    assert "made from this machine" in text


def test_a_platform_that_does_not_answer(store: Store, platforms: Platforms, shown: Shown) -> None:
    platforms()
    store("feishu/demo", FEISHU)
    assert "Feishu does not answer: ConnectError" in shown("app", "check", "feishu/demo")


OTHER_KEY = "ab" * 32


@pytest.mark.parametrize(
    ("fields", "words", "way_out"),
    [
        ({"bot_token": "wrong"}, "Discord does not accept `bot_token`", "Reset Token"),
        ({"public_key": OTHER_KEY}, "`public_key` is not that of this application", "General Information › Public Key"),
        ({"application_id": "1100000000000000009"}, "belongs to another application", "Application ID"),
        ({}, "does not send its callbacks to this deployment", "enter https://api.test/unit/callback/discord/demo"),
        ({}, "No command is registered at Discord", "parley discord register demo --apply"),
    ],
)
def test_discord_says_what_differs_from_its_portal(
    fields: dict[str, str],
    words: str,
    way_out: str,
    store: Store,
    platforms: Platforms,
    shown: Shown,
) -> None:
    platforms(discord=made(Discord, portal.APP))
    store("discord/demo", DISCORD | fields)
    text = shown("app", "check", "discord/demo")
    assert words in text
    assert way_out in text
