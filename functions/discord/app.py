"""Callbacks of Discord. The bot is loaded for instant answers: completions, and forms to open.

If the bot has a module `instant`, only that is loaded: what the other handlers import does not slow down the callback.
"""

from importlib import import_module
from importlib.util import find_spec

from parley.engine.callback import callback_handler

_module = import_module("instant" if find_spec("instant") else "bot")
lambda_handler = callback_handler("discord", _module.bot.instantly)
