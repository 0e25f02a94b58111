"""An app of a platform, and HTTP headers: what both directions need."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self, TypeVar, overload

import msgspec

T = TypeVar("T")


_PREVIOUS = "previous_"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of every configuration: JSON in one SSM SecureString per app. Unknown fields are refused."""

    on_unknown: Literal["report", "resend"] = "report"
    """The treatment of a reply whose outcome is unknown: report it as UNKNOWN, or send it again."""
    callback_ips: tuple[str, ...] = ()
    """The addresses that callbacks come from, and blocks of them (CIDR). Empty: they may come from everywhere."""
    other_ips: Literal["count", "refuse"] = "count"
    """The treatment of a callback from another address: count it and handle it, or refuse it."""

    @property
    def earlier(self) -> "Self | None":
        """The configuration before the rotation of a secret: each field `previous_X` that is not empty is its X. None
        if there is none. A callback that this configuration refuses may be one of that.
        """
        names = [name for name in self.__struct_fields__ if name.startswith(_PREVIOUS)]
        before = {name.removeprefix(_PREVIOUS): value for name in names if (value := getattr(self, name))}
        return msgspec.structs.replace(self, **before) if before else None

    @property
    def replies_passively(self) -> bool:
        """Whether the app uses passive replies (`SupportsPassiveReply`)."""
        return False

    @property
    def fetches_names(self) -> bool:
        """Whether the names of senders are fetched from the platform (`SupportsNames`)."""
        return False

    @property
    def has_tenants(self) -> bool:
        """Whether this is an app of a service provider, which organisations install (`SupportsTenants`)."""
        return False

    def of_tenant(self, tenant: str, agent: str) -> "Config":
        """The configuration of the app in the organisation `tenant`, where it has the id `agent`.

        Raises TypeError if the app has no tenants.
        """
        raise TypeError(f"this app has no tenants: {tenant}, {agent}")


_TENANT = "@"
"""Separates the name of an app from the id of a tenant. No name of a configuration contains it."""


def name_in(app: str, tenant: str) -> str:
    """The name of `app` in the organisation `tenant`: `helper@ww0123`. Empty without a tenant: `app` itself."""
    return f"{app}{_TENANT}{tenant}" if tenant else app


def split_name(name: str) -> tuple[str, str]:
    """The name of the configuration, and the id of the tenant; empty if `name` names none."""
    app, _, tenant = name.partition(_TENANT)
    return app, tenant


class App(msgspec.Struct, frozen=True):
    """One bot account on one platform, by name. `config` is the platform's own `Config`.

    `provider`: if this is the app of a service provider in one organisation (`name_in`), the app without it.
    """

    platform: str
    name: str
    config: Any
    provider: "App | None" = None


class Headers(Mapping[str, str]):
    """HTTP headers, looked up without regard to case. Of a repeated header the last value counts."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = {name.lower(): value for name, value in (values or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /, default: str | T) -> str | T: ...
    def get(self, key: str, /, default: str | T | None = None) -> str | T | None:
        """The header `key`, or `default`. The method of `Mapping` takes twice the time: it catches a KeyError."""
        return self._values.get(key.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
