"""Writes the sample events in events/, signed for this very moment.

    python -m tools.make_events [--now UNIX_SECONDS] [--host NAME]

Feishu's callbacks are refused when they are older than eight hours, so this comes before `sam local invoke`. Where the
local stack is up, it is prepared for that too (tools/invoke.py).
"""

import argparse
import json
import sys
import time
from pathlib import Path

from tools import invoke, local
from tools.local.places import ROOT
from tools.samples import events

FOLDER = ROOT / "events"


def main(arguments: list[str]) -> int:
    """Do it; status 1 and a sentence if the stack cannot be prepared."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_events", description=__doc__)
    parser.add_argument(
        "--now", type=int, default=int(time.time()), help="the moment to sign for; this one if left out"
    )
    parser.add_argument("--host", default="", help="this machine as containers know it; found out if left out")
    options = parser.parse_args(arguments)
    for name in write(FOLDER, options.now):
        print(f"events/{name}")
    stack = local.running()
    if stack is None:
        print("The local stack is not up, so the functions would reach nothing: `make up`, then `make events` again.")
        return 0
    try:
        invoke.prepare(stack, options.now, options.host)
    except invoke.NoContainers as missing:
        print(f"The samples are written. {missing} Then `make events` again.")
        return 0
    except local.Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        return 1
    print("Ready. For example: sam local invoke FeishuFunction --config-env local -e events/feishu/text.json")
    return 0


def write(folder: Path, now: int) -> list[str]:
    """Write all samples, remove what is none any more, and return the names."""
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
