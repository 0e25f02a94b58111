"""The configuration of WeChat: its defaults, and errors that name the field and the page of the console."""

from typing import Any

import msgspec
import pytest

from parley.platforms import config_type
from parley.platforms.wechat.config import Config

KEY = "Zx9Cv8Bn7Ml6Kj5Hg4Fd3Sa2Qw1Er0Ty9Ui8Op7As6D"
GOOD: dict[str, Any] = {"app_id": "wx1", "app_secret": "s3", "token": "t0", "encoding_aes_key": KEY}


def read(**fields: Any) -> Config:
    return msgspec.json.decode(msgspec.json.encode({**GOOD, **fields}), type=Config)


def test_it_is_registered() -> None:
    assert config_type("wechat") is Config


def test_the_defaults_are_safe_mode_active_replies_and_the_real_host() -> None:
    config = read()
    assert (config.mode, config.reply_mode, config.host) == ("safe", "active", "https://api.weixin.qq.com")


def test_only_plain_mode_needs_no_key() -> None:
    assert read(mode="plain", encoding_aes_key="").keys == ()
    assert read(mode="plain").keys == (KEY,)
    for mode in ("safe", "compatible"):
        with pytest.raises(msgspec.ValidationError, match=r"encoding_aes_key: must be 43 .* 0 characters"):
            read(mode=mode, encoding_aes_key="")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"app_id": ""}, "app_id: .*AppID"),
        ({"app_secret": ""}, "app_secret: .*AppSecret"),
        ({"token": "a b"}, "token: .*Server Configuration › Token"),
        (
            {"encoding_aes_key": KEY[:-1]},
            "encoding_aes_key: must be 43 .* 42 characters; .*Server Configuration › EncodingAESKey",
        ),
        ({"mode": "plain", "encoding_aes_key": "x"}, "encoding_aes_key"),
        ({"previous_encoding_aes_key": "x"}, "previous_encoding_aes_key"),
        ({"original_id": "wx1"}, "original_id: must begin with gh_"),
        ({"mode": "raw"}, "mode"),
        ({"reply_mode": "lazy"}, "reply_mode"),
        ({"host": "api.weixin.qq.com"}, "host"),
        ({"appid": "x"}, "appid"),
    ],
)
def test_an_error_names_the_field_but_no_value(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named) as error:
        read(**fields)
    assert not [value for value in (GOOD["app_secret"], KEY, KEY[:-1]) if value in str(error.value)]
