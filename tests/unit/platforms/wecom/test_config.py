"""The configuration of WeCom: its defaults, and errors that name the field and the page of the console."""

from typing import Any

import msgspec
import pytest

from parley.platforms import config_type
from parley.platforms.wecom.config import Config

KEY = "R2k5VbT8wQzYc1NfXh4LmP7sUa0DgJeKoI3rBnM6tWq"
GOOD: dict[str, Any] = {"corp_id": "ww1", "agent_id": 1000002, "secret": "s3", "token": "t0", "encoding_aes_key": KEY}


def read(**fields: Any) -> Config:
    return msgspec.json.decode(msgspec.json.encode({**GOOD, **fields}), type=Config)


def test_it_is_registered() -> None:
    assert config_type("wecom") is Config


def test_the_defaults_are_the_real_host_active_replies_and_reporting_unknown_outcomes() -> None:
    config = read()
    assert (config.host, config.reply_mode, config.on_unknown) == ("https://qyapi.weixin.qq.com", "active", "report")


def test_a_callback_may_use_both_keys_and_all_receivers() -> None:
    old = KEY[::-1][1:] + "A"
    config = read(previous_encoding_aes_key=old, receive_ids=["dk1", ""])
    assert config.callback_keys.keys == (KEY, old)
    assert config.callback_keys.receivers == {"ww1", "dk1", ""}
    assert read().callback_keys.keys == (KEY,)


def test_webhooks_are_read_by_name() -> None:
    config = read(webhooks={"alerts": {"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=K"}})
    assert config.webhooks["alerts"].url.endswith("key=K")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"corp_id": ""}, "corp_id: .*Company ID"),
        ({"corp_id": "ww 1"}, "corp_id: .*Company ID"),
        ({"secret": ""}, "secret: .*Secret"),
        ({"token": ""}, "token: .*API Receive › Token"),
        (
            {"encoding_aes_key": KEY[:-1]},
            "encoding_aes_key: must be 43 .* 42 characters; .*API Receive › EncodingAESKey",
        ),
        ({"encoding_aes_key": KEY + "="}, "encoding_aes_key: must be 43 .* 44 characters"),
        ({"encoding_aes_key": "*" * 43}, "encoding_aes_key"),
        ({"previous_encoding_aes_key": "short"}, "previous_encoding_aes_key: must be 43 .* 5 characters"),
        ({"host": "qyapi.weixin.qq.com"}, "host: must be an address"),
        ({"host": "https://qyapi.weixin.qq.com/"}, "host: must be an address"),
        ({"webhooks": {"a": {"url": "https://x/send"}}}, r"webhooks\.a\.url: must be the address with its key"),
        ({"webhooks": {"a": {"url": "ftp://x/send?key=1"}}}, r"webhooks\.a\.url"),
        ({"webhooks": {"a": {}}}, "url"),
        ({"agent_id": "1000002"}, "agent_id"),
        ({"reply_mode": "lazy"}, "reply_mode"),
        ({"corpid": "x"}, "corpid"),
    ],
)
def test_an_error_names_the_field_but_no_value(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named) as error:
        read(**fields)
    assert not [value for value in (GOOD["secret"], KEY, KEY[:-1]) if value in str(error.value)]


def test_one_error_lists_all_problems() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"corp_id.*token.*encoding_aes_key"):
        read(corp_id="", token="", encoding_aes_key="")
