"""Parley: one bot, every chat platform, no server."""

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
