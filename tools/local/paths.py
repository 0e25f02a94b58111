"""Paths: the repository, the environments that `make setup` creates, and the directory of one stack."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVS = ROOT / ".local" / "envs"
PYTHON = ROOT / ".venv" / "bin" / "python"
SAM = ENVS / "sam" / "bin" / "sam"
EMULATOR_PYTHON = ENVS / "emulator" / "bin" / "python"
BUILD = ROOT / ".local" / "build"
"""The results of `sam build`, shared by all stacks."""


@dataclass(frozen=True)
class Paths:
    """The directory of one stack, and the files in it."""

    directory: Path

    @classmethod
    def of(cls, directory: str | Path | None = None) -> "Paths":
        """The paths of `directory`. It defaults to PARLEY_LOCAL_DIR, and then to `.local` in the repository."""
        return cls(Path(directory or os.environ.get("PARLEY_LOCAL_DIR") or ROOT / ".local").resolve())

    @property
    def stack(self) -> Path:
        """`stack.json`: the addresses of everything."""
        return self.directory / "stack.json"

    @property
    def processes(self) -> Path:
        """`processes.json`: the ids of the started processes."""
        return self.directory / "processes.json"

    @property
    def bot(self) -> Path:
        """`bot.json`: whether the last saved bot is live; see `watch`."""
        return self.directory / "bot.json"

    @property
    def commands(self) -> Path:
        """`commands.json`: the commands of the bot, for the page."""
        return self.directory / "commands.json"

    @property
    def apps(self) -> Path:
        """`apps.json`: the generated credentials of the apps. `make clean` deletes it."""
        return self.directory / "apps.json"

    @property
    def state(self) -> Path:
        """The emulator's files. The folder is emptied at each start."""
        return self.directory / "state"

    @property
    def logs(self) -> Path:
        """The output of the emulator, of SAM and of the playground."""
        return self.directory / "logs"
