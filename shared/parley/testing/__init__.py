"""Test a bot without AWS: `Chat` runs the engine in memory, with an imitation of the platform and a virtual clock.

    chat = Chat(bot, platform="feishu")
    chat.say("/echo hi")
    chat.expect("hi")

It needs the packages `tools` and `playground` of the project, and is not deployed.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]


def _find_project() -> None:
    """Let this process import `tools` and `playground`. Raises ImportError if other modules have these names."""
    if find_spec("tools") is None or find_spec("playground") is None:
        sys.path.append(str(_ROOT))
    for name in ("tools", "playground"):
        found = find_spec(name)
        if found is None or not (found.origin or "").endswith(f"{name}/__init__.py"):
            where = found.origin if found else "nowhere"
            raise ImportError(
                f"parley.testing needs the package {name!r} of the project in {_ROOT}, and found {where}: "
                f"please give your module {name!r} another name"
            )


_find_project()

from parley.testing.chat import Chat, Room  # noqa: E402  # needs the project
from parley.testing.scripted import Call, Scripted  # noqa: E402
from parley.testing.shown import Shown  # noqa: E402
from parley.testing.world import PLATFORMS  # noqa: E402

__all__ = ["PLATFORMS", "Call", "Chat", "Room", "Scripted", "Shown"]
