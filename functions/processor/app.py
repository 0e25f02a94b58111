"""Runs the bot on the messages in the inbound queue."""

from bot import bot
from parley.engine.processor import processor_handler

lambda_handler = processor_handler(bot)
