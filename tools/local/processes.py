"""Background processes. Each one leads a process group of its own, so that the group can be stopped.

The system can reuse a process id. So a signal is sent only to a process that is in a group started here, and that has
the stack's directory in its command line.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_TIMEOUT = 5.0
"""Seconds until a process that ignores SIGTERM gets SIGKILL."""


def spawn(
    command: Sequence[str | Path], mark: Path, *, cwd: Path, log: Path | None, env: Mapping[str, str], lock: int = -1
) -> int:
    """Start `command` in the background. Returns its process id.

    An argument of `command` is a path in the directory `mark`, by which the process is recognised. Its output goes to
    `log`, or without one to the terminal. It inherits the open file `lock`, if there is one.
    """
    with _output(log) as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,) if lock >= 0 else (),
        )
    if lock >= 0:
        os.close(lock)
    # A process has no command line for a moment after its start.
    while process.poll() is None and not remaining([process.pid], mark):
        time.sleep(0.005)
    return process.pid


@contextmanager
def _output(log: Path | None) -> Iterator[IO[bytes] | None]:
    """The file `log` for writing; None for the output of this process."""
    if log is None:
        yield None
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        yield out


def alive(leader: int, mark: Path) -> bool:
    """Whether the process `leader` runs and belongs to the stack in the directory `mark`."""
    _reap(leader)
    return leader in remaining([leader], mark)


def remaining(leaders: Iterable[int], mark: Path) -> list[int]:
    """The ids of the processes in the groups of `leaders` that belong to the stack in the directory `mark`."""
    wanted, groups = f"{mark}{os.sep}", set(leaders)
    return [pid for pid, group, command in _all() if group in groups and wanted in command]


def end(leaders: Sequence[int], mark: Path) -> list[int]:
    """Stop the groups of `leaders` with SIGTERM, then with SIGKILL. Returns the ids of processes that still run."""
    left: list[int] = []
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in remaining(leaders, mark):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
        deadline = time.monotonic() + _TIMEOUT
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
        # A process that has ended and was not waited for has no command line.
        return (pid, os.getpgid(pid), command) if command else None
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def _reap(pid: int) -> None:
    """Collect the exit status if the process is a child, so that it does not remain as a zombie."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
