"""Where things are: the repository, the environments that `make setup` made, and the directory of one stack."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVS = ROOT / ".local" / "envs"
PYTHON = ROOT / ".venv" / "bin" / "python"
SAM = ENVS / "sam" / "bin" / "sam"
EMULATOR_PYTHON = ENVS / "emulator" / "bin" / "python"
BUILD = ROOT / ".local" / "build"
"""What `sam build` made; stacks share it."""


@dataclass(frozen=True)
class Places:
    """The directory of one stack and what lies in it."""

    directory: Path

    @classmethod
    def of(cls, directory: str | Path | None = None) -> "Places":
        """Those of `directory`, else of PARLEY_LOCAL_DIR, else of `.local` in the repository."""
        return cls(Path(directory or os.environ.get("PARLEY_LOCAL_DIR") or ROOT / ".local").resolve())

    @property
    def stack(self) -> Path:
        """`stack.json`: the addresses of everything."""
        return self.directory / "stack.json"

    @property
    def processes(self) -> Path:
        """`processes.json`: what was started."""
        return self.directory / "processes.json"

    @property
    def state(self) -> Path:
        """What the emulator writes; emptied at each start."""
        return self.directory / "state"

    @property
    def logs(self) -> Path:
        """Output of the emulator, of SAM and of the playground."""
        return self.directory / "logs"
