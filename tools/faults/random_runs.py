"""Random runs: many messages in many conversations, each delivered up to four times, while any call can fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random

from parley.journal.inbox import Inbox
from parley.model.codec import decode_outgoing
from playground.platforms.base import NewMessage, Platform, Press
from playground.platforms.model import Delivery
from playground.platforms.model import Message as Shown
from tools.faults.bot import make_bot
from tools.faults.findings import Findings
from tools.faults.oracle import check
from tools.faults.policies import DEFAULT_RATES, RandomFaults, Rates
from tools.faults.renderings import Renderings
from tools.faults.simulation import Simulation
from tools.faults.tags import tags_of
from tools.faults.targets import APP, Target
from tools.faults.transcript import buttons

MESSAGES_PER_SECOND = 14.0
"""The rate at which people write to the busiest app. It is close to the app's rate limits."""
_MESSAGES_PER_SECOND_PASSIVE = 0.4
"""The same if callbacks wait for passive replies, or the platform polls for them. The simulation carries out waits and
polls one after another. At a higher rate callbacks would find it busy with others until their platform times out.
"""
_POLLED_TOGETHER = 0.4
"""The share of it if people write several texts within seconds, each of which the platform polls for."""
_FOLLOW_UPS = 0.25
"""The probability that a person whose callback waits writes again within seconds."""
_COMMANDS = {
    "count": 45,
    "echo": 10,
    "pay": 8,
    "remind": 3,
    "ask": 3,
    "approve": 3,
    "consult": 2,
    "entrust": 2,
    "notify": 3,
    "schedule": 2,
    "two": 5,
    "card": 5,
    "photo": 4,
    "refused": 3,
    "push": 2,
    "react": 2,
    "long": 1,
}
"""The frequency of each command, in per cent. Only the scenarios have `late`."""
_LAST_MESSAGE_AFTER = 1200.0
"""Seconds after which everybody writes once more."""
_AT_ONCE = 0.8
"""The share of processes that deliver replies at once. So both ways of a reply meet in one conversation."""
_OPERATOR_LOOKS = 1200.0
"""Seconds between two looks of the operator at the dead letters, while rights to answer can expire."""
_REDELIVERY_DELAYS = (0.0, 0.5, 20.0, 400.0, 3000.0)
"""Seconds until a message is delivered again: within the five minutes of SQS's deduplication, and long after them."""


@dataclass(frozen=True, slots=True)
class Run:
    """The parameters of a random run. The seed determines everything else."""

    seed: int
    messages: int
    conversations: int
    merge: float = 0
    """`Bot.merge`. If it is set, people write several texts within seconds."""
    rates: Rates = field(default_factory=lambda: DEFAULT_RATES)


@dataclass(frozen=True, slots=True)
class RunResult:
    """A random run after its end."""

    findings: Findings
    sim: Simulation
    faults: RandomFaults


def run(parameters: Run, target: Target, renderings: Renderings, inbox: type[Inbox] = Inbox) -> RunResult:
    """Run until nothing is left to do, send the dead letters back, run again, and check the result."""
    random = Random(parameters.seed)
    faults = RandomFaults(Random(random.random()), parameters.rates)
    bot = make_bot()
    bot.merge = parameters.merge
    sim = Simulation((target,), faults, bot, random, inbox=inbox)
    sim.finished = lambda _record: random.random() > 0.01
    redriven: set[str] = set()

    def redrive() -> None:
        """Send the dead letters back."""
        redriven.update(*(_tags_in(body, sim.requested.schedules) for body in sim.redrive()))

    last = _schedule_messages(sim, target, parameters)
    # A bot that is polled cannot answer a message after an hour. The operator is in time, as the runbook says.
    for look in range(1, int((last - sim.clock()) / _OPERATOR_LOOKS) + 3 if target.polls else 0):
        sim.at(sim.clock() + look * _OPERATOR_LOOKS, redrive)
    sim.settle()
    for _ in range(10):
        faults.armed = False
        if not sim.has_dead_letters:
            break
        redrive()
        sim.settle()
    return RunResult(check(sim, {target.name: renderings}, frozenset(redriven)), sim, faults)


def _schedule_messages(sim: Simulation, target: Target, parameters: Run) -> float:
    """Let people write, in all conversations side by side. Returns the time of the last message."""
    platform, random = sim.platforms[target.name], sim.random
    commands = [command for command in _COMMANDS if command in target.all_commands]
    weights = [_COMMANDS[command] for command in commands]
    at = sim.clock()
    is_slow = target.replies_passively or target.polls
    rate = _MESSAGES_PER_SECOND_PASSIVE if is_slow else MESSAGES_PER_SECOND
    if target.polls and parameters.merge:
        rate *= _POLLED_TOGETHER
    if target.message_interval:
        rate = min(rate, parameters.conversations / target.message_interval)
    person, writers = "", list[str]()
    for number in range(parameters.messages):
        if person and target.replies_passively and random.random() < _FOLLOW_UPS:
            at += random.uniform(0, 3)
        else:
            at += random.expovariate(rate)
            person = f"person-{random.randrange(parameters.conversations)}"
        [command] = random.choices(commands, weights)
        # Other texts of the same person would be answers in the dialogue.
        writer = f"asker-{number}" if command == "ask" else person
        writers.append(writer)
        sim.at(at, partial(_say, sim, platform, writer, target.text(command, f"m{number:05}")))
        if parameters.merge and command == "echo":
            _schedule_more(sim, platform, writer, at, f"m{number:05}")
    if target.message_interval:
        _schedule_last_messages(sim, target, list(dict.fromkeys(writers)), at + _LAST_MESSAGE_AFTER)
    platform.listeners.append(partial(_press_buttons, sim, platform))
    return at


def _schedule_more(sim: Simulation, platform: Platform, person: str, at: float, mark: str) -> None:
    """Let a person write up to four more texts after the one with the tag `mark`, within seconds."""
    for number in range(sim.random.choice((0, 1, 2, 4))):
        at += sim.random.uniform(0, 2)
        sim.at(at, partial(_say, sim, platform, person, f"{mark}-{number}"))


def _schedule_last_messages(sim: Simulation, target: Target, people: list[str], at: float) -> None:
    """Let everybody write once more, so that deferred replies can be sent."""
    platform = sim.platforms[target.name]
    for number, person in enumerate(people):
        text = target.text("count", f"z{number:05}")
        sim.at(at + number, partial(_say, sim, platform, person, text))


def _say(sim: Simulation, platform: Platform, person: str, text: str) -> None:
    platform.send_message(APP, "private", person, NewMessage(text=text))
    _deliver(sim, platform)


def _deliver(sim: Simulation, platform: Platform) -> None:
    """Deliver the new events, each of them up to four times."""
    for delivery in platform.drain_outbox():
        sim.deliver(platform.name, delivery)
        for _ in range(sim.random.choice((0, 0, 1, 2, 3))):
            after = sim.random.choice(_REDELIVERY_DELAYS) * sim.random.uniform(0.5, 1.5)
            sim.at(sim.clock() + after, partial(_redeliver, sim, platform, delivery))


def _redeliver(sim: Simulation, platform: Platform, delivery: Delivery) -> None:
    if delivery.state == "retrying":
        return  # the platform delivers it again anyway
    if sim.replies_passively(platform.name) and delivery.state != "failed":
        return  # a passive reply goes to the sender of the request, so only the platform itself sends one
    sim.deliver(platform.name, delivery)


def _press_buttons(sim: Simulation, platform: Platform, kind: str, what: object) -> None:
    """Let somebody press one of the buttons of each message within a minute after it appears."""
    if kind != "message" or not isinstance(what, Shown) or what.sender_kind != "bot" or what.edited:
        return
    there = list(buttons(platform.parts(what)))
    for button in there if len(there) == 1 else sim.random.sample(there, 1 if there else 0):
        person = platform.rooms[what.room].members[0]
        press = partial(_press, sim, platform, what.id, person, button)
        sim.at(sim.clock() + sim.random.uniform(1, 60), press)


def _press(sim: Simulation, platform: Platform, message_id: str, person: str, button: str) -> None:
    platform.press(APP, message_id, person, Press(button=button))
    _deliver(sim, platform)


def _tags_in(body: str, schedules: Mapping[str, str]) -> set[str]:
    """The tags in a dead letter of either queue."""
    if '"ordinal"' not in body[:400]:
        return tags_of(body, schedules)
    text = str(decode_outgoing(body).reply.segments)
    return {each.partition(".")[0] for each in text.split("«")[1:]}
