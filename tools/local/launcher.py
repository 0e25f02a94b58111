"""Runs the AWS emulator. Its argument, the stack's directory, tells its process from others.

Runs in the emulator's environment, where nothing of this repository can be imported. Two of its habits are tuned, by
private names (hence the pinned version, and the check that they are still there):

- after each call it waits 50 ms for late log lines; 5 ms are enough for a worker on the same machine;
- it looks for due schedules every ten seconds; once a second makes tests of the sweeper quick.
"""

import os
import sys

from ministack.core.lambda_runtime import Worker  # pyright: ignore[reportMissingImports]
from ministack.services import eventbridge, scheduler  # pyright: ignore[reportMissingImports]


def _tune() -> None:
    drain = Worker._drain_stderr_bounded  # noqa: SLF001
    if drain.__defaults__ != (0.050, 0.005, 0.250):
        raise SystemExit("the emulator's log drain is not what this launcher was written for")
    drain.__defaults__ = (0.005, 0.005, 0.250)
    for module, name in ((scheduler, "_SCHEDULE_TICK_INTERVAL"), (eventbridge, "_SCHEDULER_TICK_INTERVAL")):
        if getattr(module, name) != 10:
            raise SystemExit(f"the emulator's {name} is not what this launcher was written for")
        setattr(module, name, 1)


if __name__ == "__main__":
    _tune()
    from ministack.app import main  # pyright: ignore[reportMissingImports]

    # The functions inherit this environment, and Powertools takes the emulator's log level for its own.
    os.environ.pop("LOG_LEVEL", None)
    sys.argv = ["ministack"]
    main()
