"""Interactions and webhook events of Discord, signed by PyNaCl."""

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

from nacl.signing import SigningKey

from tools.samples import gateway

_KEY = SigningKey(b"sample".ljust(32, b"-"))
_APPLICATION, _GUILD, _CHANNEL = "1100000000000000001", "1100000000000000020", "1100000000000000030"
_PERSON = {"id": "1100000000000000050", "username": "lin", "global_name": "Lin Mei", "discriminator": "0"}
_OTHER = {"id": "1100000000000000051", "username": "sam", "global_name": "Sam Okafor", "discriminator": "0"}
_PING, _COMMAND, _COMPONENT, _COMPLETION, _FORM = 1, 2, 3, 4, 5
_ON_USER, _ON_MESSAGE = 2, 3


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
    rng = Random(f"discord {now}")
    command = {"id": "1100000000000000040", "name": "count", "type": 1}
    pressed = {"custom_id": "tea", "component_type": 2}
    card = {"id": _snowflake(now, rng), "channel_id": _CHANNEL, "content": "", "type": 0}
    typed = {"name": "drink", "type": 3, "value": "tea", "focused": True}
    order = {"id": "1100000000000000041", "name": "order", "type": 1, "options": [typed]}
    feedback = {"id": "1100000000000000042", "name": "feedback", "type": 1}
    return {
        "ping": _posted(_interaction(_PING, now, rng), now),
        "command": _posted(_interaction(_COMMAND, now, rng, data=command), now),
        "button": _posted(_interaction(_COMPONENT, now, rng, data=pressed, message=card), now),
        "completion": _posted(_interaction(_COMPLETION, now, rng, data=order), now),
        "form_to_open": _posted(_interaction(_COMMAND, now, rng, data=feedback), now),
        "form": _posted(_interaction(_FORM, now, rng, data=_filled_in()), now),
        "menu_of_message": _posted(_interaction(_COMMAND, now, rng, data=_on_message(now, rng)), now),
        "menu_of_person": _posted(_interaction(_COMMAND, now, rng, data=_on_person()), now),
        "event": _posted(_authorized(now), now),
        "event_ping": _posted({"version": 1, "application_id": _APPLICATION, "type": 0}, now),
    }


def _filled_in() -> dict[str, Any]:
    text = {"type": 4, "id": 2, "custom_id": "text", "value": "很好 Very good"}
    return {"custom_id": "feedback", "components": [{"type": 18, "id": 1, "component": text}]}


def _on_message(now: int, rng: Random) -> dict[str, Any]:
    """A command of the menu of a message. The message mentions another person."""
    target = _snowflake(now, rng)
    message = {
        "id": target,
        "type": 0,
        "channel_id": _CHANNEL,
        "content": f"Please ask <@{_PERSON['id']}> about the invoice",
        "author": _OTHER,
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(),
        "edited_timestamp": None,
        "mentions": [_PERSON],
        "attachments": [],
        "embeds": [],
        "flags": 0,
    }
    about = {"id": "1100000000000000043", "name": "Count words", "type": _ON_MESSAGE}
    return about | {"target_id": target, "resolved": {"messages": {target: message}}}


def _on_person() -> dict[str, Any]:
    about = {"id": "1100000000000000044", "name": "Greet", "type": _ON_USER}
    return about | {"target_id": _OTHER["id"], "resolved": {"users": {_OTHER["id"]: _OTHER}}}


def _authorized(now: int) -> dict[str, Any]:
    """A person has added the application to a guild. Discord writes the time without an offset."""
    guild = {"id": _GUILD, "name": "Panda Lab", "owner_id": _PERSON["id"], "features": []}
    data = {"integration_type": 0, "scopes": ["bot", "applications.commands"], "user": _PERSON, "guild": guild}
    stamp = datetime.fromtimestamp(now, UTC).replace(tzinfo=None).isoformat()
    event = {"type": "APPLICATION_AUTHORIZED", "timestamp": stamp, "data": data}
    return {"version": 1, "application_id": _APPLICATION, "type": 1, "event": event}


def _interaction(kind: int, now: int, rng: Random, **more: Any) -> dict[str, Any]:
    same = {
        "id": _snowflake(now, rng),
        "application_id": _APPLICATION,
        "type": kind,
        "version": 1,
        "token": f"{rng.getrandbits(256):064x}",
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


def _snowflake(now: int, rng: Random) -> str:
    """An id in Discord's form: milliseconds since 2015, then 22 bits."""
    return str(((int(now * 1000) - 1_420_070_400_000) << 22) | rng.getrandbits(22))
