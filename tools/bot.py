"""The team's bot, for the tools that need its commands."""

import importlib.util
import os
import sys
from pathlib import Path

from parley.bot import Bot, definitions

ROOT = Path(__file__).parents[1]
SAMPLE = "tests/bots/sample"
"""The folder of the bot that the project's tests, demo and benchmarks talk to, relative to the repository."""


def folder() -> str:
    """The folder with the bot, relative to the repository: PARLEY_BOT, or `mybot`."""
    return os.environ.get("PARLEY_BOT") or "mybot"


def use_sample() -> None:
    """Let this process, and those that it starts, use the bot of the tests. A team's bot has other commands."""
    use(SAMPLE)


def use(bot: str) -> None:
    """Let this process, and those that it starts, use the bot in the folder `bot`, relative to the repository."""
    os.environ["PARLEY_BOT"] = bot


def load(file: Path | None = None) -> Bot:
    """The object `bot` of `file`, by default of `bot.py` in the bot's folder.

    The file may import the modules beside it, as in a function. Raises ImportError if `file` is not a Python file or
    defines no `bot`, as `definitions.check`, and every error that it raises itself.
    """
    file = file or ROOT / folder() / "bot.py"
    name, beside = file.stem, str(file.resolve().parent)
    if beside not in sys.path:
        sys.path.insert(0, beside)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # a module beside it may import it
    spec.loader.exec_module(module)
    found: Bot | None = getattr(module, "bot", None)
    if found is None:
        raise ImportError(f"{file} defines no `bot`: write `bot = Bot()` in it")
    definitions.check(found)
    return found
