"""`make faults`: inject faults everywhere, and count lost, duplicated and reordered replies.

make faults                 all scenarios, and 10,000 messages of a random run on each platform
make faults SEED=7          the same random runs again
make faults N=1000          smaller: 1,000 messages on each platform, and one scenario in sixteen

With PARLEY_DELIVER_AT_ONCE=false all replies go through the outbound queue.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from random import SystemRandom
from typing import NoReturn

from tools.faults import random_runs, scenarios
from tools.faults.findings import Findings
from tools.faults.renderings import renderings_of
from tools.faults.scenarios import Scenario
from tools.faults.targets import TARGETS, Target

MESSAGES, PER_CONVERSATION = 10_000, 10
_SHARES = 16
"""The number of parts into which the scenarios are divided, for the processes of this machine."""
_SMALLER = 16
"""A smaller run takes one of this many parts, and of some targets less. The seed chooses which."""
_FAILURES = ("lost", "duplicated", "out_of_order", "unexplained", "over_limit")
_COLUMNS = (*_FAILURES, "unknown", "rejected", "delayed", "redriven")


@dataclass(slots=True)
class Row:
    """One row of the table: a part of the suite, and its results."""

    title: str
    runs: int = 0
    messages: int = 0
    calls: int = 0
    findings: Findings = field(default_factory=Findings)


def main(seed: int, messages: int) -> int:
    """Run the suite and print its table. Returns the exit status."""
    started = time.monotonic()
    print(f"seed {seed}", flush=True)
    rows: dict[str, Row] = {}
    for part in _run_all(_tasks(seed, messages)):
        row = rows.setdefault(part.title, Row(part.title))
        row.runs += part.runs
        row.messages += part.messages
        row.calls += part.calls
        row.findings.add(part.findings)
    _print(list(rows.values()))
    good = all(row.findings.good for row in rows.values())
    verdict = "passed" if good else "FAILED"
    print(f"{verdict} in {time.monotonic() - started:.0f} s. To repeat this run: make faults SEED={seed} N={messages}")
    return 0 if good else 1


def _run_all(tasks: Iterable[Callable[[], Row]]) -> list[Row]:
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        try:
            return [future.result() for future in [pool.submit(task) for task in tasks]]
        except KeyboardInterrupt:
            for worker in multiprocessing.active_children():
                worker.kill()  # it would finish its part, or wait for another process forever
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _tasks(seed: int, messages: int) -> Iterable[Callable[[], Row]]:
    part = 1 if messages >= MESSAGES else _SMALLER
    for target in TARGETS:
        merge = scenarios.MERGE if seed % 2 else 0
        yield partial(_random_run, target, random_runs.Run(seed, messages, messages // PER_CONVERSATION, merge))
    for target in TARGETS:
        thin = target.thin if part > 1 else 1
        chosen = seed // part % thin
        for share in range(seed % part, _SHARES, part):
            yield partial(_single_faults, target, chosen * _SHARES + share, _SHARES * thin)
            yield partial(_crash_pairs, target, chosen * _SHARES + share, _SHARES * thin, seed)
        yield partial(_failed_stores, target, chosen, thin)


def _single_faults(target: Target, share: int, shares: int) -> Row:
    chosen = islice(scenarios.single_faults(target), share, None, shares)
    return _run_scenarios(f"{target.title}: one fault", target, chosen)


def _crash_pairs(target: Target, share: int, shares: int, seed: int) -> Row:
    chosen = islice(scenarios.crash_pairs(target, seed), share, None, shares)
    return _run_scenarios(f"{target.title}: two crashes", target, chosen)


def _failed_stores(target: Target, share: int, shares: int) -> Row:
    chosen = islice(scenarios.failed_stores(target), share, None, shares)
    return _run_scenarios(f"{target.title}: failed stores", target, chosen)


def _run_scenarios(title: str, target: Target, chosen: Iterable[Scenario]) -> Row:
    row = Row(title)
    renderings = renderings_of(target)
    for scenario in chosen:
        result = scenarios.run(target, scenario, renderings)
        for column in _COLUMNS:
            found = getattr(result.findings, column)
            getattr(row.findings, column).extend(f"{scenario}: {text}" for text in found)
        row.runs += 1
        row.messages += len(result.sim.inbound.accepted)
        row.calls += result.sim.ledger.api_calls
    return row


def _random_run(target: Target, parameters: random_runs.Run) -> Row:
    result = random_runs.run(parameters, target, renderings_of(target))
    accepted, calls = len(result.sim.inbound.accepted), result.sim.ledger.api_calls
    return Row(f"{target.title}: random", 1, accepted, calls, result.findings)


def _print(rows: list[Row]) -> None:
    """Print the table, and up to ten details of each failure."""
    heads = ("", "runs", "messages", "API calls", *(column.replace("_", " ") for column in _COLUMNS))
    print("".join(f"{head:>13}" if at else f"{head:<30}" for at, head in enumerate(heads)))
    for row in rows:
        found = (len(getattr(row.findings, column)) for column in _COLUMNS)
        cells = (row.title, row.runs, row.messages, row.calls, *found)
        print("".join(f"{cell:>13}" if at else f"{cell:<30}" for at, cell in enumerate(cells)))
    print(
        "lost, duplicated, out of order, unexplained and over limit must be 0. For the others see docs/reliability.md."
    )
    for row in rows:
        for column in _FAILURES:
            for text in getattr(row.findings, column)[:10]:
                print(f"{row.title}: {column.replace('_', ' ')}: {text}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        seed = int(os.environ.get("SEED") or SystemRandom().randrange(1_000_000))
        code = main(seed, int(os.environ.get("N") or MESSAGES))
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
