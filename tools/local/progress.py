"""Progress messages with the seconds since the start."""

import sys
import time
from dataclasses import dataclass, field


@dataclass
class Progress:
    """Prints one line per step to standard error."""

    quiet: bool = False
    started: float = field(default_factory=time.monotonic)

    def __call__(self, text: str) -> None:
        """Print the step that begins now."""
        if not self.quiet:
            print(f"{time.monotonic() - self.started:6.1f} s  {text}", file=sys.stderr, flush=True)
