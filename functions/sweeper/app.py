"""Enqueues overdue replies again."""

from parley.engine.sweeper import lambda_handler

__all__ = ["lambda_handler"]
