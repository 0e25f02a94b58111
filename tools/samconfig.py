"""Reads samconfig.toml."""

import shlex
import tomllib
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "samconfig.toml"


def parameter_overrides(env: str, file: Path = FILE) -> list[str]:
    """The parameters that `sam deploy --config-env <env>` sets, each as `Name=value`.

    SAM accepts a list and a string, and `sam deploy --guided` replaces the list by a string.
    """
    overrides: list[str] | str = tomllib.loads(file.read_text())[env]["deploy"]["parameters"]["parameter_overrides"]
    return shlex.split(overrides) if isinstance(overrides, str) else overrides
