"""Callbacks of Feishu and Lark."""

from parley.engine.callback import callback_handler

lambda_handler = callback_handler("feishu")
