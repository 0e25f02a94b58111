"""Callbacks of Discord. The bot is loaded for instant answers: completions, and forms to open."""

from bot import bot
from parley.engine.callback import callback_handler

lambda_handler = callback_handler("discord", bot.instantly)
