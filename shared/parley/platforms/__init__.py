"""The platforms, by name. A new platform is one folder here and one row in `NAMES`."""

from importlib import import_module
from typing import cast

from parley.adapter import Config, Inbound, Outbound

NAMES = ("discord", "feishu", "wechat", "wecom")


def inbound(name: str) -> Inbound:
    """The receiving half of the platform `name`. Imports that half and nothing else."""
    return cast("Inbound", _half(name, "inbound"))


def outbound(name: str) -> Outbound:
    """The sending half of the platform `name`."""
    return cast("Outbound", _half(name, "outbound"))


def config_type(name: str) -> type[Config]:
    """The struct that holds the configuration of an app of the platform `name`."""
    return cast("type[Config]", getattr(_half(name, "config"), "Config"))  # noqa: B009


def _half(name: str, half: str) -> object:
    if name not in NAMES:
        raise KeyError(f"no platform {name!r}; there are {', '.join(NAMES)}")
    return import_module(f"parley.platforms.{name}.{half}")
