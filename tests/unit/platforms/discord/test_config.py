"""The configuration of a Discord application."""

import msgspec
import pytest

from parley.platforms.discord.config import Config

GOOD = {"application_id": "1100000000000000001", "public_key": "ab" * 32, "bot_token": "MTEw.a-b.c_d"}


def parse(**changed: object) -> Config:
    return msgspec.json.decode(msgspec.json.encode({**GOOD, **changed}), type=Config)


def test_three_fields_are_required() -> None:
    config = parse()
    assert config.host == "https://discord.com/api/v10"
    assert config.ephemeral_commands == ()
    assert not config.allow_everyone


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("application_id", "bot"),
        ("application_id", 1100000000000000001),
        ("public_key", "ab" * 31),
        ("public_key", "zz" * 32),
        ("bot_token", ""),
        ("bot_token", "Bot sesame"),
        ("bot_token", "sésame"),
        ("host", "discord.com"),
        ("host", "https://discord.com/api/v10/"),
        ("user_agent", "a\nb"),
        ("guild_ids", ["main"]),
        ("ephemeral_commands", "doc"),
    ],
)
def test_an_error_names_the_field_but_not_the_value(field: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        parse(**{field: value})
    assert field in str(raised.value)
    assert not value or str(value) not in str(raised.value)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="public_keys"):
        parse(public_keys="x")
