"""Functions of a bot that are declared with `async def`.

Each run has an event loop of its own: what belongs to a loop, such as an open HTTP client, cannot be kept for the next.
"""

import inspect
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any, TypeVar, cast

T = TypeVar("T")


def finished(value: T | Coroutine[Any, Any, T]) -> T:
    """`value`, or the result of the coroutine that it is. Raises what the coroutine raises."""
    if not isinstance(value, Coroutine):
        return value
    import asyncio  # noqa: PLC0415  # see `prepare`

    return asyncio.run(cast("Coroutine[Any, Any, T]", value))


def prepare(function: Callable[..., Any]) -> None:
    """Import asyncio if `function` is declared with `async def`: the first message would wait for it otherwise. A bot
    without such functions does not pay for it.
    """
    if inspect.iscoroutinefunction(function):
        import_module("asyncio")
