"""The commands for the apps: add, list, check, rotate, remove. None prints a secret."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from parley_cli import addresses, rotation, setups, store
from parley_cli import check as checks
from parley_cli.command import Run, command
from parley_cli.findings import Finding, show
from parley_cli.names import App, app_name
from parley_cli.problems import Problem
from parley_cli.setups import Field

group = typer.Typer(help="The apps: the bot's accounts at the platforms.", no_args_is_help=True)

_FILE = Annotated[str, typer.Option(metavar="FILE", help="A JSON file with the fields; - reads the standard input.")]
_NO_CHECK = Annotated[bool, typer.Option("--no-check", help="Do not ask the platform whether the values are right.")]
_YES = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_SOON = "The functions use it within five minutes."


@command(group)
def add(
    run: Run,
    app: App,
    file: _FILE = "",
    form: Annotated[str, typer.Option("--as", help="The kind of app, such as `provider` for WeCom.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace an app that exists.")] = False,
    no_check: _NO_CHECK = False,
) -> int:
    """Connect an app: ask for its fields, check them at the platform, store them, and say what to click.

    The fields have the names of the platform's console. Secrets are not shown while they are typed.
    """
    platform, name = app_name(app)
    setup = setups.of(platform)
    store.path(run.place, platform, name)
    if not replace and (platform, name) in store.names(run.place):
        raise Problem(f"The app {app} exists already.", f"Use --replace, or `parley app rotate {app} FIELD`.")
    values = _from_file(file) if file else _asked(platform, form)
    made = checks.app_of(platform, name, values)
    if not no_check:
        with checks.client() as connection:
            found = list(checks.credentials(run.place, made, connection))
        if any(finding.level == "problem" for finding in found):
            show(run, found)
            run.note("Nothing was stored. With --no-check it is stored all the same.")
            return 1
    store.write(run.place, platform, name, json.dumps(values, ensure_ascii=False), replace=replace)
    url = run.place.callback_url(platform, name)
    steps = [step.format(url=url, app=name, options=store.options(run.place)) for step in setup.after]
    lines = [f"stored: {app}. {_SOON}", "", "Now:", *(f"  {n}. {step}" for n, step in enumerate(steps, 1))]
    check_later = f"Then write to the bot. `parley app check {app}{store.options(run.place)}` checks the app again."
    run.show({"app": app, "url": url, "steps": steps}, [*lines, "", check_later, f"More: {setup.guide}"])
    return 0


@command(group, "list")
def list_(run: Run) -> None:
    """List the apps, and whether their configurations are valid."""
    values: list[dict[str, Any]] = []
    for platform, name in store.names(run.place):
        problem = ""
        try:
            checks.decoded(platform, name, store.read(run.place, platform, name).raw)
        except Problem as error:
            problem = error.what
        values.append({"app": f"{platform}/{name}", "valid": not problem, "problem": problem})
    lines = [f"{value['app']:<30} {value['problem'] or 'valid'}" for value in values]
    run.show(values, lines or [f"{run.place.name} has no app: add one with `parley app add PLATFORM/APP`"])


@command(group)
def check(
    run: Run, app: Annotated[str, typer.Argument(metavar="[PLATFORM/APP]", help="Without it, all apps.")] = ""
) -> int:
    """Check an app: its configuration, and whether the platform knows its credentials.

    The exit status is 1 if there is a problem.
    """
    apps = [app_name(app)] if app else store.names(run.place)

    def found() -> Iterator[Finding]:
        for platform, name in apps:
            yield from checks.check(run.place, platform, name)

    return show(run, found())


@command(group)
def rotate(
    run: Run,
    app: App,
    field: Annotated[str, typer.Argument(help="The field, such as app_secret.")],
    file: Annotated[str, typer.Option(metavar="FILE", help="A file with the value; - reads the standard input.")] = "",
    end: Annotated[bool, typer.Option("--end", help="End the overlap: forget the value before.")] = False,
    no_check: _NO_CHECK = False,
) -> int:
    """Replace a secret. Where the platform's secret can overlap, the value before stays valid until `--end`."""
    platform, name = app_name(app)
    values = _values(store.read(run.place, platform, name).raw)
    if end:
        changed = rotation.ended(platform, values, field)
    else:
        new = _read(file).strip() if file else typer.prompt(f"new {field}", hide_input=True).strip()
        changed = rotation.rotated(platform, values, field, new)
    made = checks.app_of(platform, name, changed.values)
    if not no_check:
        with checks.client() as connection:
            found = list(checks.credentials(run.place, made, connection))
        if any(finding.level == "problem" for finding in found):
            show(run, found)
            run.note("Nothing was changed. With --no-check it is changed all the same.")
            return 1
    store.write(run.place, platform, name, json.dumps(changed.values, ensure_ascii=False), replace=True)
    do = changed.do.format(app=app, field=field, options=store.options(run.place))
    run.show({"app": app, "field": field, "overlap": changed.overlaps, "do": do}, [f"stored: {field}. {_SOON}", do])
    return 0


@command(group)
def remove(run: Run, app: App, yes: _YES = False) -> None:
    """Remove an app. Its messages and states stay until they expire."""
    platform, name = app_name(app)
    store.read(run.place, platform, name)
    if not yes and not typer.confirm(f"Remove {app} from {run.place.name}?", err=True):
        raise Problem("Nothing was removed.")
    store.delete(run.place, platform, name)
    do = "Remove the callback URL in the platform's console too: its callbacks get 404 from now on."
    run.show({"removed": app, "do": do}, [f"removed: {app}", do])


command(group, "addresses")(addresses.addresses_command)


def _asked(platform: str, form: str) -> dict[str, Any]:
    """The values that a person types. Raises Problem if the app has no such form."""
    setup = setups.of(platform)
    fields = setup.forms.get(form or next(iter(setup.forms)))
    if fields is None:
        raise Problem(f"{setup.label} has no kind of app {form!r}.", f"The kinds are {', '.join(setup.forms)}.")
    if not fields:
        raise Problem(f"{setup.label} has lists of values.", f"Write them to a file and use --file: see {setup.guide}.")
    typer.echo(f"{setup.label}: the fields, and where they are in the console. Details: {setup.guide}", err=True)
    return {field.name: value for field in fields if (value := _prompt(field)) != ""}


def _prompt(field: Field) -> str | int:
    question = f"{field.name}  ({field.at})"
    value: str = typer.prompt(
        question, default="" if field.optional else None, show_default=False, hide_input=field.secret, err=True
    ).strip()
    if not field.number:
        return value
    try:
        return int(value)
    except ValueError:
        raise Problem(f"{field.name} is a number.", f"It is at {field.at}.") from None


def _from_file(file: str) -> dict[str, Any]:
    return _values(_read(file))


def _read(file: str) -> str:
    try:
        return typer.get_text_stream("stdin").read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{file} cannot be read: {type(error).__name__}.") from error


def _values(raw: str) -> dict[str, Any]:
    """The fields in JSON. Raises Problem, without the text."""
    try:
        values = json.loads(raw)
    except ValueError as error:
        at = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Problem(f"The fields are not JSON{at}.", 'Write an object, such as {"app_id": "..."}.') from error
    if not isinstance(values, dict):
        raise Problem("The fields are not a JSON object.", 'Write one, such as {"app_id": "..."}.')
    return values
