"""Takes AWS events, and sends what programs ask for."""

from parley.engine.incoming import lambda_handler

__all__ = ["lambda_handler"]
