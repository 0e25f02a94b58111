"""Callbacks of Discord. The bot comes along for what cannot wait: completions, and forms to open."""

from parley.engine.callback import callback_handler
from processor.bot import bot

lambda_handler = callback_handler("discord", bot.instantly)
