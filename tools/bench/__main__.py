"""Measures cold starts and callbacks, and prints the medians. The exit status is 0 even if a target is missed."""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tools.bench import callbacks, cloud, interactions, report, sealed, starts, timing, views, ways
from tools.bench.report import Table
from tools.bench.ways import Taken, Way

IMPORT_TARGET, CALLBACK_TARGET = 1.3, 1.5
AUTHORISATION_TARGET = 1000
"""Milliseconds in which WeCom wants the response to a callback about an installation."""
CALLS = 200
"""Calls in each round."""
_COMMAND = "make bench ARGS=--write"


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="fresh processes per figure (default 9)")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    options = parser.parse_args()
    print(f"{report.machine()}, {_one_core()}. Medians of CPU time, and ratios.")
    tables: list[Table] = []
    with tempfile.TemporaryDirectory() as name, cloud.running(Path(name)) as aws:
        folder = Path(name)
        layer = views.layer(folder)
        tables += [_shown(_imports(folder, layer, aws, options.runs))]
        tables += [_shown(_first_responses(folder, layer, aws, options.runs))]
        tables += [_shown(_authorisation(layer, aws, options.runs))]
        for platform, compared in ways.of_platform(ways.ways(folder, layer)):
            tables += [_shown(_ways(platform, compared, ways.measure(compared, options.runs, aws)))]
    tables += [
        _shown(_callbacks("callback of Feishu", callbacks.functions(), CALLBACK_TARGET)),
        _shown(_callbacks("callback of Discord", interactions.functions())),
        _shown(_callbacks("callback of WeChat", sealed.functions())),
    ]
    if options.write:
        report.write(tables)


def _shown(table: Table) -> Table:
    print(f"\n{table.text()}", flush=True)
    return table


def _imports(folder: Path, layer: Path, aws: cloud.Cloud, runs: int) -> Table:
    base, *others = starts.imports(folder, layer)
    without_target = (base.name, starts.CLIENTS, others[-1].name)
    found = timing.starts([base, *others], runs, aws.environment())
    ratios = timing.ratios(found, base.name)
    rows = [
        (
            name,
            f"{statistics.median(values):.0f}",
            f"{ratios[name]:.2f}",
            "" if name in without_target else _met(ratios[name] <= IMPORT_TARGET),
        )
        for name, values in found.items()
    ]
    columns = ("", "ms", "base line = 1", f"aim: at most {IMPORT_TARGET}")
    return _table("imports", "import of a handler", columns, rows, f"{runs} fresh processes each")


def _first_responses(folder: Path, layer: Path, aws: cloud.Cloud, runs: int) -> Table:
    event = ways.gateway_event(ways.say(aws, "feishu", "/count"))
    found = timing.starts(starts.first_responses(folder, layer, event), runs, aws.environment())
    return _table(
        "first response",
        "first response to a callback of Feishu",
        ("", "ms", "parley = 1"),
        _plain_rows(found, "parley"),
        f"{runs} fresh processes each",
    )


def _authorisation(layer: Path, aws: cloud.Cloud, runs: int) -> Table:
    event = ways.gateway_event(ways.install(aws, "wpAAAAAAAAAAAAAAAA"))
    found = timing.starts([starts.authorisation(layer, event)], runs, aws.environment())
    rows = [
        (name, f"{statistics.median(values):.0f}", f"{max(values):.0f}", _met(max(values) <= AUTHORISATION_TARGET))
        for name, values in found.items()
    ]
    return _table(
        "authorisation",
        "first response to a callback of WeCom about an installation",
        ("", "ms", "slowest, ms", f"aim: at most {AUTHORISATION_TARGET}"),
        rows,
        f"{runs} fresh processes",
    )


def _ways(platform: str, compared: Sequence[Way], taken: Taken) -> Table:
    totals = {name: stages["total"] for name, stages in taken.items()}
    ratios = timing.ratios(totals, compared[0].name)
    stages = ("callback", "processor", "deliverer", "total")
    rows = [
        (
            way.name,
            *(f"{statistics.median(taken[way.name][x]):.0f}" if x in taken[way.name] else "" for x in stages),
            f"{ratios[way.name]:.2f}",
        )
        for way in compared
    ]
    runs = len(next(iter(totals.values())))
    return _table(
        f"first call of {platform}",
        f"first event to the first call, {platform}",
        ("", "callback, ms", "processor, ms", "deliverer, ms", "total, ms", "parley, at once = 1"),
        rows,
        f"{runs} times fresh processes",
    )


def _callbacks(title: str, functions: dict[str, Callable[[], Any]], target: float = 0) -> Table:
    found = timing.calls(functions, CALLS)
    rows = _plain_rows(found, "parley")
    columns = ("", "µs", "parley = 1")
    if target:
        columns += (f"aim: at least {target}",)
        rows = [(*row, "" if row[0] == "parley" else _met(float(row[2]) >= target)) for row in rows]
    return _table(title, f"one {title}", columns, rows, f"{timing.ROUNDS} rounds of {CALLS} calls")


def _plain_rows(found: timing.Times, base: str) -> list[tuple[str, ...]]:
    ratios = timing.ratios(found, base)
    return [(name, f"{statistics.median(values):.0f}", f"{ratios[name]:.2f}") for name, values in found.items()]


def _table(name: str, title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], settings: str) -> Table:
    return Table(name, _COMMAND, title, columns, tuple(rows), settings)


def _one_core() -> str:
    if not hasattr(os, "sched_setaffinity"):
        return f"any of {os.cpu_count()} cores (this system cannot pin a process to one)"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return "one core"


def _met(met: bool) -> str:
    return "met" if met else "NOT met"


if __name__ == "__main__":
    sys.exit(main())
