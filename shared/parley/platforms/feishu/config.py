"""Configuration of a Feishu or Lark app, with the names of the developer console's "Credentials" and "Event" pages."""

from typing import Annotated, Literal

import msgspec

from parley import adapter
from parley.adapter.logins import LoginConfig

_HOSTS = {
    "feishu": ("https://open.feishu.cn", "https://accounts.feishu.cn"),
    "lark": ("https://open.larksuite.com", "https://accounts.larksuite.com"),
}

Filled = Annotated[str, msgspec.Meta(min_length=1)]
HttpUrl = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/]+")]


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group's custom bot: its address, which Feishu shows when it is added to the group, and its signing secret."""

    url: HttpUrl
    secret: str = ""
    """Empty if "signature verification" of the custom bot is off."""


class Logins(LoginConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logins of persons. The redirect address is listed in the console, on the page "Security Settings"."""

    endpoint: Literal["v3", "v2"] = "v3"
    """The version of the token endpoint. v2 is the older one, for private deployments that have no v3."""


class Config(adapter.Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app. Raises msgspec.ValidationError for a value that cannot work. The error names the field."""

    app_id: Filled
    app_secret: Filled
    verification_token: Filled
    encrypt_key: str = ""
    """Any text. If it is set, unencrypted and unsigned callbacks are refused."""
    previous_verification_token: str = ""
    previous_encrypt_key: str = ""
    """The values before, while they are changed in the console. Both are valid."""
    legacy_cards: bool = False
    """Accept `card.action.trigger_v1` although there is an `encrypt_key`. Such a callback is not encrypted, and its
    signature is made with the verification token alone. Without an `encrypt_key` it is always accepted."""
    app_type: Literal["internal", "store"] = "internal"
    host: Annotated[str, msgspec.Meta(pattern=r"^(feishu|lark|https?://[^\s/]+\S*)$")] = "feishu"
    """`feishu`, `lark` or the base address of a private deployment."""
    bot_open_id: str = ""
    """The bot's own open id. With it, a mention of this bot differs from a mention of another bot."""
    names: bool = False
    """Whether the names of senders are fetched. The app needs the permission `contact:user.base:readonly`."""
    webhooks: dict[str, Webhook] = msgspec.field(default_factory=dict[str, Webhook])
    """Custom bots that receive pushes, by the name in `Destination.webhook`."""
    logins: Logins | None = None
    """With it, persons can let the bot act for them (`parley.bot.Login`)."""

    @property
    def fetches_names(self) -> bool:
        """Whether the names of senders are fetched from the platform."""
        return self.names

    @property
    def api(self) -> str:
        """Base address of the open API, without a trailing slash."""
        return _HOSTS[self.host][0] if self.host in _HOSTS else self.host.rstrip("/")

    @property
    def accounts(self) -> str:
        """Base address of the OAuth pages, without a trailing slash."""
        return _HOSTS[self.host][1] if self.host in _HOSTS else self.host.rstrip("/")
