"""Measures whole messages on the local stack: `make bench-stack`.

    python -m tools.bench.stack             prints the table
    python -m tools.bench.stack --write     writes it into docs/benchmarks.md

It starts a stack of its own and publishes two versions of the processor: one delivers replies at once, the other one
sends them through the queue. Both take turns behind the alias `live`. A turn is short, so a busy machine slows both.
Each way has people of its own, as a deployment has one way: no conversation goes back and forth between them.
First, people write as fast as the bot replies; then, at a steady pace far below that. The simulated platforms have the
times: of the person's message, of the response to the callback, and of the first call with the reply.

DynamoDB and SQS answer as late as in the ledger (docs/cost.md), because the ways differ in the number of requests:
`--aws-milliseconds 0` measures without this.
"""

import argparse
import json
import math
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any, Self

import httpx

from tools import bot
from tools.bench import report
from tools.bench.report import Table
from tools.bench.updates import updates
from tools.cost.figures import ASSUMPTIONS
from tools.local import Options, down, up
from tools.local.aws import Aws

COMMAND = "make bench-stack ARGS=--write"
WAYS = {"at once": "true", "queue": "false"}
"""The values of PARLEY_DELIVER_AT_ONCE."""
PLATFORMS = ("feishu", "wechat")
"""Together their rate limits are far above what two cores can do."""
_PEOPLE = 20
_TURN, _PACE = 12, 4
"""Messages of a turn that count, and messages a second."""
_FIRST = 2
"""Messages of a turn before those: the processes of a way were idle during the turn of the other one."""
_LOADS, _LOAD = 3, 240
"""Times of full load for each way, and the messages of one."""
_WARM_UP = 60
"""Messages before each full load: each mapping of a queue starts a process of its own."""
_UNANSWERED = 12
"""Messages without a reply under full load: the next person writes when a reply is there."""
_TIMEOUT = 120.0
_TAG = re.compile(r"bench-\d{6}")
_AIM = 2 / 3
"""The platform's call is a third earlier."""


@dataclass
class Timings:
    """The times of one way: seconds, one for each message, and messages a second, one for each load."""

    acknowledged: list[float] = field(default_factory=list[float])
    called: list[float] = field(default_factory=list[float])
    rates: list[float] = field(default_factory=list[float])


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.stack", description=__doc__)
    parser.add_argument("--turns", type=int, default=50, help="turns of each way (default 50)")
    parser.add_argument(
        "--aws-milliseconds",
        type=float,
        default=ASSUMPTIONS["aws_milliseconds"],
        help="that DynamoDB and SQS take longer to answer (default: %(default)g, as in the ledger)",
    )
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args()
    bot.use_sample()
    with tempfile.TemporaryDirectory() as directory:
        try:
            facts = up(Options(directory=directory, aws_seconds=options.aws_milliseconds / 1000))
            with httpx.Client(base_url=facts["playground"], timeout=60, trust_env=False) as http:
                found = Bench(facts, http).measure(options.turns)
        finally:
            down(directory)
    settings = f"{options.turns} turns of {_TURN} messages, {_PACE} a second"
    shown = table(found, f"{settings}, a request to AWS takes {options.aws_milliseconds:g} ms longer")
    print(f"\n{shown.text()}")
    if options.write:
        report.write([shown])


class Bench:
    """One running stack."""

    def __init__(self, facts: Mapping[str, Any], http: httpx.Client) -> None:
        self._facts = facts
        self._http = http
        self._lambda = Aws(facts["aws_endpoint"]).client("lambda")
        self._function: str = facts["functions"]["processor"]
        self._sent = 0

    def measure(self, turns: int) -> dict[str, Timings]:
        """The times of both ways, in turns."""
        versions = {name: self._publish(value) for name, value in WAYS.items()}
        found = {name: Timings() for name in WAYS}
        for _ in range(_LOADS):
            for name, version in versions.items():
                self._switch(version)
                self._load(name, _WARM_UP)
                found[name].rates.append(self._load(name, _LOAD))
        for number in range(turns):
            for name, version in versions.items():
                self._switch(version)
                self._steady(name, found[name])
            if number % 10 == 9:
                progress = ", ".join(f"{name} {1e3 * statistics.median(x.called):.0f} ms" for name, x in found.items())
                print(f"turn {number + 1}: {progress}", file=sys.stderr, flush=True)
        return found

    def _switch(self, version: str) -> None:
        self._lambda.update_alias(FunctionName=self._function, Name="live", FunctionVersion=version)

    def _publish(self, value: str) -> str:
        """A version of the processor with that setting."""
        before = self._lambda.get_function_configuration(FunctionName=self._function)["Environment"]["Variables"]
        variables = {**before, "PARLEY_DELIVER_AT_ONCE": value}
        self._lambda.update_function_configuration(FunctionName=self._function, Environment={"Variables": variables})
        return self._lambda.publish_version(FunctionName=self._function)["Version"]

    # --- messages

    def _steady(self, way: str, timings: Timings) -> None:
        """Let people of a way write to Feishu, one message after the other, and wait for all replies."""
        sent: dict[str, str] = {}
        begun = time.monotonic()
        for number in range(_FIRST + _TURN):
            time.sleep(max(0.0, begun + number / _PACE - time.monotonic()))
            tag, message = self._send("feishu", way, number)
            sent[tag] = message
        calls = self._calls(sent)
        for tag, message in islice(sent.items(), _FIRST, None):
            delivery = self._get(f"/api/trace/{message}")["delivery"]
            timings.acknowledged.append(delivery["attempts"][0]["ms"] / 1000)
            timings.called.append(calls[tag] - delivery["at"])

    def _load(self, way: str, count: int) -> float:
        """Let people of a way write as fast as the bot replies. Returns messages a second, until the last call."""
        with _Replies(self._facts["playground"]) as replies:
            begun = time.monotonic()
            for number, platform in enumerate(islice(cycle(PLATFORMS), count)):
                replies.wait_for(number + 1 - _UNANSWERED)
                self._send(platform, way, number)
            return count / (replies.wait_for(count) - begun)

    def _send(self, platform: str, way: str, number: int) -> tuple[str, str]:
        """One person writes. Returns the tag that the reply contains, and the id of the message."""
        self._sent += 1
        tag = f"bench-{self._sent:06}"
        person = f"{way.replace(' ', '-')}-{number % _PEOPLE}"
        body = {"platform": platform, "app": "demo", "room": "private", "sender": person, "text": f"/echo {tag}"}
        answer = self._http.post("/api/messages", json=body).raise_for_status().json()
        return tag, answer["message_id"]

    def _calls(self, tags: Mapping[str, str]) -> dict[str, float]:
        """The times of the first calls whose body contains each of `tags`, once there is one for each."""
        found: dict[str, float] = {}
        deadline = time.monotonic() + _TIMEOUT
        while len(found) < len(tags):
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: {len(tags) - len(found)} of {len(tags)} replies are missing")
            time.sleep(0.5)
            for call in self._get("/api/calls", platform="feishu"):
                match = _TAG.search(json.dumps(call["body"]))
                if match and match[0] in tags:
                    found.setdefault(match[0], call["at"])
        return found

    def _get(self, path: str, **query: str) -> Any:
        return self._http.get(path, params=query).raise_for_status().json()


class _Replies:
    """Counts the calls that send a message, from the playground's live updates."""

    def __init__(self, playground: str) -> None:
        self._playground = playground
        self._times: list[float] = []
        self._arrived = threading.Condition()
        self._subscribed = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._subscribed.wait(_TIMEOUT)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True

    def wait_for(self, count: int) -> float:
        """The time of `time.monotonic` at which there were `count` replies. Raises SystemExit."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._times) >= count, _TIMEOUT):
                raise SystemExit(f"bench: {count - len(self._times)} of {count} replies are missing")
            return self._times[count - 1] if count > 0 else time.monotonic()

    def _listen(self) -> None:
        for kind, update in updates(self._playground, _TIMEOUT):
            self._subscribed.set()
            if self._ended:
                return
            if kind == "call":
                self._count(update["call"])

    def _count(self, call: Mapping[str, Any]) -> None:
        if call["status"] == 200 and "/message" in call["path"]:
            with self._arrived:
                self._times.append(time.monotonic())
                self._arrived.notify_all()


# --- the table --------------------------------------------------------------------------------------------------------


def table(found: Mapping[str, Timings], settings: str) -> Table:
    """The table of both ways, with the ratios."""
    figures = {name: _figures(timings) for name, timings in found.items()}
    ratios = [one / other for one, other in zip(*figures.values(), strict=True)]
    rows = [(name, *(f"{value:.0f}" for value in values[:-1]), f"{values[-1]:.1f}") for name, values in figures.items()]
    aims = (f"{_AIM:.2f}: {'met' if ratio <= _AIM else 'NOT met'}" for ratio in ratios[2:4])
    columns = (
        "",
        "response to the callback, ms: P50",
        "P99",
        "call of the platform, ms: P50",
        "P99",
        "messages a second",
    )
    last = (("at once / queue", *(f"{ratio:.2f}" for ratio in ratios)), ("aim: at most", "", "", *aims, ""))
    return Table("stack", COMMAND, "end to end on the local stack", columns, (*rows, *last), settings)


def _figures(timings: Timings) -> tuple[float, ...]:
    """P50 and P99 of the acknowledgement and of the call in milliseconds, and messages a second."""
    milliseconds = [
        1e3 * percentile(values, share) for values in (timings.acknowledged, timings.called) for share in (0.5, 0.99)
    ]
    return (*milliseconds, statistics.median(timings.rates))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not exceeded by `share` of `values`."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]


if __name__ == "__main__":
    main()
