"""Ports on the loopback interface.

A port that is free now may be taken when its server starts half a minute later, by another stack: then both would talk
to the same one. So a chosen port is locked, by a file that the server inherits and that ends with it.
"""

import fcntl
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.local.trouble import Trouble


@dataclass(frozen=True)
class Port:
    """A port, and the open file that keeps other stacks from it."""

    number: int
    lock: int

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.number}"


def choose(variable: str, default: int, what: str) -> Port:
    """The port for `what`: the one that the environment variable `variable` names, else `default`, else any free one.

    Raises Trouble if the named one is taken.
    """
    named = os.environ.get(variable)
    if not named:
        return _take(default) or _take_any()
    if not named.isdigit() or not 0 < int(named) < 65_536:
        raise Trouble(f"{variable}={named} is not a port number.")
    port = _take(int(named))
    if port is None:
        raise Trouble(
            f"Port {named} ({what}) is in use by another program; free it, or choose another one with {variable}=PORT, "
            f"or leave {variable} out to have a free one chosen."
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
        # As servers do: a port whose last connections merely linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True
