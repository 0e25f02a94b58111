"""Requests of clients of the HTTP channel. What checks tokens is imported while the function starts."""

import parley.bearer  # noqa: F401
from parley.engine.callback import callback_handler

lambda_handler = callback_handler("http")
