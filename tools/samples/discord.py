"""Interactions of Discord, signed by PyNaCl."""

import json
from random import Random
from typing import Any

from nacl.signing import SigningKey

from tools.samples import gateway

_KEY = SigningKey(b"sample".ljust(32, b"-"))
_APPLICATION, _GUILD, _CHANNEL = "1100000000000000001", "1100000000000000020", "1100000000000000030"
_PERSON = {"id": "1100000000000000050", "username": "lin", "global_name": "Lin Mei", "discriminator": "0"}
_PING, _COMMAND, _COMPONENT = 1, 2, 3


def app(playground: str) -> dict[str, Any]:
    """The configuration of the app `sample`."""
    return {
        "application_id": _APPLICATION,
        "public_key": _KEY.verify_key.encode().hex(),
        "bot_token": "sample-bot-token",
        "host": f"{playground}/discord/api/v10",
    }


def events(now: int) -> dict[str, Any]:
    """One event per case."""
    dice = Random(f"discord {now}")
    command = {"id": "1100000000000000040", "name": "count", "type": 1}
    pressed = {"custom_id": "tea", "component_type": 2}
    card = {"id": _snowflake(now, dice), "channel_id": _CHANNEL, "content": "", "type": 0}
    return {
        "ping": _posted(_interaction(_PING, now, dice), now),
        "command": _posted(_interaction(_COMMAND, now, dice, data=command), now),
        "button": _posted(_interaction(_COMPONENT, now, dice, data=pressed, message=card), now),
    }


def _interaction(kind: int, now: int, dice: Random, **more: Any) -> dict[str, Any]:
    same = {
        "id": _snowflake(now, dice),
        "application_id": _APPLICATION,
        "type": kind,
        "version": 1,
        "token": f"{dice.getrandbits(256):064x}",
    }
    if kind == _PING:
        return {**same, "user": _PERSON}
    place = {
        "guild_id": _GUILD,
        "channel_id": _CHANNEL,
        "channel": {"id": _CHANNEL, "type": 0, "name": "team", "guild_id": _GUILD},
        "member": {"user": _PERSON, "roles": [], "permissions": "2248473465835073"},
        "locale": "zh-CN",
        "guild_locale": "en-US",
        "context": 0,
    }
    return {**same, **place, **more}


def _posted(interaction: dict[str, Any], now: int) -> dict[str, Any]:
    body, stamp = json.dumps(interaction, ensure_ascii=False).encode(), str(int(now))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)",
        "X-Signature-Ed25519": _KEY.sign(stamp.encode() + body).signature.hex(),
        "X-Signature-Timestamp": stamp,
    }
    return gateway.callback("discord", headers, body, now)


def _snowflake(now: int, dice: Random) -> str:
    """An id as Discord makes them: milliseconds since 2015, then 22 bits."""
    return str(((int(now * 1000) - 1_420_070_400_000) << 22) | dice.getrandbits(22))
