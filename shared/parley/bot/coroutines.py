"""Functions of a bot that are declared with `async def`.

Each run has an event loop of its own: what belongs to a loop, such as an open HTTP client, cannot be kept for the next.
"""

import inspect
from collections.abc import Callable, Coroutine
from importlib import import_module
from types import FrameType, TracebackType
from typing import Any, TypeVar, cast

T = TypeVar("T")


def finished(value: T | Coroutine[Any, Any, T]) -> T:
    """`value`, or the result of the coroutine that it is. Raises what the coroutine raises.

    If the event loop is interrupted while the coroutine waits, the traceback ends with the lines at which it waits.
    """
    if not isinstance(value, Coroutine):
        return value
    import asyncio  # noqa: PLC0415  # see `prepare`

    coroutine = cast("Coroutine[Any, Any, T]", value)
    waiting: TracebackType | None = None
    try:
        with asyncio.Runner() as runner:
            try:
                return runner.run(coroutine)
            except BaseException:
                waiting = _waiting(coroutine)  # the end of the runner cancels the coroutine, or is interrupted itself
                raise
    except BaseException as error:
        _append(error, waiting)
        raise


def _waiting(coroutine: Any) -> TracebackType | None:
    """The lines at which `coroutine` waits, the outermost first; None if it has ended."""
    frames: list[FrameType] = []
    while (frame := getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)) is not None:
        frames.append(frame)
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    found: TracebackType | None = None
    for each in reversed(frames):
        found = TracebackType(found, each, each.f_lasti, each.f_lineno)
    return found


def _append(error: BaseException, more: TracebackType | None) -> None:
    """Let the traceback of `error` end with `more`."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is not None:
        last.tb_next = more


def prepare(function: Callable[..., Any]) -> None:
    """Import asyncio if `function` is declared with `async def`: the first message would wait for it otherwise. A bot
    without such functions does not pay for it.
    """
    if inspect.iscoroutinefunction(function):
        import_module("asyncio")
