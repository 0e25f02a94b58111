"""Runs the AWS emulator. The arguments are the stack's directory, by which `processes` recognises the process, and the
seconds that DynamoDB and SQS take longer to answer.

It runs in the emulator's environment, which cannot import this repository. It changes six things of the emulator by
private names. So the emulator's version is pinned, and the launcher checks that the names are still there.

- After each call the emulator waits 50 ms for late log lines. 5 ms are enough for a worker on the same machine.
- It looks for due schedules every ten seconds. Once a second makes the tests of the sweeper fast.
- It unpacks the layers for every worker, two thousand files each time. The launcher unpacks them once and links them,
  as Lambda mounts them.
- Functions could import the emulator's own packages. Here they see their layers and the standard library, as on Lambda.
- The address of a WebSocket API is one of AWS. The functions get the one at which the emulator has that API.
- It asks for the right to `sqs:SendMessageBatch`, which AWS has not: there it is `sqs:SendMessage`.
"""

import asyncio
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import types
import zipfile
from pathlib import Path
from typing import Any

from ministack.core import iam_actions, lambda_runtime  # pyright: ignore[reportMissingImports]
from ministack.services import eventbridge, scheduler  # pyright: ignore[reportMissingImports]

_unpacking = threading.Lock()
_SOCKETS = "PARLEY_SOCKETS_URL"
_ON_AWS = re.compile(r"https://([a-z0-9]+)\.execute-api\.[^/]+/(.+)")


_read_action: Any = getattr(iam_actions, "_action_from_target", None)
_start_worker: Any = getattr(lambda_runtime.Worker, "_spawn", None)


class _ZipFile(zipfile.ZipFile):
    def _is_layer(self) -> bool:
        return Path(self.filename or "").name.startswith("layer_")

    def namelist(self) -> list[str]:
        # The emulator uses the names only to find entries outside of the target. The layers are the repository's own.
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


class _Process(subprocess.Popen[str]):
    def __init__(self, command: list[str], **options: object) -> None:
        is_worker = command[0] == sys.executable and command[-1].endswith("_worker.py")
        super().__init__([command[0], "-I", "-S", *command[1:]] if is_worker else command, **options)  # type: ignore[call-overload]


def _with_local_sockets(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a function, whose WebSocket API is at the emulator."""
    variables: dict[str, str] = config.get("Environment", {}).get("Variables", {})
    found = _ON_AWS.fullmatch(variables.get(_SOCKETS, ""))
    if found is None:
        return config
    url = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/_aws/execute-api/{found[1]}/{found[2]}"
    return {**config, "Environment": {"Variables": {**variables, _SOCKETS: url}}}


def _spawn(worker: Any) -> Any:
    worker.config = _with_local_sockets(worker.config)
    return _start_worker(worker)


def _action_from_target(headers: dict[str, str]) -> str | None:
    action = _read_action(headers)
    return "SendMessage" if action == "SendMessageBatch" else action


def _tune() -> None:
    drain = lambda_runtime.Worker._drain_stderr_bounded  # noqa: SLF001
    if drain.__defaults__ != (0.050, 0.005, 0.250):
        raise SystemExit("this launcher does not fit the emulator's version: the log drain has changed")
    drain.__defaults__ = (0.005, 0.005, 0.250)
    for module, name in ((scheduler, "_SCHEDULE_TICK_INTERVAL"), (eventbridge, "_SCHEDULER_TICK_INTERVAL")):
        if getattr(module, name) != 10:
            raise SystemExit(f"this launcher does not fit the emulator's version: {name} has changed")
        setattr(module, name, 1)
    if lambda_runtime.zipfile is not zipfile:
        raise SystemExit("this launcher does not fit the emulator's version: the unpacking of layers has changed")
    lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": _ZipFile})
    if lambda_runtime.subprocess is not subprocess:
        raise SystemExit("this launcher does not fit the emulator's version: the start of the functions has changed")
    if _read_action is None:
        raise SystemExit("this launcher does not fit the emulator's version: the check of rights has changed")
    if _start_worker is None:
        raise SystemExit("this launcher does not fit the emulator's version: the start of a worker has changed")
    lambda_runtime.Worker._spawn = _spawn  # noqa: SLF001
    iam_actions._action_from_target = _action_from_target  # noqa: SLF001
    lambda_runtime.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": _Process})


def _slowed(app: Any, seconds: float) -> Any:
    """The emulator's ASGI app, whose DynamoDB and SQS wait before they handle a request. The pollers make none."""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        target = dict(scope.get("headers", ())).get(b"x-amz-target", b"")
        if target.startswith((b"DynamoDB_", b"AmazonSQS.")):
            await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return slow


if __name__ == "__main__":
    _tune()
    import ministack.app as emulator  # pyright: ignore[reportMissingImports]

    if seconds := float(sys.argv[2]):
        emulator.app = _slowed(emulator.app, seconds)
    # The functions inherit this environment, and Powertools would use the emulator's log level.
    os.environ.pop("LOG_LEVEL", None)
    sys.argv = ["ministack"]
    emulator.main()
