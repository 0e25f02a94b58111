"""Calls of Discord's REST API."""

from typing import Any

from parley.adapter import Auth, Call
from parley.platforms.discord.config import Config

BOT = Auth("header", "Authorization", "Bot ")
"""The bot token, for all calls except those with an interaction token."""


def api_call(config: Config, name: str, method: str, path: str, **more: Any) -> Call:
    """A call of `path`, which starts with a slash. `more`: further fields of `Call`."""
    return Call(name=name, method=method, url=f"{config.host}{path}", headers=headers(config), **more)


def headers(config: Config) -> dict[str, str]:
    """The headers of every call. Cloudflare may refuse calls without a proper User-Agent."""
    return {"User-Agent": config.user_agent}
