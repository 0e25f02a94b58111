"""Writes the sample events in events/, signed for the current time.

    python -m tools.make_events [--now UNIX_SECONDS] [--host NAME]

Run it before `sam local invoke`: Feishu's callbacks are rejected if they are older than eight hours. If the local stack
is running, the tool prepares it for `sam local invoke` too (tools/invoke.py).
"""

import argparse
import json
import sys
import time
from pathlib import Path

from tools import invoke, local
from tools.local.paths import ROOT
from tools.samples import events

FOLDER = ROOT / "events"


def main(arguments: list[str]) -> int:
    """Run the command line. Returns the exit status: 1 if the stack cannot be prepared."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_events", description=__doc__)
    parser.add_argument("--now", type=int, default=int(time.time()), help="the time to sign for (default: now)")
    parser.add_argument("--host", default="", help="name of this machine inside containers (default: detected)")
    options = parser.parse_args(arguments)
    for name in write(FOLDER, options.now):
        print(f"events/{name}")
    stack = local.running()
    if stack is None:
        print("The local stack is not running. For `sam local invoke`, run `make up` and then `make events` again.")
        return 0
    try:
        invoke.prepare(stack, options.now, options.host)
    except invoke.NoContainerEngineError as error:
        print(f"The samples are written. {error} Then run `make events` again.")
        return 0
    except local.StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("Ready. For example: sam local invoke FeishuFunction --config-env local -e events/feishu/text.json")
    return 0


def write(folder: Path, now: int) -> list[str]:
    """Write all samples and remove all other files. Returns the names of the samples."""
    made = events(now)
    for name, event in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(event, indent=2, ensure_ascii=False) + "\n")
    for path in folder.rglob("*.json"):
        if path.relative_to(folder).as_posix() not in made:
            path.unlink()
    return list(made)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
