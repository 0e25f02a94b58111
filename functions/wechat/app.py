"""Callbacks of WeChat Official Accounts."""

from parley.engine.callback import callback_handler

lambda_handler = callback_handler("wechat")
