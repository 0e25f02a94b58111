"""Requests that wait: `python -m tools.bench.waiting [NUMBER]` opens so many `?wait=` requests on a stack of its own.

Each one belongs to another person, whose conversation stays silent, and waits for 25 seconds. They begin one after the
other: a cold start of each process takes a second of a core. It prints what they occupy in the local stack: processes,
memory, and CPU time while they wait. Meanwhile another person writes, and the time of the answer shows whether somebody
else notices. The local stack runs each waiting request in a process of the function, as Lambda does. docs/cost.md has
the price on AWS.
"""

import json
import os
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from playground.platforms.http import wire
from tools import bot
from tools.local import Options, down, up
from tools.local.paths import Paths

WAIT = 25
"""Seconds that each request waits."""
_APART = 0.3
"""Seconds between two requests. All have to wait before the first one ends."""
_SETTLED = 3.0
"""Seconds until the last one waits."""
_WATCHED = 8.0
"""Seconds for which the waiting requests are watched."""
_QUIET = 5
"""Messages whose answers are timed, each time."""


class Load(NamedTuple):
    """What the processes of the stack use: their number, bytes in memory, and CPU seconds so far."""

    processes: int
    memory: int
    cpu: float


def main(arguments: list[str]) -> None:
    """Measure, and print the figures."""
    number = int(arguments[0]) if arguments else 8
    bot.use_sample()
    with tempfile.TemporaryDirectory() as directory:
        try:
            facts = up(Options(directory=directory))
            print(_measured(facts, Path(directory), number))
        finally:
            down(directory)


def _measured(facts: Mapping[str, Any], directory: Path, number: int) -> str:
    client = _Client(facts)
    for _ in range(2):
        client.answered()  # the functions are warm
    alone, before = min(client.answered() for _ in range(_QUIET)), load(directory)
    with ThreadPoolExecutor(number) as pool:
        waiting = [pool.submit(client.wait, f"waiting-{each}", each * _APART) for each in range(number)]
        time.sleep(number * _APART)
        time.sleep(_SETTLED)
        settled, started = load(directory), time.perf_counter()
        beside = min(client.answered() for _ in range(_QUIET))
        time.sleep(max(0.0, _WATCHED - (time.perf_counter() - started)))
        watched, seconds = load(directory), time.perf_counter() - started
        found = Counter(each.result()[0] for each in waiting)
        longest = max(each.result()[1] for each in waiting)
    share = (watched.cpu - settled.cpu) / seconds
    return (
        f"{number} requests that wait {WAIT} s: answers {dict(found)}, the last one after {longest:.1f} s\n"
        f"processes: {settled.processes - before.processes} more; "
        f"memory: {(settled.memory - before.memory) / number / 2**20:.1f} MiB for each\n"
        f"CPU while they wait: {share:.2f} cores in all, {1000 * share / number:.1f} ms a second for each\n"
        f"another person's answer: {1000 * alone:.0f} ms before, {1000 * beside:.0f} ms meanwhile"
    )


class _Client:
    """Persons of the app `demo` of the HTTP channel."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._messages: str = facts["callbacks"]["http"]["demo"]
        self._issuer: dict[str, Any] = facts["apps"]["http"]["demo"]["issuers"][0]

    def wait(self, person: str, pause: float) -> tuple[str, float]:
        """Wait for a reply in the direct chat of the person, after a pause. Returns the status, and the seconds."""
        time.sleep(pause)
        started, url = time.perf_counter(), self._messages.removesuffix("/messages") + "/conversations/me/replies"
        headers = {wire.AUTHORIZATION: f"Bearer {self._token(person)}"}
        answer = httpx.get(url, params={"wait": WAIT}, headers=headers, timeout=60, trust_env=False)
        error = "" if answer.is_success else f" {answer.text[:80]}"
        return f"{answer.status_code}{error}", time.perf_counter() - started

    def answered(self) -> float:
        """The seconds until the bot's answer to a message is there."""
        sent = wire.posted(self._token(f"p-{uuid.uuid4().hex[:8]}"), uuid.uuid4().hex, {"text": "/help"})
        started, url = time.perf_counter(), f"{self._messages}?wait={WAIT}"
        answer = httpx.post(url, content=sent.body, headers=dict(sent.headers), timeout=60, trust_env=False)
        answer.raise_for_status()
        return time.perf_counter() - started

    def _token(self, person: str) -> str:
        claims = {"iss": self._issuer["issuer"], "aud": self._issuer["audience"], "sub": person}
        return wire.token(self._issuer["secrets"][0], claims, time.time())


def load(directory: Path) -> Load:
    """What the stack in that directory uses: its processes and those that they have started."""
    leaders = set(map(int, json.loads(Paths(directory).processes.read_text())))
    stats = {int(path.name): found for path in Path("/proc").glob("[0-9]*") if (found := _stat(path))}
    ours, grown = leaders & stats.keys(), True
    while grown:
        children = {pid for pid, stat in stats.items() if stat.parent in ours}
        grown = not children <= ours
        ours |= children
    return Load(len(ours), sum(stats[pid].memory for pid in ours), sum(stats[pid].cpu for pid in ours))


class _Stat(NamedTuple):
    parent: int
    memory: int
    cpu: float


def _stat(path: Path) -> _Stat | None:
    """The figures of one process, with the CPU time of its children that have ended; None if it has ended."""
    try:
        fields = (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return _Stat(
        int(fields[1]),
        int(fields[21]) * os.sysconf("SC_PAGE_SIZE"),
        sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
