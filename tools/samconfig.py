"""Reads samconfig.toml."""

import shlex
import tomllib
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "samconfig.toml"
_REFERENCE = "file://"


def parameter_overrides(env: str, file: Path = FILE) -> list[str]:
    """The parameters that `sam deploy --config-env <env>` sets, each as `Name=value`; of two values the later one.

    SAM accepts a list and a string, and `sam deploy --guided` replaces the list by a string. An entry `file://PATH`
    stands for the parameters in that file, relative to the repository.
    """
    overrides: list[str] | str = tomllib.loads(file.read_text())[env]["deploy"]["parameters"]["parameter_overrides"]
    values: dict[str, str] = {}
    for entry in shlex.split(overrides) if isinstance(overrides, str) else overrides:
        if entry.startswith(_REFERENCE):
            values |= in_file(file.parent / entry.removeprefix(_REFERENCE))
        else:
            name, _, value = entry.partition("=")
            values[name] = value
    return [f"{name}={value}" for name, value in values.items()]


def in_file(file: Path) -> dict[str, str]:
    """The parameters in a file of `mybot/stages`, as SAM reads them: lists are joined by commas."""
    return {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in tomllib.loads(file.read_text()).items()
    }
