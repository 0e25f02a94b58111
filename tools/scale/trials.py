"""The runs at 1,000 messages a second that docs/scale.md shows, and what the model says of each."""

from tools.scale.arrivals import Arrivals, Outcome, outcome
from tools.scale.model import QUOTAS

MANY_APPS = Arrivals(rate=1000, seconds=3, people=1000, apps=100)
QUEUED = Arrivals(rate=1000, seconds=3, people=1000, apps=100, at_once=False)
ONE_APP = Arrivals(rate=1000, seconds=3, people=1000, apps=1)
TRIALS = (MANY_APPS, QUEUED, ONE_APP)
SEED = 8
"""Of the runs in the document."""


def run(seed: int = SEED) -> list[Outcome]:
    """All trials."""
    return [outcome(arrivals, seed) for arrivals in TRIALS]


def contradictions(found: Outcome) -> list[str]:
    """What the model says, and `found` does not show."""
    arrivals, said = found.arrivals, list[str]()
    if (found.lost, found.repeated, found.misplaced) != (0, 0, 0):
        said.append("each message gets its reply once and in order")
    if max(found.hottest.values()) > QUOTAS["table"]["write units of a row a second"] / 10:
        said.append("no row comes near the writes that DynamoDB takes")
    allowed = arrivals.apps * QUOTAS["platforms"]["Feishu, an app"] / 60 * arrivals.seconds
    if arrivals.messages <= allowed and found.waiting > arrivals.rate:
        said.append("nothing waits for longer than a second below the limit of the platform")
    if arrivals.messages > 2 * allowed and found.waiting < arrivals.messages / 2:
        said.append("most messages wait above the limit of the platform")
    minutes = arrivals.messages / arrivals.apps / QUOTAS["platforms"]["Feishu, an app"]
    if found.ended_after < 60 * (minutes - 1):
        said.append("the platform's limit holds")
    return said
