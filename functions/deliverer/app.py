"""Delivers the replies in the outbound queue."""

from parley.engine.delivery import lambda_handler

__all__ = ["lambda_handler"]
