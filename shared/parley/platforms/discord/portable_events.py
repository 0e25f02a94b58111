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
