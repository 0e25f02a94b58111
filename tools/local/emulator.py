"""Starts the AWS emulator and waits until it answers."""

import json
import os
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from tools.local import processes
from tools.local.places import EMULATOR_PYTHON, Places
from tools.local.ports import Port
from tools.local.trouble import Trouble

_LAUNCHER = Path(__file__).with_name("launcher.py")
_START = 60.0


def start(places: Places, port: Port, *, iam: bool) -> int:
    """Start the emulator on `port` and return its process id. `iam`: functions may do only what their roles allow."""
    shutil.rmtree(places.state, ignore_errors=True)
    temporary = places.state / "tmp"
    temporary.mkdir(parents=True)
    return processes.spawn(
        [EMULATOR_PYTHON, _LAUNCHER, f"{places.directory}{os.sep}"],
        places.directory,
        cwd=places.state,
        log=places.logs / "emulator.log",
        env=_environment(places, temporary, port.number, iam=iam),
        lock=port.lock,
    )


def _environment(places: Places, temporary: Path, port: int, *, iam: bool) -> dict[str, str]:
    """Everything in it is seen by the functions as well, so nothing of the developer's own goes in."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(places.state),
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary),
        "STATE_DIR": str(places.state / "ministack"),
        "S3_DATA_DIR": str(places.state / "s3"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
        # Lambda has no writable code either; what is compiled was compiled when the layer was built.
        "PYTHONDONTWRITEBYTECODE": "1",
        # There is no X-Ray daemon to be found.
        "POWERTOOLS_TRACE_DISABLED": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AUTH": "true" if iam else "false",
    }


def wait(places: Places, pid: int, endpoint: str) -> None:
    """Return when the emulator answers. Raises Trouble if it ends or takes too long."""
    wait_for(f"{endpoint}/_ministack/health", "The AWS emulator", places, pid, places.logs / "emulator.log")


def wait_for(url: str, what: str, places: Places, pid: int, log: Path) -> None:
    """Return when `url` answers 200. Raises Trouble, with the end of `log`, if the process ends or is too slow."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        if _answers(url):
            return
        if not processes.alive(pid, places.directory):
            raise Trouble(f"{what} ended as soon as it was started; the end of {log}:\n{tail(log)}")
        time.sleep(0.05)
    raise Trouble(f"{what} did not answer at {url} within {_START:.0f} s; the end of {log}:\n{tail(log)}")


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
