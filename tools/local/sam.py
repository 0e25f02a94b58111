"""Runs the SAM CLI."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.local.emulator import tail
from tools.local.errors import StackError
from tools.local.paths import ROOT, SAM


def sam(command: str, arguments: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> None:
    """Run `sam command arguments` in the repository, with its output in `log`. Raises StackError if it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        done = subprocess.run(
            [SAM, command, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise StackError(f"`sam {command}` failed. The end of {log}:\n{tail(log, 30)}")
