"""The codes with which the Gateway closes a connection (Discord docs: Opcodes and Status Codes › Gateway)."""

from collections.abc import Mapping

RESUMABLE = 4000
"""The code with which a client closes a connection that it wants to resume. 1000 and 1001 would end the session."""
LOST = 1006
"""Stands for a connection that broke without a code."""

FATAL: Mapping[int, str] = {
    4004: "the bot token is wrong",
    4010: "the shard is not valid: see gateway_shards",
    4011: "the bot is in too many servers for so few shards: see gateway_shards",
    4012: "this version of the API is no longer supported",
    4013: "the intents are not valid: see gateway_intents",
    4014: "an intent is not switched on in the developer portal (Bot > Privileged Gateway Intents)",
}
"""Codes after which every other try fails too, until a person changes something."""
FRESH = frozenset({4003, 4005, 4007, 4009})
"""Codes after which the session is of no use. All others leave it resumable."""
TOO_FAST = 4008
"""The client has sent too many frames."""
