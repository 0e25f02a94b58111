"""Configuration of a Feishu or Lark app, with the names of the developer console's "Credentials" and "Event" pages."""

from typing import Annotated, Literal

import msgspec

from parley import adapter

_HOSTS = {
    "feishu": ("https://open.feishu.cn", "https://accounts.feishu.cn"),
    "lark": ("https://open.larksuite.com", "https://accounts.larksuite.com"),
}

Filled = Annotated[str, msgspec.Meta(min_length=1)]
HttpUrl = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/]+")]


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group's custom bot: the address that Feishu shows when one is added to a group, and its signing secret."""

    url: HttpUrl
    secret: str = ""
    """Empty where the custom bot's "signature verification" is off."""


class Config(adapter.Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app. Raises msgspec.ValidationError, which names the field, for anything that cannot work."""

    app_id: Filled
    app_secret: Filled
    verification_token: Filled
    encrypt_key: str = ""
    """Any text. Where it is set, callbacks that come unencrypted are refused."""
    app_type: Literal["internal", "store"] = "internal"
    host: Annotated[str, msgspec.Meta(pattern=r"^(feishu|lark|https?://[^\s/]+\S*)$")] = "feishu"
    """`feishu`, `lark` or the base address of a private deployment."""
    bot_open_id: str = ""
    """The bot's own open id: tells a mention of this bot from one of another bot."""
    webhooks: dict[str, Webhook] = msgspec.field(default_factory=dict[str, Webhook])
    """Custom bots to push to, by the name that `Destination.webhook` uses."""

    @property
    def api(self) -> str:
        """Base address of the open API, without a slash at its end."""
        return _HOSTS[self.host][0] if self.host in _HOSTS else self.host.rstrip("/")

    @property
    def accounts(self) -> str:
        """Base address of the OAuth pages, without a slash at its end."""
        return _HOSTS[self.host][1] if self.host in _HOSTS else self.host.rstrip("/")
