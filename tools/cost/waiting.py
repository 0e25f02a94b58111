"""What a request of the HTTP channel costs that waits for replies and gets none (`?wait=`)."""

from functools import cache
from typing import NamedTuple

from parley.adapter import Reading
from parley.engine.aws import dynamodb
from parley.engine.reading import Reader
from parley.journal.inbox import Inbox
from parley.journal.mailbox import Mailbox
from parley.platforms.http.inbound import MAX_WAIT
from tests.factories import make_message
from tools.cost.bill import Line
from tools.cost.figures import PER_MILLION, memory
from tools.cost.metering import MeteredSimulation
from tools.faults.aws import isolated
from tools.faults.processes import KEEP_FOR, TABLE
from tools.faults.targets import titled


class Wait(NamedTuple):
    """One request that waits `seconds`: how often it looks, and the seconds between its last looks, by which a reply is
    read late at most. `lines`: its billed items, in dollars per million requests.
    """

    seconds: float
    looks: int
    pause: float
    lines: tuple[Line, ...]

    @property
    def dollars(self) -> float:
        """Dollars per million requests."""
        return sum(line.dollars for line in self.lines)


@cache
def waits() -> dict[str, Wait]:
    """The longest wait, by what the request reads."""
    readings = {
        "the replies to a message": Reading("lin", message=make_message(), wait=MAX_WAIT),
        "a conversation": Reading("lin", conversation="c", after=1, wait=MAX_WAIT),
    }
    with isolated():
        return {name: _measured(reading) for name, reading in readings.items()}


def _measured(reading: Reading) -> Wait:
    sim = MeteredSimulation(titled("http"), at_once=True)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        sim.clock.sleep(seconds)

    inbox, mailbox = Inbox(dynamodb(), TABLE, KEEP_FOR), Mailbox(dynamodb(), TABLE, KEEP_FOR)
    started = sim.clock()
    with sim.metering() as usage:
        Reader(inbox, mailbox, sim.clock, sleep)(reading, started)
    amounts = {
        "API Gateway REST request": 1.0,
        "Lambda request": 1.0,
        "Lambda GB-second": memory("callback") / 1024 * (sim.clock() - started),
        "DynamoDB read unit": usage.total("read"),
    }
    lines = tuple(Line(name, amount, PER_MILLION[name]) for name, amount in amounts.items())
    return Wait(sim.clock() - started, len(pauses) + 1, max(pauses), lines)
