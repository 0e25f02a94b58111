"""Measures and prints. `--runs N`: fresh processes per figure. Exit status 0 whether the aims are met or not."""

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

from tools.bench import aws, callbacks, interactions, sample, sealed, starts

IMPORT_AIM, CALLBACK_AIM = 1.3, 1.5


def main() -> None:
    """All measurements."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="fresh processes per figure (default 9)")
    runs = parser.parse_args().runs
    where = _one_core()
    print(f"Python {platform.python_version()}, {platform.machine()}, {where}; medians of CPU time, and as a multiple")
    with tempfile.TemporaryDirectory() as name, aws.running() as cloud:
        _imports(Path(name), cloud, runs)
        _first_answers(Path(name), cloud, runs)
    _callbacks()
    _others("Discord interaction", interactions.functions())
    _others("WeChat callback in safe mode", sealed.functions())


def _imports(folder: Path, cloud: aws.Aws, runs: int) -> None:
    print(f"\nimport of a handler, ms ({runs} fresh processes each, byte code present, packages of the layer only)")
    floor, *others = starts.imports(folder)
    without_aim = (floor.name, starts.CLIENTS, others[-1].name)
    found = starts.measure([floor, *others], cloud, runs)
    ratios = starts.ratios(found, floor.name)
    for name, values in found.items():
        aim = "" if name in without_aim else _aim(ratios[name] <= IMPORT_AIM, f"at most {IMPORT_AIM}")
        print(_line(name, statistics.median(values), ratios[name], aim))


def _first_answers(folder: Path, cloud: aws.Aws, runs: int) -> None:
    print("\nto the first answer, ms (import, configuration from SSM, verify, decrypt, normalise, send to SQS)")
    headers, body = sample.callback()
    event: dict[str, object] = {
        "httpMethod": "POST",
        "headers": headers,
        "pathParameters": {"app": "demo"},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    found = starts.measure(starts.first_answers(folder, event), cloud, runs)
    ratios = starts.ratios(found, "parley")
    for name, values in found.items():
        print(_line(name, statistics.median(values), ratios[name], ""))


def _callbacks() -> None:
    print(f"\none Feishu callback, us ({callbacks.ROUNDS} rounds of {callbacks.CALLS}, in turns, the same bytes)")
    found = callbacks.measure(callbacks.functions())
    faster = callbacks.ratio(found, "lark-oapi")
    for name, multiple in (("parley", 1.0), ("lark-oapi", faster)):
        aim = _aim(faster >= CALLBACK_AIM, f"at least {CALLBACK_AIM}") if name == "lark-oapi" else ""
        print(_line(name, statistics.median(found[name]), multiple, aim))


def _others(what: str, functions: dict[str, Callable[[], Any]]) -> None:
    print(f"\none {what}, us ({callbacks.ROUNDS} rounds of {callbacks.CALLS}, in turns, the same bytes)")
    found = callbacks.measure(functions)
    for name, values in found.items():
        print(_line(name, statistics.median(values), callbacks.ratio(found, name), ""))


def _one_core() -> str:
    if not hasattr(os, "sched_setaffinity"):
        return f"any of {os.cpu_count()} cores (this system cannot pin a process to one)"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return "one core"


def _aim(met: bool, aim: str) -> str:
    return f"aim {aim}: {'met' if met else 'NOT met'}"


def _line(name: str, value: float, ratio: float, aim: str) -> str:
    return f"  {name:29s}{value:8.0f}  ({ratio:.2f}x)  {aim}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
