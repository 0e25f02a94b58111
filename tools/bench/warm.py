"""Measures the CPU time of warm invocations, for the ledger in docs/cost.md.

    python -m tools.bench.warm             prints the milliseconds
    python -m tools.bench.warm --write     writes them into tools/prices.toml; then run python -m tools.cost --write

Each function runs in a process of its own and handles `/count` of Feishu, as in production: the handlers, boto3 and
httpx, TLS, logs and metrics. AWS and the platform are another process (`tools.bench.cloud`), whose time does not count.
The messages come at a pace below the platform's rate limits; the time between them does not count either. The figure is
the smallest of all runs, because other programs on the machine only make it larger.
"""

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import bot
from tools.bench import timing, views, ways
from tools.bench.cloud import Cloud, records, running
from tools.bench.timing import Start
from tools.cost.figures import FILE

_PLATFORM = "feishu"
_WARM_UP, _MESSAGES, _PERSONS = 20, 60, 10
_PACE = 0.07
"""Seconds between two messages: Feishu takes 1,000 a minute."""
_BEFORE = f"""
import json, time
class Context:
    get_remaining_time_in_millis = staticmethod(lambda: 60000)
class Counted:
    size = 0
    def __init__(self, stream):
        self.stream = stream
    def write(self, text):
        self.size += len(text.encode())
        return self.stream.write(text)
    def flush(self):
        self.stream.flush()
events = json.loads(sys.stdin.read())
sys.stdout = Counted(sys.stdout)
import app
answers = []
def handle(event):
    time.sleep({_PACE})
    begun = time.process_time()
    answers.append(app.lambda_handler(event, Context))
    return time.process_time() - begun
for event in events[:{_WARM_UP}]:
    handle(event)
before = sys.stdout.size
"""
_CODE = f"""
spent = sum(handle(event) for event in events[{_WARM_UP}:])
"""
_AFTER = """
assert not any(answer.get("batchItemFailures") for answer in answers), answers
print(json.dumps([spent * 1e3, sys.stdout.size - before, answers]))
"""


Figures = dict[str, dict[str, float]]
"""By the section of tools/prices.toml, and by function."""


def main() -> None:
    """Measure, and print or write the figures."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.warm", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="processes per figure (default 5)")
    parser.add_argument("--write", action="store_true", help="write the figures into tools/prices.toml")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running(Path(name)) as cloud:
        layer = views.layer(Path(name))
        found = [measure(layer, cloud) for _ in range(options.runs)]
    figures = {
        section: {stage: min(each[section][stage] for each in found) for stage in stages}
        for section, stages in found[0].items()
    }
    cpu, logs = figures["cpu_milliseconds"], figures["log_bytes"]
    for stage, milliseconds in cpu.items():
        print(f"{stage:20s}{milliseconds:6.1f} ms of CPU time {logs[stage]:6.0f} bytes of logs")
    if options.write:
        FILE.write_text(written(FILE.read_text(), figures))


def measure(layer: Path, cloud: Cloud) -> Figures:
    """Milliseconds of CPU time and bytes of logs of one warm invocation, by function."""
    run = _Runs(layer, cloud)
    for at_once in (True, False):
        cloud.sent.clear()
        deliveries = [
            ways.say(cloud, _PLATFORM, "/count", f"person-{number % _PERSONS}")
            for number in range(_WARM_UP + _MESSAGES)
        ]
        answers = run("callback", list(map(ways.gateway_event, deliveries)), "feishu")
        for delivery, answer in zip(deliveries, answers, strict=True):
            ways.acknowledge(cloud, delivery, answer)
        processor = "processor, at once" if at_once else "processor, queue"
        run(processor, records(cloud.sent["inbound"]), "processor", PARLEY_DELIVER_AT_ONCE=str(at_once).lower())
        queued = cloud.sent["outbound"]
        if len(queued) != (0 if at_once else len(deliveries)):
            raise SystemExit(f"bench: {len(queued)} of {len(deliveries)} replies are in the queue")
    run("deliverer", records(cloud.sent["outbound"]), "deliverer")
    run("sweeper", [{}] * (_WARM_UP + _MESSAGES), "sweeper")
    return run.figures


@dataclass
class _Runs:
    """Runs functions, each in one process, and keeps their figures."""

    layer: Path
    cloud: Cloud
    figures: Figures = field(default_factory=lambda: {"cpu_milliseconds": {}, "log_bytes": {}})

    def __call__(self, name: str, events: Sequence[Any], folder: str, **settings: str) -> list[Any]:
        """Handle `events` with the function in `folder`. Returns its answers."""
        paths = views.ROOT / "functions" / folder, views.ROOT / bot.SAMPLE, views.ROOT / "shared", self.layer
        start = Start(name, _CODE, paths, before=_BEFORE, after=_AFTER, stdin=json.dumps(events))
        _, printed = timing.once(start, {**self.cloud.environment(), **settings})
        milliseconds, size, answers = json.loads(printed)
        self.figures["cpu_milliseconds"][name] = milliseconds / _MESSAGES
        self.figures["log_bytes"][name] = size / _MESSAGES
        return answers


def written(text: str, figures: Figures) -> str:
    """`text`, the content of tools/prices.toml, with the figures, their date and this machine."""
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    lines = [
        "[measured] # by python -m tools.bench.warm --write",
        f"date = {time.strftime('%Y-%m-%d')}",
        f'machine = "{machine}"',
    ]
    for section, comment, digits in (
        ("cpu_milliseconds", "of one warm invocation, on a whole core", 1),
        ("log_bytes", "that one invocation writes: logs and metrics", None),
    ):
        lines += ["", f"[measured.{section}] # {comment}"]
        lines += [f'"{stage}" = {round(value, digits)}' for stage, value in figures[section].items()]
    before, _, after = text.partition("[measured]")
    return before + "\n".join(lines) + "\n\n" + after[after.index("[assumptions]") :]


if __name__ == "__main__":
    main()
