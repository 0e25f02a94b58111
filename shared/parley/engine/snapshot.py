"""SnapStart: Lambda initialises a function once, and starts every process from a snapshot of its memory.

So nothing that has to differ between processes may exist before the first event: no id, no connection, no token, no
time, no state of a random generator. The functions of Parley make all of these when they handle an event. Ids and keys
come from the operating system, which has new randomness in every process. Python's `random` is the exception: its state
is part of the snapshot.

AWS clients may be made before the snapshot. They connect, and read credentials, with their first request.
"""

import random


def reseed_after_restore() -> None:
    """Give `random` a new seed in every process that starts from a snapshot. Has no effect elsewhere.

    Otherwise all processes would wait for the same "random" times, and a bot that throws dice would throw the same.
    """
    try:
        # Part of Lambda's Python 3.12 and newer.
        from snapshot_restore_py import (  # noqa: PLC0415  # pyright: ignore[reportMissingImports]
            register_after_restore,  # pyright: ignore[reportUnknownVariableType]
        )
    except ImportError:
        return
    register_after_restore(random.seed)
