"""Models the outbound queue, which all platforms share, while one platform is down.

    python -m tools.backlog      prints the table of docs/runbook.md

SQS looks for available messages among the first 120,000 of a FIFO queue. The replies to a platform that is down stay in
the queue. When there are more than that, SQS does not find the replies to the other platforms behind them.
Source: "Avoid large message backlogs with the same message group ID", Amazon SQS Developer Guide.

The model moves in seconds. A reply to another platform leaves the queue in the second in which SQS finds it. It leaves
out that the others also share the concurrency of the deliverer.
"""

import sys
from collections import deque
from dataclasses import dataclass

WINDOW = 120_000
"""Messages of a FIFO queue among which SQS looks for available ones."""
ALARM = WINDOW // 2
"""Replies in the queue at which `OutboundBacklogAlarm` is raised."""
RATES = (0.4, 2.0, 10.0, 50.0)
"""Replies per second to the platform that is down. One million a month are 0.4 per second."""
HOURS = (1, 6, 24)
"""Lengths of the outage."""
DRAIN = 100.0
"""Replies per second that the platform accepts afterwards."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect on the other platforms. `starts`: seconds from the start of the outage, None if there is no effect.

    `delay`: the longest delay of a reply to another platform, in seconds. `alarm`: seconds until the alarm.
    """

    starts: float | None
    delay: float
    alarm: float | None


def simulate(rate: float, outage: int, drain: float = DRAIN, window: int = WINDOW) -> Effect:
    """The effect of an outage of `outage` seconds of a platform that gets `rate` replies per second.

    Another platform sends one reply each second. The simulation ends when the backlog is delivered.
    """
    if drain <= rate:
        raise ValueError("the platform never catches up")
    inside = behind = 0.0  # replies to the platform that is down: among the first `window`, and behind them
    outside: deque[int] = deque()  # the seconds in which those behind were sent
    starts: float | None = None
    alarm: float | None = None
    delay, now = 0.0, 0
    while True:
        if now >= outage:
            inside = max(0.0, inside - drain)
            if not inside:
                break
        outside.append(now)
        behind += rate
        while outside and inside < window:
            delay = max(delay, float(now - outside.popleft()))
            inside += rate
            behind -= rate
        if outside and starts is None:
            starts = float(now)
        if alarm is None and inside + behind > window / 2:
            alarm = float(now)
        now += 1
    return Effect(starts, delay, alarm)


def table() -> str:
    """The rows of the document."""
    head = "| replies per second to the platform | outage | alarm after | other platforms wait after | longest wait |"
    rows = [head, "|--:|--:|--:|--:|--:|"]
    for rate in RATES:
        for hours in HOURS:
            effect = simulate(rate, hours * 3600)
            cells = (_hours(effect.alarm), _hours(effect.starts), _hours(effect.delay) if effect.delay else "none")
            rows.append(f"| {rate:g} | {hours} h | {' | '.join(cells)} |")
    return "\n".join(rows)


def _hours(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def main() -> int:
    """Print the table."""
    print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
