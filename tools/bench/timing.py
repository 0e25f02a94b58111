"""Measures CPU time: of code in fresh processes, and of calls in this process.

It is CPU time because other programs may use this machine meanwhile, and because a cold start waits for little else.
The things that are compared take turns, so that their ratios hold on a busy machine too. The first round is not
counted: it writes the byte code and warms the caches.
"""

import os
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = 31
"""Rounds of calls in this process."""
Times = dict[str, list[float]]
"""For each name, the time in each round."""
_PROGRAM = """
import sys, time
{before}
started = time.process_time()
{code}
ended = time.process_time()
{after}
print((ended - started) * 1e3)
"""


@dataclass(frozen=True)
class Start:
    """Code that is measured in a fresh process. The process runs `before` first, and imports from `paths` only."""

    name: str
    code: str
    paths: tuple[Path, ...]
    before: str = ""
    after: str = ""
    """Code that runs after the measurement."""
    stdin: str = ""
    options: tuple[str, ...] = ()
    """Options of the interpreter."""


def starts(chosen: Sequence[Start], runs: int, environment: Mapping[str, str] | None = None) -> Times:
    """Milliseconds of CPU time in fresh processes, by name."""
    found: Times = {start.name: [] for start in chosen}
    for number in range(runs + 1):
        for start in chosen:
            taken, _ = once(start, environment or {})
            if number:
                found[start.name].append(taken)
    return found


def calls(functions: Mapping[str, Callable[[], Any]], number: int) -> Times:
    """Microseconds of CPU time for one call, by name. Each round makes `number` calls."""
    found: Times = {name: [] for name in functions}
    for round_ in range(ROUNDS + 1):
        for name, function in functions.items():
            taken = timeit.timeit(function, timer=time.process_time, number=number) / number * 1e6
            if round_:
                found[name].append(taken)
    return found


def ratios(found: Times, base: str) -> dict[str, float]:
    """How many times as long as `base` each one takes: the medians of the ratios in each round."""
    return {
        name: statistics.median(one / other for one, other in zip(values, found[base], strict=True))
        for name, values in found.items()
    }


def once(start: Start, environment: Mapping[str, str]) -> tuple[float, str]:
    """Milliseconds of CPU time of one process, and the last line that it has printed. Raises SystemExit if it fails."""
    paths = os.pathsep.join(map(str, start.paths))
    program = _PROGRAM.format(before=start.before, code=start.code, after=start.after)
    done = subprocess.run(
        [sys.executable, "-S", *start.options, "-c", program],
        env={"PYTHONPATH": paths, "PATH": os.environ.get("PATH", ""), **environment},
        input=start.stdin,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"bench: {start.name} does not start:\n{done.stderr[-2000:]}")
    *printed, milliseconds = done.stdout.splitlines()
    return float(milliseconds), printed[-1] if printed else ""
