"""The routes of Discord's API."""

from functools import partial

from playground.platforms.discord import channel_api, command_api, gateway_events, interaction_api, reaction_api
from playground.platforms.routing import Router
from playground.platforms.routing import route as any_route

route = partial(any_route, prefix="/api/v10")
by_token = partial(route, authenticated=False)
"""A route whose path contains an interaction token. It needs no bot token."""

_WEBHOOK = "/webhooks/{application}/{token}"
_MESSAGES = "/channels/{channel}/messages"
_GLOBAL, _GUILD = "/applications/{application}/commands", "/applications/{application}/guilds/{guild}/commands"

ROUTER = Router(
    by_token("GET", f"{_WEBHOOK}/messages/@original", interaction_api.get_original),
    by_token("PATCH", f"{_WEBHOOK}/messages/@original", interaction_api.edit_original),
    by_token("DELETE", f"{_WEBHOOK}/messages/@original", interaction_api.delete_original),
    by_token("POST", _WEBHOOK, interaction_api.follow_up),
    by_token("PATCH", f"{_WEBHOOK}/messages/{{message}}", interaction_api.edit_follow_up),
    by_token("DELETE", f"{_WEBHOOK}/messages/{{message}}", interaction_api.delete_follow_up),
    by_token("POST", "/interactions/{interaction}/{token}/callback", interaction_api.respond),
    route("POST", "/users/@me/channels", channel_api.open_direct),
    route("GET", "/users/@me", channel_api.me),
    route("GET", "/gateway/bot", gateway_events.gateway_bot),
    route("GET", "/channels/{channel}", channel_api.channel),
    route("POST", _MESSAGES, channel_api.send),
    route("GET", f"{_MESSAGES}/{{message}}", channel_api.get),
    route("PATCH", f"{_MESSAGES}/{{message}}", channel_api.edit),
    route("DELETE", f"{_MESSAGES}/{{message}}", channel_api.delete),
    route("POST", f"{_MESSAGES}/{{message}}/threads", channel_api.open_thread),
    route("PUT", f"{_MESSAGES}/{{message}}/reactions/{{emoji}}/@me", reaction_api.add),
    route("DELETE", f"{_MESSAGES}/{{message}}/reactions/{{emoji}}/@me", reaction_api.delete),
    route("GET", "/applications/@me", command_api.application),
    *(
        route(method, f"{path}{rest}", handler)
        for path in (_GLOBAL, _GUILD)
        for method, rest, handler in (
            ("GET", "", command_api.listing),
            ("POST", "", command_api.create),
            ("PUT", "", command_api.replace),
            ("PATCH", "/{command}", command_api.update),
            ("DELETE", "/{command}", command_api.delete),
        )
    ),
)
