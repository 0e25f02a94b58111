"""Discord's names of events that other platforms have too (Discord docs: Webhook Events › Event Types; Gateway Events).

Those of the Gateway need `connectors.discord`.
"""

from collections.abc import Mapping

EVENTS: Mapping[str, str] = {
    "APPLICATION_AUTHORIZED": "app_installed",
    "APPLICATION_DEAUTHORIZED": "app_removed",
    "GUILD_CREATE": "bot_added",
    "GUILD_DELETE": "bot_removed",
    "GUILD_MEMBER_ADD": "member_joined",
    "GUILD_MEMBER_REMOVE": "member_left",
    "MESSAGE_DELETE": "message_recalled",
    "MESSAGE_REACTION_ADD": "reaction_added",
    "MESSAGE_REACTION_REMOVE": "reaction_removed",
}
"""The portable name by Discord's name."""

INSTALLATIONS: Mapping[str, bool] = {"APPLICATION_AUTHORIZED": True, "GUILD_CREATE": True, "GUILD_DELETE": False}
"""Whether the server of the event has the app from then on. That an app was deauthorised has no server."""
