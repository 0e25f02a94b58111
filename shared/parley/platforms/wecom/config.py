"""Configuration of a WeCom app, with the names that the admin console and the docs use."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from parley import adapter
from parley.platforms.tencent import settings
from parley.platforms.tencent.callback import Console

_ADMIN = "work.weixin.qq.com"
_CORP = f"{_ADMIN} › My Company › Company Information › Company ID"
_APP = f"{_ADMIN} › App Management › (the app)"
_RECEIVE = f"{_APP} › Receive Messages › API Receive"
CONSOLE = Console(token=f"{_RECEIVE} › Token", key=f"{_RECEIVE} › EncodingAESKey", receiver=_CORP, id="corp_id")
SECRET_AT = f"{_APP} › Secret"
TRUSTED_IP_AT = f"{_APP} › Trusted IP of the Company"


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group's robot: the address that the client shows when one is added. Its key is the whole secret."""

    url: str


class Config(adapter.Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app of one company. Raises msgspec.ValidationError, which names the field and where the console shows it."""

    corp_id: str
    agent_id: int
    secret: str
    token: str
    encoding_aes_key: str
    previous_encoding_aes_key: str = ""
    """The key that the console showed before, for messages that were on their way when it was changed."""
    receive_ids: tuple[str, ...] = ()
    """Ids besides `corp_id` that a callback may be meant for: a suite id, the id of a provider."""
    reply_mode: Literal["active", "passive"] = "active"
    """`passive`: answers go into the callback's response as far as they fit there. It needs no trusted IP."""
    host: str = "https://qyapi.weixin.qq.com"
    webhooks: dict[str, Webhook] = msgspec.field(default_factory=dict[str, Webhook])
    """Group robots to push to, by the name that `Destination.webhook` uses."""

    def __post_init__(self) -> None:
        settings.complaints(self._checks())

    @property
    def replies_passively(self) -> bool:
        """Whether replies go back with the callback itself where they can."""
        return self.reply_mode == "passive"

    @property
    def keys(self) -> tuple[str, ...]:
        """The EncodingAESKeys to try, in this order."""
        return tuple(key for key in (self.encoding_aes_key, self.previous_encoding_aes_key) if key)

    @property
    def receivers(self) -> frozenset[str]:
        """The ids that a callback may be meant for."""
        return frozenset((self.corp_id, *self.receive_ids))

    def _checks(self) -> Iterator[str]:
        yield from settings.check_filled("corp_id", self.corp_id, _CORP)
        yield from settings.check_filled("secret", self.secret, SECRET_AT)
        yield from settings.check_filled("token", self.token, CONSOLE.token)
        yield from settings.check_key("encoding_aes_key", self.encoding_aes_key, CONSOLE.key)
        if self.previous_encoding_aes_key:
            yield from settings.check_key("previous_encoding_aes_key", self.previous_encoding_aes_key, CONSOLE.key)
        yield from settings.check_host("host", self.host)
        for name, webhook in self.webhooks.items():
            if "key=" not in webhook.url or not webhook.url.startswith(("https://", "http://")):
                yield f"webhooks.{name[:40]}.url: the address with its key is wanted, as the group's robot shows it"
