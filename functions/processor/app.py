"""Runs the bot on what the callbacks have queued."""

from bot import bot
from parley.engine.processor import processor_handler

lambda_handler = processor_handler(bot)
