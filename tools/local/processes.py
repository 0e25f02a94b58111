"""Processes that outlive the command that started them: each leads a group of its own, by which it is ended.

A process id says little after a day: the system may have given it to somebody else. So only a process that is in a
group that was started here and has the stack's directory in its command line is ever signalled.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PATIENCE = 5.0


def spawn(command: Sequence[str | Path], mark: Path, *, cwd: Path, log: Path, env: Mapping[str, str], lock: int) -> int:
    """Start `command`, which names something in the directory `mark`, in the background, and return its id.

    Its output goes to `log`; the open file `lock` is handed over to it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
        )
    os.close(lock)
    # For a moment after it was started a process has no command line yet.
    while process.poll() is None and not remaining([process.pid], mark):
        time.sleep(0.005)
    return process.pid


def alive(leader: int, mark: Path) -> bool:
    """Whether the process `leader` runs and is one of the stack in the directory `mark`."""
    _reap(leader)
    return leader in remaining([leader], mark)


def remaining(leaders: Iterable[int], mark: Path) -> list[int]:
    """Ids of the processes in the groups of `leaders` that are of the stack in the directory `mark`."""
    wanted, groups = f"{mark}{os.sep}", set(leaders)
    return [pid for pid, group, command in _all() if group in groups and wanted in command]


def end(leaders: Sequence[int], mark: Path) -> list[int]:
    """End the groups of `leaders`: politely, then by force. Returns the ids of what still runs: none, one hopes."""
    left: list[int] = []
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in remaining(leaders, mark):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            for leader in leaders:
                _reap(leader)
            left = remaining(leaders, mark)
            if not left:
                return []
            time.sleep(0.05)
    return left


def _all() -> list[tuple[int, int, str]]:
    if Path("/proc/self/cmdline").exists():
        return [row for entry in Path("/proc").iterdir() if entry.name.isdigit() and (row := _linux(int(entry.name)))]
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,pgid=,command="], capture_output=True, text=True, check=True)
    rows = (line.split(None, 2) for line in listed.stdout.splitlines())
    return [(int(row[0]), int(row[1]), row[2]) for row in rows if len(row) == 3]


def _linux(pid: int) -> tuple[int, int, str] | None:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        # A process that has ended and was not waited for has no command line any more.
        return (pid, os.getpgid(pid), command) if command else None
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def _reap(pid: int) -> None:
    """Take the exit status if the process is our child, so that it is gone for good."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
