"""Which function answers which path of Feishu's API."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from playground.platforms.feishu import auth, hooks, messages, resources
from playground.platforms.http import Response

__all__ = ["Route", "find"]


class Route(NamedTuple):
    """A path of the API. `token`: it needs a tenant access token, and the function gets the account it belongs to."""

    method: str
    pattern: re.Pattern[str]
    function: Callable[..., Response]
    token: bool
    name: str


def _route(method: str, path: str, function: Callable[..., Response], *, token: bool = True) -> Route:
    pattern = re.compile(re.sub(r"/:[a-z_]+", "/([^/]+)", path))
    return Route(method, pattern, function, token, f"{method} {path}")


_MESSAGE = "/open-apis/im/v1/messages/:message_id"
_AUTH = "/open-apis/auth/v3"
_ROUTES = (
    _route("POST", f"{_AUTH}/tenant_access_token/internal/?", auth.tenant_internal, token=False),
    _route("POST", f"{_AUTH}/app_access_token/internal/?", auth.app_internal, token=False),
    _route("POST", f"{_AUTH}/app_access_token/?", auth.app_store, token=False),
    _route("POST", f"{_AUTH}/tenant_access_token/?", auth.tenant_store, token=False),
    _route("POST", f"{_AUTH}/app_ticket/resend/?", auth.resend_ticket, token=False),
    _route("POST", "/open-apis/bot/v2/hook/:hook_id", hooks.push, token=False),
    _route("POST", "/open-apis/im/v1/messages", messages.send),
    _route("POST", f"{_MESSAGE}/reply", messages.reply),
    _route("PUT", _MESSAGE, messages.edit),
    _route("PATCH", _MESSAGE, messages.update_card),
    _route("DELETE", _MESSAGE, messages.recall),
    _route("GET", _MESSAGE, messages.get),
    _route("POST", f"{_MESSAGE}/reactions", messages.react),
    _route("DELETE", f"{_MESSAGE}/reactions/:reaction_id", messages.unreact),
    _route("GET", f"{_MESSAGE}/resources/:file_key", resources.download),
    _route("POST", "/open-apis/im/v1/images", resources.upload_image),
    _route("POST", "/open-apis/im/v1/files", resources.upload_file),
    _route("GET", "/open-apis/im/v1/(?:images|files)/:key", resources.own_resource),
    _route("GET", "/open-apis/im/v1/chats/:chat_id", resources.chat),
    _route("GET", "/open-apis/contact/v3/users/:user_id", resources.user),
    _route("GET", "/open-apis/bot/v3/info/?", resources.bot),
    _route("GET", "/open-apis/event/v1/outbound_ip", resources.callback_ips),
    _route("POST", "/open-apis/interactive/v1/card/update", hooks.update_later),
)


def find(method: str, path: str) -> tuple[Route, tuple[Any, ...]] | None:
    """The route of a request and the parts of its path; None where Feishu has none."""
    for route in _ROUTES:
        match = route.pattern.fullmatch(path)
        if match and route.method == method:
            return route, match.groups()
    return None
