"""Measures cold starts and callbacks, and prints the medians. The exit status is 0 even if a target is missed."""

import argparse
import base64
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.bench import aws, callbacks, interactions, sample, sealed, starts, timing

IMPORT_TARGET, CALLBACK_TARGET = 1.3, 1.5
CALLS = 200
"""Calls in each round."""


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="fresh processes per figure (default 9)")
    runs = parser.parse_args().runs
    where = _one_core()
    print(f"Python {platform.python_version()}, {platform.machine()}, {where}. Medians of CPU time, and ratios.")
    with tempfile.TemporaryDirectory() as name, aws.running() as cloud:
        _imports(Path(name), cloud, runs)
        _first_answers(Path(name), cloud, runs)
    _callbacks("Feishu callback", callbacks.functions(), CALLBACK_TARGET)
    _callbacks("Discord interaction", interactions.functions())
    _callbacks("WeChat callback in safe mode", sealed.functions())


def _imports(folder: Path, cloud: aws.Aws, runs: int) -> None:
    print(f"\nimport of a handler, ms ({runs} fresh processes each, with byte code, only the packages of the layer)")
    base, *others = starts.imports(folder)
    without_target = (base.name, starts.CLIENTS, others[-1].name)
    found = timing.starts([base, *others], runs, cloud.environment())
    ratios = timing.ratios(found, base.name)
    for name, values in found.items():
        target = "" if name in without_target else _target(ratios[name] <= IMPORT_TARGET, f"at most {IMPORT_TARGET}")
        print(_line(name, statistics.median(values), ratios[name], target))


def _first_answers(folder: Path, cloud: aws.Aws, runs: int) -> None:
    print("\nfirst response, ms (import, configuration from SSM, verify, decrypt, normalise, send to SQS)")
    headers, body = sample.callback()
    event: dict[str, object] = {
        "httpMethod": "POST",
        "headers": headers,
        "pathParameters": {"app": "demo"},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    found = timing.starts(starts.first_answers(folder, event), runs, cloud.environment())
    ratios = timing.ratios(found, "parley")
    for name, values in found.items():
        print(_line(name, statistics.median(values), ratios[name], ""))


def _callbacks(title: str, functions: dict[str, Callable[[], Any]], target: float = 0) -> None:
    print(f"\none {title}, us ({timing.ROUNDS} rounds of {CALLS} calls, the same bytes)")
    found = timing.calls(functions, CALLS)
    ratios = timing.ratios(found, "parley")
    for name, values in found.items():
        shown = _target(ratios[name] >= target, f"at least {target}") if target and name != "parley" else ""
        print(_line(name, statistics.median(values), ratios[name], shown))


def _one_core() -> str:
    if not hasattr(os, "sched_setaffinity"):
        return f"any of {os.cpu_count()} cores (this system cannot pin a process to one)"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return "one core"


def _target(met: bool, target: str) -> str:
    return f"target {target}: {'met' if met else 'NOT met'}"


def _line(name: str, value: float, ratio: float, target: str) -> str:
    return f"  {name:29s}{value:8.0f}  ({ratio:.2f}x)  {target}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
