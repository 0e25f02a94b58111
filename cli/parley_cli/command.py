"""What all commands share: `--stage`, `--stack` and `--json`, problems in words, and exit statuses."""

import inspect
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import typer
from rich.console import Console

from parley_cli import place
from parley_cli.place import Place
from parley_cli.problems import Problem, explained

_STAGE = Annotated[str, typer.Option("--stage", help="A stage on AWS, such as prod. Without it: the local stack.")]
_STACK = Annotated[str, typer.Option("--stack", help="The CloudFormation stack, if it is not called parley-STAGE.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
_SHARED = (("stage", _STAGE, ""), ("stack", _STACK, ""), ("as_json", _JSON, False))
SHARED_OPTIONS = frozenset({"--stage", "--stack", "--json", "--help"})
"""Options that every command has."""


@dataclass(frozen=True)
class Run:
    """One run of a command: which deployment it is for, and how it prints."""

    stage: str
    stack: str
    as_json: bool

    @cached_property
    def place(self) -> Place:
        """The deployment. Raises Problem."""
        return place.find(self.stage, self.stack)

    def show(self, value: Any, lines: Iterable[str]) -> None:
        """Print `value` as JSON for programs, or the `lines` for people."""
        if self.as_json:
            typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
            return
        for line in lines:
            typer.echo(line)

    def show_next(self, value: Any, line: str) -> None:
        """Print one of many values while they come: JSON in one line, or `line`."""
        typer.echo(json.dumps(value, ensure_ascii=False) if self.as_json else line)
        sys.stdout.flush()

    def note(self, line: str) -> None:
        """Say something that is no result. Programs do not get it."""
        if not self.as_json:
            typer.echo(line, err=True)

    @cached_property
    def progress(self) -> Console:
        """Where progress is shown: on the terminal only, and never among the results."""
        return Console(stderr=True, quiet=self.as_json or not sys.stderr.isatty())


def command(group: typer.Typer, name: str | None = None) -> Callable[[Callable[..., int | None]], Callable[..., Any]]:
    """Add a function to `group` as a command. Its first parameter is the Run; it returns its exit status, None for 0.

    The command has the shared options besides the function's own.
    """

    def add(function: Callable[..., int | None]) -> Callable[..., Any]:
        def run(**given: Any) -> None:
            run = Run(*(given.pop(name) for name, _, _ in _SHARED))
            raise typer.Exit(_status(run, function, given))

        own = list(inspect.signature(function).parameters.values())[1:]
        shared = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
            for name, kind, default in _SHARED
        ]
        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own] + shared
        run.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        run.__doc__ = function.__doc__
        group.command(name or function.__name__.replace("_", "-"))(run)
        return function

    return add


def _status(run: Run, function: Callable[..., int | None], given: dict[str, Any]) -> int:
    try:
        return function(run, **given) or 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        problem = explained(error)
        if problem is None:
            raise
        show_problem(run, problem)
        return 1


def show_problem(run: Run, problem: Problem) -> None:
    """Print why the command ends."""
    if run.as_json:
        typer.echo(json.dumps({"error": problem.what, "do": problem.do}, ensure_ascii=False))
        return
    typer.echo(f"error: {problem.what}", err=True)
    if problem.do:
        typer.echo(f"  {problem.do}", err=True)
