"""The functions that a bot's author passes to it."""

import inspect
from collections.abc import Callable
from typing import Any


def check_function(what: str, function: object, *parameters: str) -> None:
    """Raise TypeError unless `function` can be called with these parameters, by position. `what`: its name for the
    author.
    """
    if not callable(function):
        raise TypeError(f"{what} is no function but {type(function).__name__}: {_definition(parameters)}")
    try:
        inspect.signature(function).bind(*parameters)
    except TypeError as error:
        raise TypeError(f"{what} gets {' and '.join(parameters)}: {_definition(parameters)}") from error
    except ValueError:  # a function that is written in C may have no signature
        return


def check_handler(handler: Callable[..., Any]) -> None:
    """Raise TypeError unless `handler` is a function with a name: an open dialogue finds it by that."""
    if not callable(handler):
        raise TypeError(f"a handler is a function, and no {type(handler).__name__}; a rule is written when=...")
    if not hasattr(handler, "__qualname__"):
        raise TypeError(f"{handler!r} has no name: write a function with `def` that calls it")


def _definition(parameters: tuple[str, ...]) -> str:
    return f"write `def name({', '.join(parameters)})`"
