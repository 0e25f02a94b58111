"""Callbacks of Discord. The bot comes along for what cannot wait: completions, and forms to open."""

from processor.bot import bot

from parley.engine.callback import callback_handler

lambda_handler = callback_handler("discord", bot.instantly)
