"""Prints the addresses from which a platform sends callbacks, for an allow-list.

    python -m tools.callback_addresses PLATFORM APP [--stage STAGE] [--known FILE]

The tool requests them from the platform (WeCom and WeChat: `getcallbackip`) and prints CIDR blocks, one per line.
Without `--stage` it uses an app of the local stack. With it, it reads the configuration where the functions of that
stage read it, with the AWS credentials of the shell. `--known FILE` compares the blocks with an earlier output: it
prints the differences, and the exit status is 3 if there are any.
"""

import argparse
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

import httpx

from parley.adapter import Answer, App, Call, Outbound, Sent, TokenUnavailableError
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.http import CallError, Http
from parley.platforms import NAMES, outbound
from parley_cli import tokens
from tools.local import StackError
from tools.stage import use_stage

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


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        known = options.known and options.known.read_text().split()
        use_stage(options.stage)
        app = Apps().get(options.platform, options.app)
        with httpx.Client() as client:
            found = addresses(app, Http(client))
    except OSError as error:
        return _failed(f"{options.known}: {error.strerror}")
    except UnknownAppError:
        return _failed(f"{options.platform} has no app {options.app!r} in the stage {options.stage or 'local'}")
    except (StackError, AppsUnavailableError, AddressesUnavailableError, CallError, TokenUnavailableError) as error:
        return _failed(str(error))
    if known is None:
        print(*found, sep="\n")
        return 0
    changes = list(difference(known, found))
    print(*changes, sep="\n", end="\n" if changes else "")
    return CHANGED if changes else 0


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.callback_addresses",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("platform", choices=NAMES)
    parser.add_argument("app", help="name of the app's configuration")
    parser.add_argument("--stage", default="", help="stage of a deployment on AWS; without it, the local stack")
    parser.add_argument("--known", type=Path, help="file with the blocks of an earlier output")
    return parser


def _failed(reason: str) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
