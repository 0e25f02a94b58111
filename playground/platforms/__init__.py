"""The simulated platforms: one folder each. A folder is found by the name `PLATFORM` in its `__init__.py`."""

from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.platforms.base import Platform


@lru_cache(maxsize=1)
def simulated_platforms() -> "dict[str, type[Platform[Any]]]":
    """The class of each simulated platform, by name, in the order of the tabs of the page.

    Raises ValueError if the `name` of a class is not the name of its folder: the name is a part of every address.
    """
    found: dict[str, type[Platform[Any]]] = {}
    for module in iter_modules(__path__):
        platform = getattr(import_module(f"{__name__}.{module.name}"), "PLATFORM", None) if module.ispkg else None
        if platform is None:
            continue
        if platform.name != module.name:
            raise ValueError(f"playground/platforms/{module.name} calls itself {platform.name!r}")
        found[module.name] = platform
    return dict(sorted(found.items(), key=lambda item: (item[1].appearance.tab, item[0])))
