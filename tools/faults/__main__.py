"""`make faults`: crash everywhere, break everything, and count what got lost, was said twice or came out of order.

make faults                 all scripted cases, and 10,000 messages at random on each platform
make faults SEED=7          the same random runs again
make faults N=1000          smaller: 1,000 messages on each, and one scripted case in eight
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from random import SystemRandom
from typing import NoReturn

from tools.faults import dice, scripted
from tools.faults.forms import forms_of
from tools.faults.oracle import Findings
from tools.faults.subjects import SUBJECTS, Subject

MESSAGES, PER_CONVERSATION = 10_000, 10
_SHARES = 16
"""Parts that the scripted cases are divided into."""
_SMALLER = 8
"""Of so many of them a smaller run takes one; which, its seed says."""
_BAD = ("lost", "duplicated", "out_of_order", "unexplained", "over_limit")
_COLUMNS = (*_BAD, "unknown", "refused", "overtaken", "parked")


@dataclass(slots=True)
class Part:
    """What a part of the suite has shown."""

    title: str
    runs: int
    messages: int
    calls: int
    findings: Findings


def main(seed: int, messages: int) -> int:
    """Run the suite and print its table; the process's exit status."""
    started = time.monotonic()
    print(f"seed {seed}", flush=True)
    parts = _carried_out(_tasks(seed, messages))
    rows: dict[str, Part] = {}
    for part in parts:
        row = rows.setdefault(part.title, Part(part.title, 0, 0, 0, Findings()))
        row.runs += part.runs
        row.messages += part.messages
        row.calls += part.calls
        row.findings.add(part.findings)
    _print(rows.values())
    good = all(row.findings.good for row in rows.values())
    print(f"{'kept' if good else 'BROKEN'} in {time.monotonic() - started:.0f} s; again: make faults SEED={seed}")
    return 0 if good else 1


def _carried_out(tasks: Iterable[Callable[[], Part]]) -> list[Part]:
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        try:
            return [future.result() for future in [pool.submit(task) for task in tasks]]
        except KeyboardInterrupt:
            for worker in multiprocessing.active_children():
                worker.kill()  # else it would go on with its part, or wait for another for ever
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _tasks(seed: int, messages: int) -> Iterable[Callable[[], Part]]:
    part = 1 if messages >= MESSAGES else _SMALLER
    for subject in SUBJECTS:
        yield partial(_random, subject, dice.Run(seed, messages, messages // PER_CONVERSATION))
    for subject in SUBJECTS:
        for share in range(seed % part, _SHARES, part):
            yield partial(_one_fault, subject, share)
            yield partial(_two_crashes, subject, share)
        yield partial(_untold, subject)


def _one_fault(subject: Subject, share: int) -> Part:
    return _scripted(f"{subject.title}: one fault", subject, islice(scripted.cases(subject), share, None, _SHARES))


def _two_crashes(subject: Subject, share: int) -> Part:
    return _scripted(
        f"{subject.title}: two crashes", subject, islice(scripted.crash_pairs(subject), share, None, _SHARES)
    )


def _untold(subject: Subject) -> Part:
    return _scripted(f"{subject.title}: queue untold", subject, scripted.untold(subject))


def _scripted(title: str, subject: Subject, cases: Iterable[scripted.Case]) -> Part:
    part = Part(title, 0, 0, 0, Findings())
    forms = forms_of(subject)
    for case in cases:
        played = scripted.play(subject, case, forms)
        for column in _COLUMNS:
            getattr(part.findings, column).extend(f"{case}: {what}" for what in getattr(played.findings, column))
        part.runs += 1
        part.messages += len(played.world.inbound.accepted)
        part.calls += played.world.ledger.calls
    return part


def _random(subject: Subject, run: dice.Run) -> Part:
    played = dice.play(run, subject, forms_of(subject))
    return Part(
        f"{subject.title}: random", 1, len(played.world.inbound.accepted), played.world.ledger.calls, played.findings
    )


def _print(parts: Iterable[Part]) -> None:
    parts = list(parts)
    heads = ("", "runs", "messages", "API calls", *(column.replace("_", " ") for column in _COLUMNS))
    print("".join(f"{head:>13}" if at else f"{head:<30}" for at, head in enumerate(heads)))
    for part in parts:
        found = (len(getattr(part.findings, column)) for column in _COLUMNS)
        cells = (part.title, part.runs, part.messages, part.calls, *found)
        print("".join(f"{cell:>13}" if at else f"{cell:<30}" for at, cell in enumerate(cells)))
    for part in parts:
        for column in _BAD:
            for what in getattr(part.findings, column)[:10]:
                print(f"{part.title}: {column}: {what}")


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
