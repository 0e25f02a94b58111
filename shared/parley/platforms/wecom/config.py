"""The configuration of a WeCom app. Its fields have the names of the admin console and the docs."""

from collections.abc import Iterator

import msgspec

from parley.platforms.tencent import settings
from parley.platforms.tencent.callback import CallbackKeys, Console

_ADMIN = "work.weixin.qq.com"
_CORP = f"{_ADMIN} › My Company › Company Information › Company ID"
_APP = f"{_ADMIN} › App Management › (the app)"
_RECEIVE = f"{_APP} › Receive Messages › API Receive"
CONSOLE = Console(
    token=f"{_RECEIVE} › Token", key=f"{_RECEIVE} › EncodingAESKey", receiver=_CORP, receiver_field="corp_id"
)
AGENT_AT = f"{_APP} › AgentId"
SECRET_AT = f"{_APP} › Secret"
TRUSTED_IP_AT = f"{_APP} › Trusted IP of the Company"
RESPONSE_CODE_LIFETIME = 72 * 3600
"""Seconds in which a click's `ResponseCode` allows one update of the card (WeCom docs: Update template cards)."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group robot: the address that the client shows when the robot is added. Its key is the only secret."""

    url: str


class Config(settings.CallbackConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app of one company. Raises msgspec.ValidationError, which names the field and the page of the console."""

    corp_id: str
    agent_id: int
    secret: str
    receive_ids: tuple[str, ...] = ()
    """Further ids that a callback may be addressed to, besides `corp_id`: a suite id, the id of a provider."""
    host: str = "https://qyapi.weixin.qq.com"
    names: bool = False
    """Whether the names of senders are fetched. They must be in the app's visible range."""
    webhooks: dict[str, Webhook] = msgspec.field(default_factory=dict[str, Webhook])
    """Group robots for pushes, by the name in `Destination.webhook`."""

    def __post_init__(self) -> None:
        settings.raise_all(self._problems())

    @property
    def fetches_names(self) -> bool:
        """Whether the names of senders are fetched from the platform."""
        return self.names

    @property
    def callback_keys(self) -> CallbackKeys:
        """What authenticates a callback."""
        return CallbackKeys(self.token, self.keys, frozenset((self.corp_id, *self.receive_ids)), CONSOLE)

    def _problems(self) -> Iterator[str]:
        yield from settings.check_filled("corp_id", self.corp_id, _CORP)
        yield from settings.check_filled("secret", self.secret, SECRET_AT)
        yield from self.callback_problems(CONSOLE)
        yield from settings.check_host("host", self.host)
        for name, webhook in self.webhooks.items():
            if "key=" not in webhook.url or not webhook.url.startswith(("https://", "http://")):
                yield f"webhooks.{name[:40]}.url: must be the address with its key, as the client shows it"
