"""The configuration of a Discord application, by the names of its developer portal."""

import re

from parley import adapter

_SNOWFLAKE = re.compile(r"[0-9]{1,20}")
_PUBLIC_KEY = re.compile(r"[0-9a-fA-F]{64}")


class Config(adapter.Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Discord application. Raises ValueError, which names the field and never its value."""

    application_id: str
    """Portal › General Information."""
    public_key: str
    """Portal › General Information, 64 hex digits: the key of the application's callbacks."""
    bot_token: str
    """Portal › Bot. Also seals the interaction tokens that travel with the messages."""
    host: str = "https://discord.com/api/v10"
    """The API with its version; without one Discord means version 6."""
    user_agent: str = "DiscordBot (https://example.com/parley, 1.0)"
    """`DiscordBot (address, version)`: without the form, Cloudflare may refuse the calls."""
    guild_ids: tuple[str, ...] = ()
    """Guilds that the commands are registered in, for test stages; empty registers them everywhere."""
    ephemeral: bool = False
    """Whether answers to commands and forms are seen by the person alone."""
    ephemeral_commands: tuple[str, ...] = ()
    """Those of which the answers are in any case: `"doc"`, `"doc file check"`, or the id of a form. Discord wants to
    know before the bot has seen the command."""
    allow_everyone: bool = False
    """Whether a `Mention(id="all")` notifies everyone. Nothing else ever does."""

    def __post_init__(self) -> None:
        """Check what a decoder cannot."""
        if not _SNOWFLAKE.fullmatch(self.application_id):
            raise ValueError("application_id: expected the digits of the Application ID")
        if not _PUBLIC_KEY.fullmatch(self.public_key):
            raise ValueError("public_key: expected the 64 hex digits of the Public Key; it is no token or secret")
        if not self.bot_token or not self.bot_token.isascii() or any(c.isspace() for c in self.bot_token):
            raise ValueError("bot_token: expected the token of the Bot page, without the word Bot")
        if not self.host.startswith(("https://", "http://")) or self.host.endswith("/"):
            raise ValueError("host: expected an address with https:// and no slash at its end")
        if not self.user_agent.isprintable() or not self.user_agent.isascii():
            raise ValueError("user_agent: expected printable ASCII")
        if not all(_SNOWFLAKE.fullmatch(guild) for guild in self.guild_ids):
            raise ValueError("guild_ids: expected the digits of guild ids")
