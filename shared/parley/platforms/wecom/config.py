"""The configuration of a WeCom app. Its fields have the names of the admin console and the docs."""

import re
from collections.abc import Container, Iterator
from typing import Annotated, Any

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
_PROVIDER = "open.work.weixin.qq.com"
_SUITE = f"{_PROVIDER} › Apps › (the app) › SuiteID"
SUITE_SECRET_AT = f"{_PROVIDER} › Apps › (the app) › Secret"
PROVIDER_AT = f"{_PROVIDER} › Provider Information › CorpID"
_SUITE_CALLBACK = f"{_PROVIDER} › Apps › (the app) › Callback Configuration"
SUITE_CONSOLE = Console(
    token=f"{_SUITE_CALLBACK} › Token",
    key=f"{_SUITE_CALLBACK} › EncodingAESKey",
    receiver=_SUITE,
    receiver_field="suite_id",
)
COMPANY = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The id of a company. Upper and lower case differ in encrypted ones (WeCom docs: Upgrade of the ids)."""
RESPONSE_CODE_LIFETIME = 72 * 3600
"""Seconds in which a click's `ResponseCode` allows one update of the card (WeCom docs: Update template cards)."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group robot: the address that the client shows when the robot is added. Its key is the only secret."""

    url: str


class InstallPage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The page of this deployment from which companies install the app. Without it in the configuration, there is none.

    `test`: installations are tests, which WeCom allows before the app is released.
    """

    redirect_uri: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s?#]+/install/[^\s?#/]+/[^\s?#/]+/done$")]
    """The address to which WeCom sends the browser back: `https://.../install/wecom/APP/done`."""
    test: bool = False
    site: str = "https://open.work.weixin.qq.com"


class Config(settings.CallbackConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app of one company; or an app of a service provider, which companies install: it has a `suite_id`.

    Raises msgspec.ValidationError, which names the field and the page of the console.
    """

    corp_id: str = ""
    agent_id: int = -1
    secret: str = ""
    suite_id: str = ""
    suite_secret: str = ""
    provider_corp_id: str = ""
    """The provider's own company: the console's check of a callback URL is addressed to it."""
    install: InstallPage | None = None
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
    def has_tenants(self) -> bool:
        """Whether companies install this app of a service provider."""
        return bool(self.suite_id)

    def of_tenant(self, tenant: str, agent: str) -> "TenantConfig":
        """The configuration of the app in the company `tenant`. Raises TypeError if the app has no tenants."""
        if not self.has_tenants:
            raise TypeError("this app has no tenants")
        fields: dict[str, Any] = msgspec.structs.asdict(self)
        fields |= {"corp_id": tenant, "agent_id": int(agent)}
        return TenantConfig(**fields)

    @property
    def seals_with(self) -> str:
        """The secret that seals the credentials of events."""
        return self.suite_secret if self.suite_id else self.secret

    @property
    def callback_keys(self) -> CallbackKeys:
        """What authenticates a callback. That of a provider's app is for the app, or for a company: also for one whose
        installation is not handled yet.
        """
        if self.suite_id:
            return CallbackKeys(self.token, self.keys, _CompaniesAnd(self.suite_id), SUITE_CONSOLE)
        return CallbackKeys(self.token, self.keys, frozenset((self.corp_id, *self.receive_ids)), CONSOLE)

    @property
    def verification_keys(self) -> CallbackKeys:
        """What authenticates the console's check of a callback URL."""
        if self.suite_id:
            return CallbackKeys(self.token, self.keys, frozenset((self.provider_corp_id,)), SUITE_CONSOLE)
        return self.callback_keys

    def _problems(self) -> Iterator[str]:
        yield from self._suite_problems() if self.suite_id else self._company_problems()
        yield from self.callback_problems(SUITE_CONSOLE if self.suite_id else CONSOLE)
        yield from settings.check_host("host", self.host)
        for name, webhook in self.webhooks.items():
            if "key=" not in webhook.url or not webhook.url.startswith(("https://", "http://")):
                yield f"webhooks.{name[:40]}.url: must be the address with its key, as the client shows it"

    def _company_problems(self) -> Iterator[str]:
        yield from settings.check_filled("corp_id", self.corp_id, _CORP)
        if self.agent_id < 0:
            yield f"agent_id: must be the number at {AGENT_AT}"
        yield from settings.check_filled("secret", self.secret, SECRET_AT)
        for name in ("suite_secret", "provider_corp_id", "install"):
            if getattr(self, name):
                yield f"{name}: only an app of a service provider has it, with its suite_id"

    def _suite_problems(self) -> Iterator[str]:
        yield from settings.check_filled("suite_id", self.suite_id, _SUITE)
        yield from settings.check_filled("suite_secret", self.suite_secret, SUITE_SECRET_AT)
        yield from settings.check_filled("provider_corp_id", self.provider_corp_id, PROVIDER_AT)
        if self.corp_id or self.secret or self.agent_id >= 0 or self.receive_ids:
            yield "corp_id, agent_id, secret and receive_ids: an app with a suite_id has none; each company has its own"
        if self.install is not None:
            yield from settings.check_host("install.site", self.install.site)
            if self.suite_id.startswith("dk"):
                yield "install: an app that is customised from a template has no install page"


class TenantConfig(Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The app of a service provider in one company. It is made by `Config.of_tenant`, and never stored."""

    def _suite_problems(self) -> Iterator[str]:
        yield from settings.check_filled("corp_id", self.corp_id, _CORP)


class _CompaniesAnd(Container[str]):
    """The id `suite`, and everything that can be the id of a company."""

    __slots__ = ("_suite",)

    def __init__(self, suite: str) -> None:
        self._suite = suite

    def __contains__(self, id_: object) -> bool:
        return id_ == self._suite or (isinstance(id_, str) and COMPANY.fullmatch(id_) is not None)
