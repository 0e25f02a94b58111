"""The oracle of quotas and pairing: each message and each token is counted once, and each code pairs one person."""

from collections.abc import Iterator, Mapping
from typing import cast

from msgspec.json import decode

from parley.journal.rows import row_of
from parley.journal.table import Item, get_text, reply_pk, shared_pk, user_pk
from parley.model import Message, Text
from parley.model.state import PAIRING, PRIVATE, State
from tools.faults.bot import PAIRED, REFUSED, PayingBot
from tools.faults.findings import Findings
from tools.faults.model import RECEIVED, SENT
from tools.faults.simulation import Simulation


def check_access(sim: Simulation, platform: str, accepted: Mapping[str, Message], found: Findings) -> None:
    """Report what the quotas have counted twice or not at all, and a code that has not paired one person."""
    if sim.bot.quotas is not None and isinstance(sim.bot, PayingBot):
        written = sum(message.kind != "event" for message in accepted.values())
        used = sum(map(len, sim.bot.model.paid.values())) * (SENT + RECEIVED)
        # What has broken off counts too, unless the process has died before it was recorded.
        for name, expected, more in (("messages", written, 0), ("tokens", used, sim.bot.model.broken)):
            counts = (state.get(PRIVATE, {}).get("quota", {}).get(name, 0) for state in states_of(sim, user_pk("")))
            if not expected <= (counted := sum(counts)) <= expected + more:
                found.out_of_order.append(f"the quotas count {counted} of {expected} {name}")
    answers = [answer for answer in _answers(sim, platform) if answer in (PAIRED, REFUSED)]
    pairings = [state.get(PRIVATE, {}).get(PAIRING, {}) for state in states_of(sim, shared_pk(platform, ""))]
    persons = sum(len(each.get("persons", ())) for each in pairings)
    if answers and (persons, answers.count(PAIRED)) != (1, 1):
        found.duplicated.append(f"a code has paired {persons} persons, and was accepted {answers.count(PAIRED)} times")


def states_of(sim: Simulation, kind: str) -> Iterator[State]:
    """The states whose keys begin with `kind`."""
    for pk, item in sim.aws.dynamodb.items.items():
        if pk.startswith(kind):
            yield decode(get_text(cast("Item", item), "memory"))


def _answers(sim: Simulation, platform: str) -> Iterator[str]:
    """The first word of each reply in the journal that begins with a text."""
    for pk, item in sim.aws.dynamodb.items.items():
        if pk.startswith(reply_pk("")):
            out = row_of(cast("Item", item)).out
            first = next(iter(out.reply.segments), None)
            if out.to.platform == platform and isinstance(first, Text):
                yield first.text.partition(" ")[0]
