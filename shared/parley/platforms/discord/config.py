"""Configuration of a Discord application, with the names of the developer portal."""

import re

from parley import adapter
from parley.adapter.logins import LoginConfig
from parley.platforms.discord.intents import bits
from parley.platforms.discord.snowflake import snowflake

_PUBLIC_KEY = re.compile(r"[0-9a-fA-F]{64}")


class Logins(LoginConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logins of persons. The redirect address is listed in the portal, on the page OAuth2."""

    client_secret: str
    """Portal › OAuth2."""


class Config(adapter.Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Discord application. Raises ValueError. The error names the field, but not its value."""

    application_id: str
    """Portal › General Information."""
    public_key: str
    """Portal › General Information, 64 hex digits. It verifies the signatures of callbacks."""
    previous_public_key: str = ""
    """The key before, while it changes. Both are valid."""
    bot_token: str
    """Portal › Bot. It also encrypts the interaction tokens in messages."""
    host: str = "https://discord.com/api/v10"
    """Address of the API with its version. Without a version, Discord uses version 6."""
    user_agent: str = "DiscordBot (https://example.com/parley, 1.0)"
    """Has the form `DiscordBot (address, version)`. Cloudflare may refuse calls with another form."""
    guild_ids: tuple[str, ...] = ()
    """Guilds in which the commands are registered, for test stages. Empty: they are registered everywhere."""
    ephemeral: bool = False
    """Whether replies to commands and forms are visible only to the person."""
    ephemeral_commands: tuple[str, ...] = ()
    """Commands and forms whose replies are always ephemeral: `"doc"`, `"doc file check"`, or the id of a form. It is a
    setting because Discord requires the decision before the bot receives the command."""
    gateway_intents: tuple[str, ...] = ("GUILDS", "GUILD_MESSAGES", "DIRECT_MESSAGES")
    """The events that the Gateway sends (`connectors.discord`), by Discord's names. Of what people write in servers,
    Discord sends the text only with `MESSAGE_CONTENT`, or if it mentions the bot."""
    gateway_shards: int = 1
    """The connections among which the servers are divided. One is enough for 2,500 servers."""
    allow_everyone: bool = False
    """Whether a `Mention(id="all")` notifies everyone. No other segment can."""
    logins: Logins | None = None
    """With it, persons can let the bot act for them (`parley.bot.Login`)."""

    def __post_init__(self) -> None:
        """Check the values beyond their types."""
        if not snowflake(self.application_id):
            raise ValueError("application_id: expected the digits of the Application ID")
        if self.previous_public_key and not _PUBLIC_KEY.fullmatch(self.previous_public_key):
            raise ValueError("previous_public_key: expected the 64 hex digits of the Public Key before")
        if not _PUBLIC_KEY.fullmatch(self.public_key):
            raise ValueError("public_key: expected the 64 hex digits of the Public Key, not a token or secret")
        if not self.bot_token or not self.bot_token.isascii() or any(c.isspace() for c in self.bot_token):
            raise ValueError("bot_token: expected the token of the Bot page, without the word Bot")
        if not self.host.startswith(("https://", "http://")) or self.host.endswith("/"):
            raise ValueError("host: expected an address with https:// and no trailing slash")
        if not self.user_agent.isprintable() or not self.user_agent.isascii():
            raise ValueError("user_agent: expected printable ASCII")
        if not all(snowflake(guild) for guild in self.guild_ids):
            raise ValueError("guild_ids: expected the digits of guild ids")
        if self.gateway_shards < 1:
            raise ValueError("gateway_shards: expected 1 or more")
        bits(self.gateway_intents)
