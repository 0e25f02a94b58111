"""Ports on the loopback interface."""

import os
import socket

from tools.local.trouble import Trouble


def choose(variable: str, default: int, what: str) -> int:
    """The port for `what`: the one that the environment variable `variable` names, else `default`, else any free one.

    Raises Trouble if the named one is taken.
    """
    named = os.environ.get(variable)
    if not named:
        return default if _free(default) else _any_free()
    if not named.isdigit() or not 0 < int(named) < 65_536:
        raise Trouble(f"{variable}={named} is not a port number.")
    if not _free(int(named)):
        raise Trouble(
            f"Port {named} ({what}) is in use by another program; free it, or choose another one with {variable}=PORT, "
            f"or leave {variable} out to have a free one chosen."
        )
    return int(named)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections merely linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
