"""Delivers what the bot has said."""

from parley.engine.delivery import lambda_handler

__all__ = ["lambda_handler"]
