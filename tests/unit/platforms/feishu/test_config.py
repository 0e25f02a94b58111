"""The configuration of a Feishu app: accepted values, and errors that name the field."""

from typing import Any

import msgspec
import pytest

from parley.platforms import config_type
from parley.platforms.feishu.config import Config

GOOD: dict[str, Any] = {"app_id": "cli_1", "app_secret": "s", "verification_token": "v"}


def read(**fields: Any) -> Config:
    return msgspec.json.decode(msgspec.json.encode({**GOOD, **fields}), type=Config)


def test_the_registry_has_the_config_type() -> None:
    assert config_type("feishu") is Config


@pytest.mark.parametrize(
    ("host", "api", "accounts"),
    [
        ("feishu", "https://open.feishu.cn", "https://accounts.feishu.cn"),
        ("lark", "https://open.larksuite.com", "https://accounts.larksuite.com"),
        ("http://127.0.0.1:8080/feishu/", "http://127.0.0.1:8080/feishu", "http://127.0.0.1:8080/feishu"),
    ],
)
def test_a_host_is_a_name_or_an_address(host: str, api: str, accounts: str) -> None:
    config = read(host=host)
    assert (config.api, config.accounts) == (api, accounts)


def test_the_defaults_are_feishu_without_encryption() -> None:
    config = read()
    assert (config.api, config.encrypt_key, config.app_type) == ("https://open.feishu.cn", "", "internal")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"app_id": ""}, "app_id"),
        ({"app_secret": ""}, "app_secret"),
        ({"verification_token": ""}, "verification_token"),
        ({"verification_token": None}, "verification_token"),
        ({"encrypt_key": 1}, "encrypt_key"),
        ({"app_type": "isv"}, "app_type"),
        ({"host": "open.feishu.cn"}, "host"),
        ({"host": "https://"}, "host"),
        ({"host": "https://a b"}, "host"),
        ({"webhooks": {"a": {"url": "ftp://x"}}}, "url"),
        ({"webhooks": {"a": {"secret": "x"}}}, "url"),
        ({"webhooks": {"a": {"url": "https://x", "sign": "x"}}}, "sign"),
        ({"encryptkey": "x"}, "encryptkey"),
        ({"on_unknown": "maybe"}, "on_unknown"),
    ],
)
def test_an_error_names_the_field_but_not_the_value(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named) as error:
        read(**fields)
    for value in ("ftp://x", "https://a b"):
        assert value not in str(error.value)


@pytest.mark.parametrize("missing", GOOD)
def test_the_credentials_are_required(missing: str) -> None:
    fields = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.json.decode(msgspec.json.encode(fields), type=Config)
