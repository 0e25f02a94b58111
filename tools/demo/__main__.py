"""Runs the cases. Starts the stack if it is not up, and ends it again then. Exit status 1 if one fails."""

import signal
import sys
from typing import NoReturn

import httpx

from tools.demo.case import Case, Result
from tools.demo.cases import PLATFORMS
from tools.demo.table import Table
from tools.demo.world import Unanswered, World
from tools.local import Options, Trouble, down, running, up
from tools.local.stack import Stack


def main() -> int:
    """One row each, and the sum; the exit status."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    was_up = running() is not None
    try:
        return demonstrate(up(Options()))
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    finally:
        if not was_up:
            down()


def demonstrate(stack: Stack) -> int:
    """Run all cases of the platforms that `stack` has an app of."""
    chosen = {platform: PLATFORMS.get(platform, ()) for platform in stack["apps"]}
    table = Table([case for cases in chosen.values() for case in cases])
    results: list[Result] = []
    for platform, cases in chosen.items():
        print(f"\n{platform}" + ("" if cases else ": no cases yet"))
        print(table.head())
        for case in cases:
            results.append(attempt(case, World(stack, platform)))
            print(table.row(results[-1]), flush=True)
    failed = sum(not result.ok for result in results)
    print(f"\ndemo: {len(results) - failed} ok, {failed} failed")
    return 1 if failed or not results else 0


def attempt(case: Case, world: World) -> Result:
    """Run one case. Whatever goes wrong is what was got."""
    try:
        seen = case.run(world)
    except (Unanswered, httpx.HTTPError) as error:
        return Result(case, str(error), None)
    finally:
        world.http.close()
    return Result(case, seen.words, seen.seconds * 1000)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
