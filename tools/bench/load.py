"""Messages on the local stack at a steady rate, whatever becomes of the earlier ones: `make load`.

    python -m tools.bench.load --rate 10 --seconds 30

It starts a stack of its own. People write at random moments (a Poisson process), on several platforms and in many
conversations, and do not wait for replies. So a stack that is too slow falls behind, as it would in production. Prints
the times until the callback is acknowledged and until the platform shows the reply, as percentiles and histograms, and
how many replies are lost or came more than once. Exit status 1 if there are any.

Everything stays on this machine. It shows what two cores and an emulator can do, and not what AWS can: see
docs/scale.md.
"""

import argparse
import re
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tools import bot
from tools.bench.stack import percentile
from tools.bench.updates import updates
from tools.local import Options, down, up

PLATFORMS = ("feishu", "wecom", "wechat")
"""Those to which anybody can write a plain text, and that get replies at once."""
PEOPLE = 40
"""Of each platform. Each of them writes in a conversation of their own."""
MOST = 5000
"""Messages of one run."""
_WARM_UP = 12
"""Messages before those that count: the functions start with them."""
_SILENCE = 30.0
"""Seconds without an update after which no further reply is expected."""
_AT_ONCE = 64
"""Requests of people at the same time: so nobody waits for another one."""
_TAG = re.compile(r"load-\d{5}")
_BOUNDS = (25, 50, 100, 200, 400, 800, 1600, 3200, 6400)
"""Milliseconds: the upper ends of the histogram's bars."""
_WIDTH = 40
"""Characters of the longest bar."""


@dataclass
class Found:
    """What was measured: seconds by tag, and how often each reply was shown."""

    sent: dict[str, float] = field(default_factory=dict[str, float])
    acknowledged: dict[str, float] = field(default_factory=dict[str, float])
    replied: dict[str, float] = field(default_factory=dict[str, float])
    shown: Counter[str] = field(default_factory=Counter[str])

    @property
    def lost(self) -> list[str]:
        """The messages without a reply."""
        return sorted(self.sent.keys() - self.shown.keys())

    @property
    def repeated(self) -> list[str]:
        """The messages whose reply was shown more than once."""
        return sorted(tag for tag, count in self.shown.items() if count > 1)


def main() -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.load", description=__doc__)
    parser.add_argument("--rate", type=float, default=10, help="messages a second (default 10)")
    parser.add_argument("--seconds", type=float, default=30, help="how long people write (default 30)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default 1)")
    options = parser.parse_args()
    moments = arrivals(options.rate, options.seconds, Random(options.seed))
    if not 0 < len(moments) <= MOST:
        parser.error(f"these are {len(moments)} messages; at least one and at most {MOST} are possible")
    bot.use_sample()
    with tempfile.TemporaryDirectory() as directory:
        try:
            found = measured(up(Options(directory=directory)), moments)
        finally:
            down(directory)
    print(report(found, options.rate))
    return 1 if found.lost or found.repeated else 0


def arrivals(rate: float, seconds: float, random: Random) -> list[float]:
    """The moments of a Poisson process: `rate` a second on average, for `seconds`."""
    moments: list[float] = []
    at = random.expovariate(rate)
    while at < seconds:
        moments.append(at)
        at += random.expovariate(rate)
    return moments


# --- measure ----------------------------------------------------------------------------------------------------------


def measured(facts: Mapping[str, Any], moments: Sequence[float]) -> Found:
    """Let people write at `moments`, and watch what the platforms show until all replies are there, or none comes."""
    warm = _People(facts["playground"])
    warm.write([0.2 * number for number in range(_WARM_UP)])
    people = _People(facts["playground"])
    people.write(moments)
    return people.found


class _People:
    def __init__(self, playground: str) -> None:
        self.found = Found()
        self._playground = playground
        self._changed = threading.Condition()
        self._messages: dict[str, str] = {}
        """Tags by the id of their message."""
        self._subscribed = threading.Event()
        self._ended = threading.Event()

    def write(self, moments: Sequence[float]) -> None:
        """Write at those moments, and wait for the replies."""
        watching = threading.Thread(target=self._watch, daemon=True)
        watching.start()
        self._subscribed.wait(_SILENCE)
        limits = httpx.Limits(max_connections=_AT_ONCE)
        with (
            httpx.Client(base_url=self._playground, timeout=60, trust_env=False, limits=limits) as http,
            ThreadPoolExecutor(_AT_ONCE) as pool,
        ):
            begun = time.monotonic()
            for number, moment in enumerate(moments):
                time.sleep(max(0.0, begun + moment - time.monotonic()))
                pool.submit(self._write, http, number)
            pool.shutdown()
            self._wait(len(moments))
            self._ended.set()
            for message, tag in self._messages.items():
                self.found.acknowledged[tag] = _acknowledged(http, message)

    def _write(self, http: httpx.Client, number: int) -> None:
        tag = f"load-{number:05}"
        platform = PLATFORMS[number % len(PLATFORMS)]
        person = f"load-person-{number // len(PLATFORMS) % PEOPLE}"
        body = {"platform": platform, "app": "demo", "room": "private", "sender": person, "text": f"/echo {tag}"}
        self.found.sent[tag] = time.monotonic()
        answer = http.post("/api/messages", json=body)
        if answer.status_code == 200:
            with self._changed:
                self._messages[answer.json()["message_id"]] = tag

    def _wait(self, count: int) -> None:
        """Until all replies are there, or nothing has changed for a while."""
        with self._changed:
            seen = -1
            while len(self.found.shown) < count and seen != sum(self.found.shown.values()):
                seen = sum(self.found.shown.values())
                self._changed.wait_for(lambda: len(self.found.shown) >= count, _SILENCE)
        time.sleep(1)  # a reply that comes twice comes soon after the first time

    def _watch(self) -> None:
        for kind, update in updates(self._playground, 600):
            now = time.monotonic()
            self._subscribed.set()
            if self._ended.is_set():
                return
            if kind == "message" and update["message"]["sender"]["kind"] == "bot" and not update["message"]["edited"]:
                with self._changed:
                    for tag in set(_TAG.findall(update["message"]["text"])) & self.found.sent.keys():
                        self.found.shown[tag] += 1
                        self.found.replied.setdefault(tag, now - self.found.sent[tag])
                    self._changed.notify_all()


def _acknowledged(http: httpx.Client, message: str) -> float:
    """Seconds until the platform had the response to its first callback for `message`."""
    attempts = http.get(f"/api/trace/{message}").raise_for_status().json()["delivery"]["attempts"]
    return attempts[0]["ms"] / 1000


# --- print ------------------------------------------------------------------------------------------------------------


def report(found: Found, rate: float) -> str:
    """The figures, for a terminal."""
    ends = [found.sent[tag] + seconds for tag, seconds in found.replied.items()]
    lasted = max(ends) - min(found.sent.values()) if ends else 0
    lines = [
        f"{len(found.sent)} messages, {rate:g} a second on average; all replies after {lasted:.1f} s",
        f"lost {len(found.lost)}, repeated {len(found.repeated)}",
        *_times("callback acknowledged", list(found.acknowledged.values())),
        *_times("reply shown", list(found.replied.values())),
    ]
    for name, tags in (("lost", found.lost), ("repeated", found.repeated)):
        lines += [f"{name}: {', '.join(tags[:20])}"] if tags else []
    return "\n".join(lines)


def _times(name: str, seconds: Sequence[float]) -> list[str]:
    """P50, P99 and a histogram."""
    if not seconds:
        return [f"{name}: never"]
    milliseconds = [1000 * each for each in seconds]
    counts = Counter(bisect_left(_BOUNDS, each) for each in milliseconds)
    most = max(counts.values())
    labels = [*(f"<= {bound}" for bound in _BOUNDS), f"> {_BOUNDS[-1]}"]
    bars = (f"  {label:>7} {'#' * -(-_WIDTH * counts[at] // most)} {counts[at]}" for at, label in enumerate(labels))
    shares = ", ".join(f"P{100 * share:.0f} {percentile(milliseconds, share):.0f} ms" for share in (0.5, 0.99))
    return [f"{name}: {shares}, at most {max(milliseconds):.0f} ms", *bars]


if __name__ == "__main__":
    sys.exit(main())
