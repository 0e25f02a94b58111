"""Callbacks of NewChat."""

from parley.engine.callback import callback_handler

lambda_handler = callback_handler("newchat")
