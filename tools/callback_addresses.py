"""Where a platform's callbacks come from, for an allow-list: `python -m tools.callback_addresses PLATFORM APP`.

Asks the platform (WeCom, WeChat: `getcallbackip`) and prints CIDR blocks, one a line. Without `--stage` for an app of
the local stack, with it for one of that stage, whose configuration is read where the functions read it, with the AWS
credentials of the shell. `--known FILE` compares with an earlier answer: if it differs, what is new or gone, status 3.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

import httpx

from parley.adapter import Answer, App, Call, Outbound, Sent, Token, TokenUnavailableError
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.http import CallError, Http
from parley.model import Destination, Outgoing, Reply
from parley.platforms import NAMES, outbound

CHANGED = 3
"""Exit status where the addresses are not those of `--known`."""


@runtime_checkable
class Listing(Outbound, Protocol):
    """The sending half of a platform that tells where its callbacks come from."""

    def addresses(self, app: App) -> Call:
        """The call that asks for them."""
        ...

    def read_addresses(self, answer: Answer) -> tuple[str, ...]:
        """The CIDR blocks in its answer. Raises ValueError."""
        ...


class NotTold(Exception):
    """The platform, or the way there, did not tell. The message says why."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    try:
        known = options.known and options.known.read_text().split()
        _environment(options.stage)
        app = Apps().get(options.platform, options.app)
        with httpx.Client() as client:
            found = addresses(app, Http(client))
    except OSError as error:
        return _failed(f"{options.known}: {error.strerror}")
    except UnknownAppError:
        return _failed(f"there is no app {options.app!r} of {options.platform} in the stage {options.stage or 'local'}")
    except (AppsUnavailableError, NotTold, CallError, TokenUnavailableError) as error:
        return _failed(str(error))
    if known is None:
        print(*found, sep="\n")
        return 0
    changes = list(difference(known, found))
    print(*changes, sep="\n", end="\n" if changes else "")
    return CHANGED if changes else 0


def addresses(app: App, http: Http, now: float | None = None) -> tuple[str, ...]:
    """The blocks that callbacks for `app` come from, sorted. Raises NotTold, CallError, TokenUnavailableError."""
    platform = outbound(app.platform)
    if not isinstance(platform, Listing):
        raise NotTold(f"{app.platform} does not tell where its callbacks come from")
    call = platform.addresses(app)
    answer = http.perform(call, _token(platform, app, http, time.time() if now is None else now))
    outcome = platform.outcome(call, answer)
    if not isinstance(outcome, Sent):
        raise NotTold(f"{call.name}: {outcome.reason}")
    try:
        return tuple(sorted(set(platform.read_addresses(answer))))
    except ValueError as error:
        raise NotTold(f"{call.name}: {error}") from error


def difference(known: Collection[str], found: Collection[str]) -> Iterator[str]:
    """`+` what is new, `-` what is gone."""
    yield from (f"+ {block}" for block in found if block not in known)
    yield from (f"- {block}" for block in known if block not in found)


def _token(platform: Outbound, app: App, http: Http, now: float) -> str:
    """A token of its own. Both platforms give out the same one again, so that nobody loses theirs."""
    nowhere = Destination(platform=app.platform, app=app.name)
    nobody = Outgoing(id="", message_key="", ordinal=0, to=nowhere, reply=Reply(), created=now)
    steps = platform.token(nobody, app, {}, now)
    try:
        call = next(steps)
        while True:
            call = steps.send(http.perform(call))
    except StopIteration as end:
        token: Token = end.value
        return token.value


def _environment(stage: str) -> None:
    """Have AWS asked where the app is. Raises NotTold where no local stack runs."""
    if stage:
        os.environ["PARLEY_STAGE"] = stage
        return
    file = Path(os.environ.get("PARLEY_LOCAL_DIR", ".local")) / "stack.json"
    try:
        facts = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise NotTold(f"no local stack runs here ({file}): make up, or name a --stage") from error
    os.environ |= {
        "PARLEY_STAGE": facts["stage"],
        "AWS_ENDPOINT_URL": facts["aws_endpoint"],
        "AWS_DEFAULT_REGION": facts["region"],
        "AWS_ACCESS_KEY_ID": facts["account"],
        "AWS_SECRET_ACCESS_KEY": facts["account"],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.callback_addresses",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("platform", choices=NAMES)
    parser.add_argument("app", help="name of the app's configuration")
    parser.add_argument("--stage", default="", help="stage of a deployment on AWS")
    parser.add_argument("--known", type=Path, help="file with the blocks of an earlier answer")
    return parser


def _failed(reason: str) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
