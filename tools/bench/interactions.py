"""A Discord callback by Parley and by Discord's own helper, with the same bytes: verify, parse, normalise."""

import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
from discord_interactions import verify_key
from nacl.signing import SigningKey

from parley.adapter import Accepted, App, Headers, Request
from parley.platforms import config_type, inbound
from playground.platforms.discord import wire

_KEY = SigningKey(b"bench".ljust(32, b"-"))
_CONFIG = {
    "application_id": "1100000000000000001",
    "public_key": _KEY.verify_key.encode().hex(),
    "bot_token": "a-bot-token-of-nobody",
}


def functions() -> dict[str, Callable[[], Any]]:
    """The compared functions by library."""
    made = wire.signed(_KEY, wire.dumps(_command()), time.time())
    headers, body = dict(made.headers), made.body
    return {"parley": _ours(headers, body), "discord-interactions": _theirs(headers, body)}


def _ours(headers: dict[str, str], body: bytes) -> Callable[[], Any]:
    """Parley's `receive`. Its result is a unified message with the encrypted interaction token."""
    app = App("discord", "bench", msgspec.convert(_CONFIG, config_type("discord")))
    receive = inbound("discord").receive

    def once() -> Any:
        return receive(Request(headers=Headers(headers), body=body), app, time.time())

    outcome = once()
    if not isinstance(outcome, Accepted) or outcome.messages[0].command is None:
        raise SystemExit("bench: Parley does not accept the sample interaction")
    return once


def _theirs(headers: dict[str, str], body: bytes) -> Callable[[], Any]:
    """Discord's `verify_key`, which uses PyNaCl. Its result is a dictionary."""
    signature, stamp = headers["X-Signature-Ed25519"], headers["X-Signature-Timestamp"]

    def once() -> Any:
        return json.loads(body) if verify_key(body, signature, stamp, _CONFIG["public_key"]) else None

    if once() is None:
        raise SystemExit("bench: discord-interactions does not accept the sample interaction")
    return once


def _command() -> dict[str, Any]:
    """The command `/echo` in a channel."""
    user = {"id": "1100000000000000050", "username": "lin", "global_name": "Lin Mei", "discriminator": "0"}
    text = {"name": "text", "type": 3, "value": "明天上午十点的会议改到下午两点，请大家确认"}
    channel = "1100000000000000030"
    return {
        "id": wire.snowflake(time.time(), 1),
        "application_id": _CONFIG["application_id"],
        "type": 2,
        "version": 1,
        "token": "aW50ZXJhY3Rpb246" * 12,
        "guild_id": "1100000000000000020",
        "guild": {"id": "1100000000000000020", "locale": "en-US", "features": []},
        "channel_id": channel,
        "channel": {"id": channel, "type": 0, "name": "team", "guild_id": "1100000000000000020"},
        "member": {"user": user, "nick": None, "roles": [], "permissions": "2248473465835073"},
        "app_permissions": "2248473465835073",
        "locale": "zh-CN",
        "guild_locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": "1100000000000000020"},
        "context": 0,
        "attachment_size_limit": 10_485_760,
        "data": {"id": "1100000000000000040", "name": "echo", "type": 1, "options": [text]},
    }
