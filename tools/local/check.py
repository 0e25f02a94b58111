"""Whether a bot can be imported where the functions run: with the layers and the standard library, and nothing else."""

import json
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from tools.local.paths import EMULATOR_PYTHON, PYTHON, ROOT

_SCRIPT = Path(__file__).with_name("imports.py")
_SECONDS = 10
"""Lambda allows as much for the start of a function."""


def problem(folder: Path, built: Path | None) -> str:
    """Why the bot in `folder` cannot be imported, as `FILE:LINE: ERROR`; empty if it can.

    `built`: the folder of the last build, with the packages of the layers. Without one, those of .venv are used.
    """
    python = EMULATOR_PYTHON if EMULATOR_PYTHON.exists() else PYTHON
    command = [python, "-I", "-S", _SCRIPT, folder, *_packages(built)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"{_shown(folder)}/bot.py: the import takes longer than {_SECONDS} s, the limit of Lambda"
    if done.returncode:
        return f"{_shown(folder)}/bot.py: the import ends Python: {done.stderr.strip()[-500:]}"
    found = json.loads(done.stdout)
    if found is None:
        return ""
    line = f":{found['line']}" if found["line"] else ""
    return f"{_shown(folder)}/{found['file']}{line}: {found['error']}{_advice(found['error'])}"


def _packages(built: Path | None) -> Sequence[Path]:
    if built is None:
        return [ROOT / "shared", Path(sysconfig.get_path("purelib"))]
    return [built / layer / "python" for layer in ("BotLayer", "SharedLayer", "DependenciesLayer")]


def _advice(error: str) -> str:
    missing = error.startswith("ModuleNotFoundError")
    return (
        ". A package is added with `make add PACKAGE=NAME`. If it is in requirements.txt, see what failed before"
        if missing
        else ""
    )


def _shown(folder: Path) -> Path:
    return folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
