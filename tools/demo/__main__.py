"""Runs the cases on a stack with the bot of the tests, because a team's bot has other commands.

Starts such a stack beside a running one with another bot, and stops it afterwards. Exit status 1 if a case fails.
"""

import signal
import sys
from typing import NoReturn

from tools import bot
from tools.demo import cases
from tools.demo.case import Result
from tools.demo.table import Table
from tools.local import Options, StackError, down, running, up
from tools.local.paths import ROOT
from tools.local.stack import Stack

_DIRECTORY = ROOT / ".local" / "demo"
"""The demo's own stack."""


def main() -> int:
    """Run the demo. Returns the exit status."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    stack = running()
    mine = stack is None or stack.get("bot") != bot.SAMPLE
    bot.use_sample()
    try:
        # A running stack is used as it is: with other options, up() would replace it.
        return demonstrate(up(Options(directory=_DIRECTORY)) if stack is None or mine else stack)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    finally:
        if mine:
            down(_DIRECTORY)


def demonstrate(stack: Stack) -> int:
    """Run all cases of the platforms that have an app in `stack`. Prints one row each. Returns the exit status."""
    chosen = {platform: cases.PLATFORMS.get(platform, ()) for platform in stack["apps"]}
    table = Table([case for platform_cases in chosen.values() for case in platform_cases])
    results: list[Result] = []
    for platform, platform_cases in chosen.items():
        print(f"\n{platform}" + ("" if platform_cases else ": no cases yet"))
        print(table.head())
        for case in platform_cases:
            results.append(cases.run(case, stack, platform))
            print(table.row(results[-1]), flush=True)
    failed = sum(not result.ok for result in results)
    print(f"\ndemo: {len(results) - failed} ok, {failed} failed")
    return 1 if failed or not results else 0


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
