"""Starts, stops and builds the local stack: `python -m tools.local up|run|down|build|register [--iam]`.

`register` registers the bot's commands at the simulated platforms. `up` and `run` do this too.
"""

import argparse
import signal
import sys
import threading
import time
from typing import NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from parley_cli import logs
from parley_cli.place import Place
from tools import bot
from tools.local import build, commands, stack
from tools.local.errors import StackError
from tools.local.paths import Paths
from tools.local.processes import alive
from tools.local.progress import Progress


def main(arguments: list[str]) -> int:
    """Run the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.local", description=__doc__)
    parser.add_argument("command", choices=["up", "run", "down", "build", "register"])
    parser.add_argument("--iam", action="store_true", help="enforce the roles of the functions")
    options = parser.parse_args(arguments)
    try:
        return {"up": _up, "run": _run, "down": _down, "build": _build, "register": _register}[options.command](
            iam=options.iam
        )
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _up(*, iam: bool) -> int:
    _interruptible()
    started = stack.up(stack.Options(iam=iam, watch=True))
    for name, value in (("page", started["playground"]), ("api", started["api"]), ("stack", Paths.of().stack)):
        print(f"{name:8}{value}")
    print("make down stops it")
    return 0


def _run(*, iam: bool) -> int:
    """Run the stack until Ctrl-C, or until one of its processes ends."""
    _interruptible()
    report = Progress()
    if (before := stack.running()) is not None:
        raise StackError(
            f"The stack is already running: open {before['playground']}. What you save in {bot.folder()}/ goes live by "
            "itself. `make down` stops the stack."
        )
    stopped = threading.Event()
    try:
        started = stack.up(stack.Options(iam=iam, watch=True, terminal=True, report=report))
        print(f"\n  Open {started['playground']}   (Ctrl-C stops it)", flush=True)
        print(f"  What you save in {bot.folder()}/ goes live within seconds.\n", flush=True)
        paths, pids = Paths.of(), started["pids"]
        reader = logs.reader(Place(started["stage"], "", started), time.time())
        while not stopped.wait(0.5):
            _print_problems(reader)
            ended = [name for name, pid in pids.items() if not alive(pid, paths.directory)]
            if ended:
                raise StackError(f"These processes have stopped: {', '.join(ended)}. See the logs in {paths.logs}.")
    except KeyboardInterrupt:
        return 0
    finally:
        # A second Ctrl-C would leave processes running.
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        report("stopping the stack")
        stack.down()
        report("stopped; no process is left")
    return 0


def _print_problems(reader: logs.Reader) -> None:
    """Print the errors of all functions, and what the bot prints."""
    try:
        lines = reader.new()
    except (BotoCoreError, ClientError):
        return  # the stack is going down
    for line in lines:
        if line.is_problem:
            print(logs.shown(line), flush=True)


def _down(*, iam: bool) -> int:  # noqa: ARG001
    started = time.monotonic()
    was_up = stack.down()
    print(f"stopped in {time.monotonic() - started:.1f} s" if was_up else "no stack was running")
    return 0


def _build(*, iam: bool) -> int:  # noqa: ARG001
    print(build.build().parent)
    return 0


def _register(*, iam: bool) -> int:  # noqa: ARG001
    started = stack.running()
    if started is None:
        raise StackError("No stack is running. `make run` starts one.")
    commands.register(started, Paths.of())
    return 0


def _interruptible() -> None:
    """Treat SIGTERM and SIGHUP like Ctrl-C, so that the started processes are stopped. SIGINT is included, because a
    shell ignores it in background jobs.
    """

    def interrupt(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, interrupt)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
