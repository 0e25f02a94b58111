"""The cases of every platform. A platform has a module here, by its name, with `CASES`."""

from importlib import import_module

from parley.platforms import NAMES
from tools.demo.case import Case

PLATFORMS: dict[str, tuple[Case, ...]] = {name: import_module(f"{__package__}.{name}").CASES for name in NAMES}
