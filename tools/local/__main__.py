"""`python -m tools.local up|run|down|build [--iam]`; the Makefile calls it."""

import argparse
import signal
import sys
import threading
import time
from typing import NoReturn

from tools.local import build, stack
from tools.local.places import Places
from tools.local.processes import alive
from tools.local.progress import Progress
from tools.local.trouble import Trouble


def main(arguments: list[str]) -> int:
    """Do what the command line says; one sentence and status 1 if it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m tools.local", description=__doc__)
    parser.add_argument("command", choices=["up", "run", "down", "build"])
    parser.add_argument("--iam", action="store_true", help="functions may do only what their roles allow")
    options = parser.parse_args(arguments)
    try:
        return {"up": _up, "run": _run, "down": _down, "build": _build}[options.command](iam=options.iam)
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _up(*, iam: bool) -> int:
    _interruptible()
    started = stack.up(stack.Options(iam=iam))
    for name, value in (("page", started["playground"]), ("api", started["api"]), ("stack", Places.of().stack)):
        print(f"{name:8}{value}")
    print("make down ends it")
    return 0


def _run(*, iam: bool) -> int:
    """Until Ctrl-C, or until one of the processes ends."""
    _interruptible()
    say = Progress()
    if stack.running() is not None:
        raise Trouble("The stack is up already: `make down` ends it.")
    stopped = threading.Event()
    try:
        started = stack.up(stack.Options(iam=iam, say=say))
        print(f"\n  Open {started['playground']}   (Ctrl-C ends it)\n", flush=True)
        places, pids = Places.of(), started["pids"]
        while not stopped.wait(1):
            ended = [name for name, pid in pids.items() if not alive(pid, places.directory)]
            if ended:
                raise Trouble(f"Ended unexpectedly: {', '.join(ended)}; see the logs in {places.logs}.")
    except KeyboardInterrupt:
        return 0
    finally:
        # A second Ctrl-C would leave processes behind.
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        say("ending everything")
        stack.down()
        say("ended; no process is left")
    return 0


def _down(*, iam: bool) -> int:  # noqa: ARG001
    started = time.monotonic()
    was_up = stack.down()
    print(f"down after {time.monotonic() - started:.1f} s" if was_up else "nothing was up")
    return 0


def _build(*, iam: bool) -> int:  # noqa: ARG001
    print(build.build().parent)
    return 0


def _interruptible() -> None:
    """Being told to end is like Ctrl-C: what was started is ended too. Ctrl-C itself is among them, because a shell
    starts its background jobs deaf to it.
    """

    def interrupt(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, interrupt)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
