"""JSON values of a bot."""

from typing import cast

from parley.errors import ResultError


def check_json(value: object, where: str) -> None:
    """Raise ResultError if `value` would come back from the journal as something else: a set as a list, for example."""
    if isinstance(value, dict):
        for key, each in cast("dict[object, object]", value).items():
            if not isinstance(key, str):
                raise ResultError(f"{where} has a key of type {type(key).__name__}; JSON has text keys only")
            check_json(each, f"{where}[{key!r}]")
    elif isinstance(value, list):
        for number, each in enumerate(cast("list[object]", value)):
            check_json(each, f"{where}[{number}]")
    elif value is not None and not isinstance(value, str | int | float | bool):
        raise ResultError(f"{where} is of type {type(value).__name__}, which JSON has not")
