"""Scenarios: chosen faults while one message is handled.

There is one scenario for every kind of message, every AWS and HTTP call that its handling makes, and every fault of
that call; one for every pair of crashes while a plain message is handled, and for some while a language model answers;
and one for every way in which all attempts of a callback to store its message fail. After the fault the simulation runs
until nothing is left to do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice, product
from random import Random

from parley.journal.inbox import Inbox
from playground.platforms.base import NewMessage, Platform, Press
from playground.platforms.model import Message
from tools.faults.aws import ATTEMPTS
from tools.faults.bot import LATE_APP, QUOTAS, make_bot
from tools.faults.findings import Findings
from tools.faults.oracle import check
from tools.faults.policies import AWS_FAULTS, Fault, FaultPlan
from tools.faults.renderings import BOT_SECONDS_OF, FOLLOWING, PREPARED, PRESSED, SET_UP, Renderings
from tools.faults.simulation import BOT_SECONDS, Simulation
from tools.faults.targets import APP, Target

REDELIVERED_AFTER = 400.0
"""Seconds after which the platform delivers the message again. SQS no longer deduplicates it then."""
CONFIGURED_AFTER = 700.0
"""Seconds after which the configuration of LATE_APP is stored."""
SCHEDULED_AFTER = 180.0
"""Seconds from a deployment to the times of its schedules: two sweeps later, and while there are faults."""
_RIVALS = {"redeem": "mei"}
"""Who sends the same command at the same time."""
_MODEL_PAIRS = 37
"""One of this many pairs of crashes is tried with a language model."""
MERGE = 1.5
"""`Bot.merge` where texts are merged."""
_JOINING = {"merged": ("second", "third"), "cut": ("second", "third")}
"""The texts that a person sends at the same time as the first one."""
_LAST = ("merged",)
"""After these nobody writes: nothing else may bring on the answer. Deferred replies need a further message."""
_COUNTED = ("limited", "consult")
"""The commands whose messages and tokens are counted by `QUOTAS`."""


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """A scenario after its end."""

    findings: Findings
    sim: Simulation


@dataclass(frozen=True, slots=True)
class Scenario:
    """Faults, by the number of the call, while one message is handled. `warm` means that another message was handled
    before, so that tokens are cached.
    """

    command: str
    warm: bool
    faults: tuple[tuple[int, Fault], ...] = ()

    def __str__(self) -> str:
        """The form in which failed scenarios are printed."""
        faults = ", ".join(f"call {number}: {fault}" for number, fault in self.faults)
        return f"/{self.command} ({'warm' if self.warm else 'cold'}): {faults}"


def single_faults(target: Target, inbox: type[Inbox] = Inbox, commands: tuple[str, ...] = ()) -> Iterator[Scenario]:
    """All scenarios with one fault. `commands` defaults to all commands of `target`. Where the platform polls, work for
    minutes is left to the random runs: each poll makes calls, which would make thousands of scenarios.
    """
    for command in commands or [each for each in target.all_commands if not (target.polls and each == "minutes")]:
        for warm in (False, True):
            for number in range(1, len(calls(target, Scenario(command, warm), inbox)) + 1):
                yield from (Scenario(command, warm, ((number, fault),)) for fault in AWS_FAULTS)


def crash_pairs(target: Target, seed: int = 0, inbox: type[Inbox] = Inbox) -> Iterator[Scenario]:
    """All scenarios with two crashes and a plain message. The second crash is during the recovery from the first.

    Then some of those with a message that a language model answers, which makes many more calls: `seed` chooses them.
    """
    yield from _crash_pairs(target, "count", inbox)
    for command in ("consult", "entrusted"):
        if command in target.all_commands:
            yield from islice(_crash_pairs(target, command, inbox), seed % _MODEL_PAIRS, None, _MODEL_PAIRS)


def _crash_pairs(target: Target, command: str, inbox: type[Inbox]) -> Iterator[Scenario]:
    crashes = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
    number = len(calls(target, Scenario(command, warm=True), inbox))
    for first in range(1, number + 1):
        for second in range(first + 1, 2 * number + 1):
            for one, other in product(crashes, repeat=2):
                yield Scenario(command, warm=True, faults=((first, one), (second, other)))


def failed_stores(target: Target) -> Iterator[Scenario]:
    """All scenarios in which every attempt of a callback to store a message fails. SQS may have stored it still."""
    for command in target.all_commands:
        first = 1 + calls(target, Scenario(command, warm=True)).index("SendMessage")
        for attempts in product((Fault.RESPONSE_LOST, Fault.ERROR), repeat=ATTEMPTS):
            yield Scenario(command, warm=True, faults=tuple(enumerate(attempts, first)))


def run(target: Target, scenario: Scenario, renderings: Renderings, inbox: type[Inbox] = Inbox) -> ScenarioResult:
    """Run `scenario` until nothing is left to do, and check the result."""
    sim = _simulate(target, scenario, FaultPlan(dict(scenario.faults)), inbox)
    return ScenarioResult(check(sim, {target.name: renderings}), sim)


def calls(target: Target, scenario: Scenario, inbox: type[Inbox] = Inbox) -> list[str]:
    """The calls that the handling of the message in `scenario` makes."""
    plan = FaultPlan()
    _simulate(target, scenario, plan, inbox)
    return plan.calls


def _simulate(target: Target, scenario: Scenario, plan: FaultPlan, inbox: type[Inbox]) -> Simulation:
    sim = _deployed(target, scenario, plan, inbox)
    platform = sim.platforms[target.name]
    if scenario.warm:
        _say(platform, target, "count", "before")
        sim.settle()
    _act(sim, target, scenario.command, plan)
    for delivery in platform.outbox:
        sim.at(sim.clock() + REDELIVERED_AFTER, partial(sim.deliver, target.name, delivery))
    rival = _RIVALS.get(scenario.command)
    goes_on = scenario.command not in _LAST
    if goes_on:
        _say(platform, target, scenario.command if rival else "count", "behind", rival or "lin")
    sim.settle(until=sim.clock() + REDELIVERED_AFTER / 2)
    plan.armed = False
    sim.settle()
    if goes_on or target.message_interval:
        _say(platform, target, "count", "at-end")
    if rival:
        _say(platform, target, "count", "theirs", rival)
    sim.settle()
    return sim


def _deployed(target: Target, scenario: Scenario, plan: FaultPlan, inbox: type[Inbox]) -> Simulation:
    """The deployment of the scenario. The configuration of LATE_APP comes later."""
    bot = make_bot()
    bot.quotas = QUOTAS if scenario.command in _COUNTED else None
    bot.merge = MERGE if scenario.command in _JOINING else 0
    seconds = BOT_SECONDS_OF.get(scenario.command, BOT_SECONDS)
    sim = Simulation((target,), plan, bot, Random(str(scenario)), inbox=inbox, bot_seconds=seconds)
    sim.requested.ahead = SCHEDULED_AFTER
    late = f"/parley/faults/{target.name}/{LATE_APP}"
    configuration = sim.aws.parameters.pop(late, None)
    if configuration is not None:
        sim.at(sim.clock() + CONFIGURED_AFTER, lambda: sim.aws.parameters.update({late: configuration}))
    return sim


def _act(sim: Simulation, target: Target, command: str, plan: FaultPlan) -> None:
    """Let a person do what `command` stands for. The faults of `plan` begin with it."""
    platform = sim.platforms[target.name]
    if command in PRESSED:
        before, button = PRESSED[command]
        card = _card(sim, target, before)
        plan.armed = True
        platform.press(APP, card.id, "lin", Press(button=button))
        return
    if command in PREPARED:
        _say(platform, target, PREPARED[command], SET_UP)
        sim.settle()
    plan.armed = True
    for mark in ("marked", *_JOINING.get(command, ())):
        _say(platform, target, FOLLOWING.get(command, command), mark)


def _say(platform: Platform, target: Target, command: str, tag: str, person: str = "lin") -> None:
    platform.send_message(APP, target.room, person, NewMessage(text=target.text(command, tag)))


def _card(sim: Simulation, target: Target, command: str) -> Message:
    """The card that the bot has sent for `command`."""
    platform = sim.platforms[target.name]
    _say(platform, target, command, "marked")
    sim.settle()
    return [message for message in platform.messages.values() if message.sender_kind != "user"][-1]
