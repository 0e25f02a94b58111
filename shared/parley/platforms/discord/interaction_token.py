"""The right to answer an interaction: its token and what was promised with it, sealed into the message's context.

Discord docs: Receiving and Responding › Followup Messages: the token is valid for 15 minutes.
"""

import msgspec

from parley import crypto
from parley.model import Destination
from parley.platforms.discord.config import Config

LIFE = 900
"""Seconds that an interaction token works."""
MARGIN = 30
"""Seconds before that end at which it is given up, so that no call meets the end on its way."""


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of an interaction when it is answered."""

    token: str
    thinking: bool = False
    """A "thinking..." stands in the channel, which the first answer fills in."""
    private: bool = False
    """The person alone sees that, and the answers after it."""
    upload_limit: int = 0
    """Bytes that a file may have there; 0 is not told."""


def seal(config: Config, grant: Grant) -> str:
    """`grant` as it travels: `Context.grant`."""
    return crypto.seal(config.bot_token, msgspec.json.encode(grant).decode())


UNREADABLE = Grant(token="", private=True)
"""Sealed under a bot token that was changed since. Nobody knows whether the answers were meant for one person: they are
better given to one than to all."""


def unseal(to: Destination, config: Config) -> Grant | None:
    """The grant of `to`, also when its time is over: whether it was private still matters then. None without one."""
    if not to.reply_token:
        return None
    try:
        return msgspec.json.decode(crypto.unseal(config.bot_token, to.reply_token), type=Grant)
    except (ValueError, msgspec.MsgspecError):
        return UNREADABLE


def is_alive(to: Destination, grant: Grant | None, now: float) -> bool:
    """Whether the interaction can still be answered with its token."""
    return grant is not None and bool(grant.token) and now < to.reply_token_expires
