"""The addresses from which a platform sends callbacks, for an allow-list: `parley app addresses`."""

import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Protocol, runtime_checkable

import typer

from parley.adapter import Answer, App, Call, Outbound, Sent, TokenUnavailableError
from parley.engine.http import CallError, Http
from parley.platforms import outbound
from parley_cli import check, names, store, tokens
from parley_cli.command import Run
from parley_cli.problems import Problem

CHANGED = 3
"""Exit status if the addresses differ from those of `--known`."""


@runtime_checkable
class ListsAddresses(Outbound, Protocol):
    """The sending half of a platform that has an API for the addresses of its callbacks."""

    def addresses(self, app: App) -> Call:
        """The call that requests the addresses."""
        ...

    def read_addresses(self, answer: Answer) -> tuple[str, ...]:
        """The CIDR blocks in the response. Raises ValueError."""
        ...


class AddressesUnavailableError(Exception):
    """The addresses cannot be requested, or the platform rejects the request. The text has the reason."""


def addresses_command(
    run: Run,
    app: names.App,
    known: Annotated[Path | None, typer.Option(help="A file with an earlier output: print the differences.")] = None,
) -> int:
    """Print the addresses from which the platform sends callbacks, as CIDR blocks, for an allow-list.

    With --known, the exit status is 3 if there are differences.
    """
    platform, name = names.app_name(app)
    before = None if known is None else _known(known)
    config = check.decoded(platform, name, store.read(run.place, platform, name).raw)
    try:
        with check.client() as client:
            found = addresses(App(platform, name, config), Http(client))
    except (AddressesUnavailableError, CallError, TokenUnavailableError) as error:
        raise Problem(f"The addresses are not available: {error}.") from error
    if before is None:
        run.show(found, found)
        return 0
    changes = list(difference(before, found))
    run.show(changes, changes)
    return CHANGED if changes else 0


def _known(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError as error:
        raise Problem(f"{file}: {error.strerror}") from error


def addresses(app: App, http: Http, now: float | None = None) -> tuple[str, ...]:
    """The CIDR blocks from which callbacks for `app` come, sorted.

    Raises AddressesUnavailableError, CallError, TokenUnavailableError.
    """
    platform = outbound(app.platform)
    if not isinstance(platform, ListsAddresses):
        raise AddressesUnavailableError(f"{app.platform} has no API for the addresses of its callbacks")
    if app.config.has_tenants:
        raise AddressesUnavailableError(
            f"{app.name} is installed by many companies, and this API needs the token of one: name an internal app"
        )
    call = platform.addresses(app)
    answer = http.perform(call, tokens.fetch(platform, app, http, time.time() if now is None else now).value)
    outcome = platform.outcome(call, answer)
    if not isinstance(outcome, Sent):
        raise AddressesUnavailableError(f"{call.name}: {outcome.reason}")
    try:
        return tuple(sorted(set(platform.read_addresses(answer))))
    except ValueError as error:
        raise AddressesUnavailableError(f"{call.name}: {error}") from error


def difference(known: Collection[str], found: Collection[str]) -> Iterator[str]:
    """One line per difference: `+` for a new block, `-` for a removed one."""
    yield from (f"+ {block}" for block in found if block not in known)
    yield from (f"- {block}" for block in known if block not in found)
