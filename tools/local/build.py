"""`sam build` for this machine, once for each state of the inputs. All stacks share the results.

SAM's cache keeps the layers from build to build: when only the bot has changed, only its layer is made.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import bot
from tools.local.errors import StackError
from tools.local.paths import BUILD, EMULATOR_PYTHON, ENVS, ROOT
from tools.local.sam import sam
from tools.samconfig import in_file

_INPUTS = ("template.yaml", "stacks", "samconfig.toml", "layers", "functions", "shared")
_KEPT = 2
"""The number of earlier builds that are kept, so that two bots can be built in turns."""
_ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}


def parameters() -> list[str]:
    """The template's parameters that depend on the machine, its environment and the bot. Raises StackError.

    The emulator runs functions with its own Python. PARLEY_BOT names the bot's folder, which can have a file
    `stages/local.toml` with more parameters.
    """
    stage = ROOT / bot.folder() / "stages" / "local.toml"
    values = in_file(stage) if stage.is_file() else {}
    runtime, _, architecture = target().partition("-")
    values |= {"PythonRuntime": runtime, "Architecture": architecture, "BotFolder": bot.folder()}
    return [f"{name}={value}" for name, value in values.items()]


def target() -> str:
    """The folder in layers/targets for this machine: `python3.11-arm64`. Raises StackError."""
    machine = platform.machine().lower()
    if machine not in _ARCHITECTURES:
        raise StackError(f"The layers can be built on x86_64 and arm64 only, and this machine is {machine}.")
    return f"python{sys.version_info[0]}.{sys.version_info[1]}-{_ARCHITECTURES[machine]}"


def environment() -> dict[str, str]:
    """The environment variables for the makefiles of the layers, besides those of the developer."""
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return {"PATH": path, "PARLEY_LAYER_HOST": "1"}


def built() -> Path | None:
    """The template built from the current inputs; None if they have changed since the last build."""
    template = BUILD / _fingerprint() / "template.yaml"
    return template if template.exists() else None


def build() -> Path:
    """Build, unless nothing has changed. Returns the built template. Raises StackError."""
    with _lock():
        if (template := built()) is not None:
            return template
        result = BUILD / _fingerprint()
        working = BUILD / "working"
        shutil.rmtree(working, ignore_errors=True)
        cache = _cache()
        _sam_build(working, cache)
        _remove_oldest(BUILD, _KEPT, working, cache.parent)
        _remove_oldest(cache.parent, 0, cache)
        working.rename(result)
        return result / "template.yaml"


def _cache() -> Path:
    """The directory for SAM's cache. SAM watches the sources of a layer, but neither its makefile nor the tools: each
    state of these has a directory of its own.
    """
    return BUILD / "cache" / _digest([target()], "layers")


def _remove_oldest(directory: Path, kept: int, *others: Path) -> None:
    """Delete the directories in `directory`, except `others` and the newest `kept`."""
    found = [path for path in directory.iterdir() if path.is_dir() and path not in others]
    for old in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[kept:]:
        shutil.rmtree(old)


def _sam_build(directory: Path, cache: Path) -> None:
    overrides = ["--parameter-overrides", "Stage=local", *parameters()]
    variables = {**os.environ, **environment(), "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    log = ROOT / ".local" / "logs" / "build.log"
    places = ["--build-dir", directory, "--cached", "--cache-dir", cache]
    sam("build", ["--config-env", "local", *places, *overrides], variables, log)


@contextmanager
def _lock() -> Iterator[None]:
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def sources() -> str:
    """A digest of everything that a build depends on, without the bot."""
    return _digest(parameters(), *_INPUTS)


def saved_bot() -> str:
    """A digest of the bot's folder as it is saved now."""
    return _digest(parameters(), bot.folder())


def _fingerprint() -> str:
    return _digest(parameters(), *_INPUTS, bot.folder())


def _digest(values: Iterable[str], *inputs: str) -> str:
    digest = hashlib.sha256("\0".join([*values, sys.version]).encode())
    for name, path in _files(inputs):
        digest.update(f"\0{name}\0".encode())
        digest.update(path.read_bytes())
    # The interpreter that runs the functions and the tool that builds them are inputs too.
    for environment in (EMULATOR_PYTHON.parent.parent, ENVS / "sam"):
        digest.update((environment / ".fingerprint").read_bytes())
    return digest.hexdigest()[:16]


def _files(inputs: Iterable[str]) -> Iterator[tuple[Path, Path]]:
    """The files of `inputs`: each with its name for the digest, and its path."""
    for name in inputs:
        start = ROOT / name
        for path in [start] if start.is_file() else sorted(path for path in start.rglob("*") if path.is_file()):
            below = path.relative_to(start)
            if not _ignored(below):
                yield Path(name) / below, path


def _ignored(path: Path) -> bool:
    return any(part == "__pycache__" or part.endswith(".egg-info") or part.startswith(".") for part in path.parts)
