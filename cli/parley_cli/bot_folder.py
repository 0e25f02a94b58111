"""The team's bot in a checkout."""

import importlib
import os
import sys
from pathlib import Path

from parley.bot import Bot, definitions
from parley_cli.problems import Problem

FILE = "bot.py"


def folder(given: str = "") -> Path:
    """The folder with the bot: `given`, PARLEY_BOT, or `mybot` here."""
    return Path(given or os.environ.get("PARLEY_BOT") or "mybot").resolve()


def load(given: str = "") -> Bot:
    """The object `bot` of bot.py in the folder, as functions import it. Raises Problem and each error of the bot."""
    place = folder(given)
    if not (place / FILE).exists():
        raise Problem(
            f"{place} has no {FILE}.", "Go to the folder of your checkout, or name the bot's folder with --bot."
        )
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))
    found: Bot | None = getattr(importlib.import_module("bot"), "bot", None)
    if found is None:
        raise Problem(f"{place}/{FILE} defines no `bot`.", "Write `bot = Bot()` in it.")
    definitions.check(found)
    return found
