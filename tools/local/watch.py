"""Makes each saved change of the bot live on the running stack: `python -m tools.local.watch DIRECTORY`.

`bot.json` in the stack's directory says how it went, for the page: `{"state": "live", "at": UNIX_SECONDS,
"seconds": 1.4}` or `{"state": "failed", "at": UNIX_SECONDS, "error": "BOT/bot.py:3: SyntaxError: ..."}`. After a
failure the last good bot goes on.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from watchfiles import watch

from tools import bot
from tools.local import build, check, live, settings
from tools.local.aws import Aws
from tools.local.errors import StackError
from tools.local.paths import PYTHON, ROOT, Paths


def main(directory: str) -> None:
    """Watch the bot's folder until the process is ended."""
    paths = Paths.of(directory)
    stack = json.loads(paths.stack.read_text())
    seen = stack["saved"]
    # It also looks once a second: something may have been saved before it began to watch.
    for _changes in watch(ROOT / bot.folder(), step=20, rust_timeout=1000, yield_on_timeout=True):
        saved = build.saved_bot()
        if saved != seen:
            seen = saved
            _report(paths, _replace(stack))


def _replace(stack: dict[str, Any]) -> dict[str, Any]:
    """Put the bot live. Returns the content of `bot.json`."""
    began = time.time()
    error = check.problem(ROOT / bot.folder(), Path(stack["build"]))
    if not error:
        aws = Aws(stack["aws_endpoint"])
        try:
            settings.install(aws, stack["playground"])
            live.deploy(aws, stack["functions"])
        except StackError as refused:
            error = f"{bot.folder()}: {refused}"
    if error:
        return {"state": "failed", "at": time.time(), "error": error}
    return {"state": "live", "at": time.time(), "seconds": round(time.time() - began, 1)}


def _report(paths: Paths, result: dict[str, Any]) -> None:
    new = paths.bot.with_suffix(".new")
    new.write_text(json.dumps(result) + "\n")
    new.replace(paths.bot)
    if result["state"] == "live":
        print(f"{bot.folder()} is live, after {result['seconds']} s", flush=True)
        # Discord shows the commands that are registered.
        environment = {**os.environ, "PARLEY_LOCAL_DIR": str(paths.directory)}
        subprocess.run([PYTHON, "-m", "tools.local", "register"], cwd=ROOT, env=environment, check=False)
    else:
        print(f"{result['error']}\n  The last good bot goes on.", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
