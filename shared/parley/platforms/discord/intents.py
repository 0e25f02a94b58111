"""The intents of Discord's Gateway: which events it sends (Discord docs: Gateway › Gateway Intents)."""

from collections.abc import Iterable, Mapping

INTENTS: Mapping[str, int] = {
    "GUILDS": 1 << 0,
    "GUILD_MEMBERS": 1 << 1,
    "GUILD_MODERATION": 1 << 2,
    "GUILD_EXPRESSIONS": 1 << 3,
    "GUILD_INTEGRATIONS": 1 << 4,
    "GUILD_WEBHOOKS": 1 << 5,
    "GUILD_INVITES": 1 << 6,
    "GUILD_VOICE_STATES": 1 << 7,
    "GUILD_PRESENCES": 1 << 8,
    "GUILD_MESSAGES": 1 << 9,
    "GUILD_MESSAGE_REACTIONS": 1 << 10,
    "GUILD_MESSAGE_TYPING": 1 << 11,
    "DIRECT_MESSAGES": 1 << 12,
    "DIRECT_MESSAGE_REACTIONS": 1 << 13,
    "DIRECT_MESSAGE_TYPING": 1 << 14,
    "MESSAGE_CONTENT": 1 << 15,
    "GUILD_SCHEDULED_EVENTS": 1 << 16,
    "AUTO_MODERATION_CONFIGURATION": 1 << 20,
    "AUTO_MODERATION_EXECUTION": 1 << 21,
    "GUILD_MESSAGE_POLLS": 1 << 24,
    "DIRECT_MESSAGE_POLLS": 1 << 25,
}
"""The bit of each intent."""
PRIVILEGED = frozenset({"GUILD_MEMBERS", "GUILD_PRESENCES", "MESSAGE_CONTENT"})
"""Intents that have to be switched on in the developer portal."""


def bits(names: Iterable[str]) -> int:
    """The number that stands for the intents `names`. Raises ValueError, which names an unknown one."""
    found = 0
    for name in names:
        if name not in INTENTS:
            raise ValueError(f"gateway_intents: Discord has no intent {name[:40]!r}")
        found |= INTENTS[name]
    return found
