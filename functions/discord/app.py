"""Callbacks of Discord. The bot answers at once where Discord does not wait: completions, and forms to open."""

from bot import bot
from parley.engine.callback import callback_handler

lambda_handler = callback_handler("discord", bot.instantly)
