"""Runs the AWS emulator. Its argument, the stack's directory, tells its process from others.

Runs in the emulator's environment, where nothing of this repository can be imported. Three of its habits are tuned, by
private names (hence the pinned version, and the checks that they are still there):

- after each call it waits 50 ms for late log lines; 5 ms are enough for a worker on the same machine;
- it looks for due schedules every ten seconds; once a second makes tests of the sweeper quick;
- it unpacks the layers anew for every worker, two thousand files each time; here they are unpacked once and linked,
  as Lambda mounts them.
"""

import hashlib
import os
import sys
import tempfile
import threading
import types
import zipfile
from pathlib import Path

from ministack.core import lambda_runtime  # pyright: ignore[reportMissingImports]
from ministack.services import eventbridge, scheduler  # pyright: ignore[reportMissingImports]

_unpacking = threading.Lock()


class _ZipFile(zipfile.ZipFile):
    def _is_layer(self) -> bool:
        return Path(self.filename or "").name.startswith("layer_")

    def namelist(self) -> list[str]:
        # Only asked to look for entries that would land outside; the layers are this repository's own.
        return [] if self._is_layer() else super().namelist()

    def extractall(self, path: object = None, *_args: object, **_options: object) -> None:
        target = Path(str(path))
        if not self._is_layer():
            super().extractall(target)
            return
        contents = "\n".join(f"{entry.filename} {entry.CRC} {entry.file_size}" for entry in self.infolist())
        unpacked = Path(tempfile.gettempdir()) / f"unpacked-{hashlib.sha256(contents.encode()).hexdigest()[:16]}"
        with _unpacking:
            if not unpacked.exists():
                working = unpacked.with_suffix(".working")
                super().extractall(working, super().namelist())
                working.rename(unpacked)
        for entry in unpacked.iterdir():
            (target / entry.name).symlink_to(entry)


def _tune() -> None:
    drain = lambda_runtime.Worker._drain_stderr_bounded  # noqa: SLF001
    if drain.__defaults__ != (0.050, 0.005, 0.250):
        raise SystemExit("the emulator's log drain is not what this launcher was written for")
    drain.__defaults__ = (0.005, 0.005, 0.250)
    for module, name in ((scheduler, "_SCHEDULE_TICK_INTERVAL"), (eventbridge, "_SCHEDULER_TICK_INTERVAL")):
        if getattr(module, name) != 10:
            raise SystemExit(f"the emulator's {name} is not what this launcher was written for")
        setattr(module, name, 1)
    if lambda_runtime.zipfile is not zipfile:
        raise SystemExit("the emulator's way of unpacking layers is not what this launcher was written for")
    lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": _ZipFile})


if __name__ == "__main__":
    _tune()
    from ministack.app import main  # pyright: ignore[reportMissingImports]

    # The functions inherit this environment, and Powertools takes the emulator's log level for its own.
    os.environ.pop("LOG_LEVEL", None)
    sys.argv = ["ministack"]
    main()
