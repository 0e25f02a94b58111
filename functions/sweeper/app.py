"""Picks up replies that were left behind."""

from parley.engine.sweeper import lambda_handler

__all__ = ["lambda_handler"]
