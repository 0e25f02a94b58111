"""Callbacks of WeCom smart bot."""

from parley.engine.callback import callback_handler

lambda_handler = callback_handler("wecom_bot")
