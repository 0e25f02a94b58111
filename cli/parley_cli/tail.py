"""Shows the logs of all functions in the order of time, and follows a conversation or a message."""

import time
from typing import Annotated

import typer

from parley_cli import logs
from parley_cli.command import Run, command
from parley_cli.problems import Problem

_LOOK_EVERY = 0.5


def _tail(
    run: Run,
    text: Annotated[
        str, typer.Argument(help="Only lines with this text: a message's id, `key` or `conversation`.")
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines; Ctrl-C ends it.")] = False,
    function: Annotated[list[str] | None, typer.Option(help="Only this function; can be repeated.")] = None,
    minutes: Annotated[float, typer.Option(help="How far back.")] = 15.0,
) -> None:
    """Show the logs of all functions, in the order of time.

    What a bot prints or logs is in the log of the function `processor`.
    """
    reader = logs.reader(run.place, time.time() - minutes * 60)
    wanted = function or list(reader.groups)
    if unknown := set(wanted) - set(reader.groups):
        raise Problem(f"There is no function {', '.join(unknown)}.", f"There are {', '.join(reader.groups)}.")
    reader.groups = {name: reader.groups[name] for name in wanted}
    while True:
        for line in reader.new():
            if text in line.text:
                run.show_next(logs.value(line), logs.shown(line))
        if not follow:
            return
        time.sleep(_LOOK_EVERY)  # between two looks at the logs


def register(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "tail")(_tail)
