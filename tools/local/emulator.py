"""Starts the AWS emulator and waits until it is ready."""

import json
import os
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from tools.local import processes
from tools.local.errors import StackError
from tools.local.paths import EMULATOR_PYTHON, Paths
from tools.local.ports import Port

_LAUNCHER = Path(__file__).with_name("launcher.py")
_START_TIMEOUT = 60.0


def start(paths: Paths, port: Port, *, iam: bool, aws_seconds: float = 0) -> int:
    """Start the emulator on `port`. Returns its process id. `iam` enforces the roles of the functions. DynamoDB and SQS
    take `aws_seconds` longer to answer.
    """
    shutil.rmtree(paths.state, ignore_errors=True)
    temporary = paths.state / "tmp"
    temporary.mkdir(parents=True)
    return processes.spawn(
        [EMULATOR_PYTHON, _LAUNCHER, f"{paths.directory}{os.sep}", str(aws_seconds)],
        paths.directory,
        cwd=paths.state,
        log=paths.logs / "emulator.log",
        env=_environment(paths, temporary, port.number, iam=iam),
        lock=port.lock,
    )


def _environment(paths: Paths, temporary: Path, port: int, *, iam: bool) -> dict[str, str]:
    """The environment of the emulator and of all functions. It has no variables of the developer."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(paths.state),
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary),
        "STATE_DIR": str(paths.state / "ministack"),
        "S3_DATA_DIR": str(paths.state / "s3"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
        # Code on Lambda is not writable either: the layer build has compiled it.
        "PYTHONDONTWRITEBYTECODE": "1",
        # There is no X-Ray daemon.
        "POWERTOOLS_TRACE_DISABLED": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AUTH": "true" if iam else "false",
    }


def wait(paths: Paths, pid: int, endpoint: str) -> None:
    """Wait until the emulator is ready. Raises StackError if it ends or takes too long."""
    wait_for(f"{endpoint}/_ministack/health", "The AWS emulator", paths, pid, paths.logs / "emulator.log")


def wait_for(url: str, name: str, paths: Paths, pid: int, log: Path) -> None:
    """Wait until `url` answers 200. Raises StackError, with the end of `log`, if the process ends or takes too long."""
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        if _answers(url):
            return
        if not processes.alive(pid, paths.directory):
            raise StackError(f"{name} stopped right after its start. The end of {log}:\n{tail(log)}")
        time.sleep(0.05)
    raise StackError(f"{name} did not answer at {url} within {_START_TIMEOUT:.0f} s. The end of {log}:\n{tail(log)}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            response.read()
            return response.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError, json.JSONDecodeError):
        return False


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of `log`, indented."""
    if not log.exists():
        return "    (nothing)"
    return "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-lines:])
