"""An app of a platform, and HTTP headers: what both directions need."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar, overload

import msgspec

T = TypeVar("T")


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of every configuration: JSON in one SSM SecureString per app. Unknown fields are refused."""

    on_unknown: Literal["report", "resend"] = "report"
    """The treatment of a reply whose outcome is unknown: report it as UNKNOWN, or send it again."""
    callback_ips: tuple[str, ...] = ()
    """The addresses that callbacks come from, and blocks of them (CIDR). Empty: they may come from everywhere."""
    other_ips: Literal["count", "refuse"] = "count"
    """The treatment of a callback from another address: count it and handle it, or refuse it."""

    @property
    def replies_passively(self) -> bool:
        """Whether the app uses passive replies (`SupportsPassiveReply`)."""
        return False

    @property
    def fetches_names(self) -> bool:
        """Whether the names of senders are fetched from the platform (`SupportsNames`)."""
        return False


class App(msgspec.Struct, frozen=True):
    """One bot account on one platform, by name. `config` is the platform's own `Config`."""

    platform: str
    name: str
    config: Any


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
