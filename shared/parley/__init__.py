"""Parley: one bot, every chat platform, no server."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parley.sending import send

__all__ = ["send"]


def __getattr__(name: str) -> object:
    """Import `send` when it is first used: no function of the stack needs it."""
    if name != "send":
        raise AttributeError(f"module 'parley' has no attribute {name!r}")
    from parley.sending import send  # noqa: PLC0415

    return send


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    import gc

    # Imports leave little garbage. To look for it after each 700 new objects would take 20 ms of a cold start.
    gc.set_threshold(50_000)
