"""Which function answers which path of Discord's API."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from playground.platforms.discord import channels, granted, registered
from playground.platforms.http import Response


class Route(NamedTuple):
    """A path of the API. `bot`: it needs the bot's token, and the function gets the account it belongs to."""

    method: str
    pattern: re.Pattern[str]
    function: Callable[..., Response]
    bot: bool
    name: str


def _route(method: str, path: str, function: Callable[..., Response], *, bot: bool = True) -> Route:
    return Route(
        method, re.compile("/api/v10" + re.sub(r":[a-z]+", "([^/]+)", path)), function, bot, f"{method} {path}"
    )


_HOOK = "/webhooks/:application/:token"
_MESSAGES = "/channels/:channel/messages"
_GLOBAL, _GUILD = "/applications/:application/commands", "/applications/:application/guilds/:guild/commands"
_ROUTES = (
    _route("GET", f"{_HOOK}/messages/@original", granted.get_original, bot=False),
    _route("PATCH", f"{_HOOK}/messages/@original", granted.edit_original, bot=False),
    _route("DELETE", f"{_HOOK}/messages/@original", granted.delete_original, bot=False),
    _route("POST", _HOOK, granted.follow_up, bot=False),
    _route("PATCH", f"{_HOOK}/messages/:message", granted.edit_follow_up, bot=False),
    _route("DELETE", f"{_HOOK}/messages/:message", granted.delete_follow_up, bot=False),
    _route("POST", "/interactions/:interaction/:token/callback", granted.respond, bot=False),
    _route("POST", "/users/@me/channels", channels.open_direct),
    _route("GET", "/users/@me", channels.me),
    _route("POST", _MESSAGES, channels.send),
    _route("GET", f"{_MESSAGES}/:message", channels.get),
    _route("PATCH", f"{_MESSAGES}/:message", channels.edit),
    _route("DELETE", f"{_MESSAGES}/:message", channels.delete),
    _route("POST", f"{_MESSAGES}/:message/threads", channels.open_thread),
    *(
        _route(method, f"{path}{rest}", function)
        for path in (_GLOBAL, _GUILD)
        for method, rest, function in (
            ("GET", "", registered.listing),
            ("POST", "", registered.create),
            ("PUT", "", registered.replace),
            ("PATCH", "/:command", registered.update),
            ("DELETE", "/:command", registered.delete),
        )
    ),
)


def find(method: str, path: str) -> tuple[Route, tuple[Any, ...]] | None:
    """The route of a request and the parts of its path; None where Discord has none."""
    for route in _ROUTES:
        match = route.pattern.fullmatch(path)
        if match and route.method == method:
            return route, match.groups()
    return None
