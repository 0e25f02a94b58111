"""Ports on the loopback interface.

Another stack can take a free port before its server starts half a minute later. Then both stacks would use one server.
So a chosen port is locked with a file. The server inherits the open file, and the lock ends with the server.
"""

import fcntl
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.local.errors import StackError


@dataclass(frozen=True)
class Port:
    """A port, and the open file that locks it."""

    number: int
    lock: int

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.number}"


def choose(variable: str, default: int, purpose: str) -> Port:
    """Lock and return a port: the one in the environment variable `variable`, else `default`, else any free one.

    Raises StackError if the port in the variable is in use.
    """
    named = os.environ.get(variable)
    if not named:
        return _take(default) or _take_any()
    if not named.isdigit() or not 0 < int(named) < 65_536:
        raise StackError(f"{variable}={named} is not a port number.")
    port = _take(int(named))
    if port is None:
        raise StackError(
            f"Port {named} ({purpose}) is in use. Choose another port with {variable}=PORT, or unset {variable} to use "
            "any free port."
        )
    return port


def _take(number: int) -> Port | None:
    directory = Path(tempfile.gettempdir()) / f"parley-ports-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(directory / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    if not _free(number):
        os.close(lock)
        return None
    return Port(number, lock)


def _take_any() -> Port:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            number = int(probe.getsockname()[1])
        port = _take(number)
        if port is not None:
            return port


def _free(number: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port with connections in TIME_WAIT only is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True
