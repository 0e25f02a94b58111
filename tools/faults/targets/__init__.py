"""The platforms under test. Each has a module here, by its name, with its configurations in `TARGETS`."""

from importlib import import_module

from parley.platforms import NAMES
from tools.faults.target import APP, Target

__all__ = ["APP", "TARGETS", "Target", "titled"]

TARGETS: tuple[Target, ...] = tuple(target for name in NAMES for target in import_module(f"{__name__}.{name}").TARGETS)


def titled(title: str) -> Target:
    """The target with that title. Raises StopIteration if there is none."""
    return next(found for found in TARGETS if found.title == title)
