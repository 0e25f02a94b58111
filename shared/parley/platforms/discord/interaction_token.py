"""The interaction token: it answers one interaction, and travels encrypted in the message's context.

Discord docs: Receiving and Responding › Followup Messages: the token is valid for 15 minutes.
"""

import msgspec

from parley import crypto
from parley.model import Destination
from parley.platforms.discord.config import Config

_LIFETIME = 900
"""Seconds for which Discord accepts an interaction token."""
_MARGIN = 30
"""Seconds before its expiry at which the token is no longer used, so that no call arrives after the expiry."""


class InteractionToken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An interaction token, and the facts about the interaction that a reply depends on."""

    token: str
    thinking: bool = False
    """The response was deferred: the channel shows "thinking..." until the first reply replaces it."""
    private: bool = False
    """The deferred response and the replies after it are visible only to the person."""
    upload_limit: int = 0
    """Bytes of the largest file; 0 if Discord sent no limit."""


UNREADABLE = InteractionToken(token="", private=True)
"""For a token that was encrypted with an earlier bot token. It is unknown whether the replies were to be private. They
are treated as private, so that no private reply becomes public."""


def seal(config: Config, interaction: InteractionToken) -> str:
    """`interaction` encrypted for `Context.reply_token`."""
    return crypto.seal(config.bot_token, msgspec.json.encode(interaction).decode())


def unseal(to: Destination, config: Config) -> InteractionToken | None:
    """The interaction token of `to`, expired or not; None if it has none.

    An expired one still says whether the replies are private.
    """
    if not to.reply_token:
        return None
    try:
        return msgspec.json.decode(crypto.unseal(config.bot_token, to.reply_token), type=InteractionToken)
    except ValueError:
        return UNREADABLE


def expires(received: float) -> int:
    """The unix second from which the token of an interaction that came at `received` is no longer used."""
    return int(received) + _LIFETIME - _MARGIN


def received(to: Destination) -> int:
    """The unix second at which the interaction of `to` came, which is also when it was responded to."""
    return to.reply_token_expires - _LIFETIME + _MARGIN


def is_usable(to: Destination, interaction: InteractionToken | None, now: float) -> bool:
    """Whether the token can still be used."""
    return interaction is not None and bool(interaction.token) and now < to.reply_token_expires
