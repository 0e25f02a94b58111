"""Every way to fail once: for every kind of message, for every AWS and HTTP call that its handling makes, every fault
at that call; for the plainest message every pair of crashes; and callbacks to whom the queue never says that it has the
message. Then the world goes on until it comes to rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random

from parley.journal.inbox import Inbox
from playground.platforms.base import NewMessage, Platform, Press
from playground.platforms.model import Message
from tools.faults.bot import LATE_APP, make_bot
from tools.faults.forms import Forms
from tools.faults.oracle import Findings, judge
from tools.faults.subjects import APP, Subject
from tools.faults.trouble import CallSite, Fault, Plan
from tools.faults.wire import ATTEMPTS
from tools.faults.world import World

FAULTS = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.STALL, Fault.LOST, Fault.REFUSED)
AGAIN_AFTER = 400.0
"""Seconds after which the platform delivers the message once more: SQS has forgotten it by then."""
LATE_BY = 700.0
"""Seconds until somebody stores the configuration that a reply needs."""


@dataclass(frozen=True, slots=True)
class Played:
    """A case that is over."""

    findings: Findings
    world: World


@dataclass(frozen=True, slots=True)
class Case:
    """A fault (or two) while one message is handled. `warm`: after another one, so that tokens are there."""

    command: str
    warm: bool
    faults: tuple[tuple[int, Fault], ...]

    def __str__(self) -> str:
        """As it is shown where it failed."""
        what = ", ".join(f"{fault} call {at}" for at, fault in self.faults)
        return f"/{self.command} ({'warm' if self.warm else 'cold'}): {what}"


def cases(subject: Subject, inbox: type[Inbox] = Inbox, commands: tuple[str, ...] = ()) -> Iterator[Case]:
    """All cases with one fault; those of all commands unless some are given."""
    for command in commands or subject.all_commands:
        for warm in (False, True):
            for at in range(1, calls_of(subject, command, warm=warm, inbox=inbox) + 1):
                yield from (Case(command, warm, ((at, fault),)) for fault in FAULTS)


def crash_pairs(subject: Subject, inbox: type[Inbox] = Inbox) -> Iterator[Case]:
    """All cases with two crashes while a plain message is handled: the second while the first is being recovered."""
    crashes = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
    calls = calls_of(subject, "count", warm=True, inbox=inbox)
    for first in range(1, calls + 1):
        for second in range(first + 1, 2 * calls + 1):
            pairs = (((first, one), (second, other)) for one in crashes for other in crashes)
            yield from (Case("count", warm=True, faults=pair) for pair in pairs)


def untold(subject: Subject) -> Iterator[Case]:
    """All cases in which each attempt of the callback to store a message fails, though one may have stored it."""
    for command in subject.all_commands:
        plan = _Plans(())
        _played(subject, Case(command, warm=True, faults=()), plan, Inbox)
        first = 1 + plan.calls.index("SendMessage")
        for attempts in product((Fault.LOST, Fault.REFUSED), repeat=ATTEMPTS):
            yield Case(command, warm=True, faults=tuple(enumerate(attempts, first)))


def calls_of(subject: Subject, command: str, *, warm: bool, inbox: type[Inbox] = Inbox) -> int:
    """How many calls the handling of one message makes when all goes well."""
    plan = _Plans(())
    _played(subject, Case(command, warm, ()), plan, inbox)
    return len(plan.calls)


def play(subject: Subject, case: Case, forms: Forms, inbox: type[Inbox] = Inbox) -> Played:
    """Play `case` until the world rests, and judge it."""
    world = _played(subject, case, _Plans(case.faults), inbox)
    return Played(judge(world, {subject.name: forms}), world)


class _Plans(Plan):
    """Several faults, each at its own call."""

    def __init__(self, faults: tuple[tuple[int, Fault], ...]) -> None:
        super().__init__()
        self._faults = dict(faults)

    def decide(self, call: CallSite) -> Fault | None:
        """The fault of `call`; None if it succeeds."""
        if not self.armed:
            return None
        self.calls.append(call.kind)
        return self._faults.get(len(self.calls))


def _played(subject: Subject, case: Case, plan: Plan, inbox: type[Inbox]) -> World:
    world = World((subject,), plan, make_bot(), Random(str(case)), inbox=inbox)
    platform = world.platforms[subject.name]
    late = f"/parley/faults/{subject.name}/{LATE_APP}"
    configuration = world.aws.parameters.pop(late, None)
    if configuration is not None:
        world.at(world.clock() + LATE_BY, lambda: world.aws.parameters.update({late: configuration}))
    if case.warm:
        _say(platform, subject, "count", "before")
        world.settle()
    if case.command == "press":
        card = _card(world, subject)
        plan.armed = True
        platform.press(APP, card.id, "lin", Press(button="Press"))
    else:
        plan.armed = True
        _say(platform, subject, case.command, "marked")
    delivery = platform.outbox[-1]
    _say(platform, subject, "count", "behind")
    world.at(world.clock() + AGAIN_AFTER, lambda: world.deliver(subject.name, delivery))
    world.settle(until=world.clock() + AGAIN_AFTER / 2)
    plan.armed = False
    world.settle()
    _say(platform, subject, "count", "at-end")
    world.settle()
    return world


def _say(platform: Platform, subject: Subject, command: str, mark: str) -> None:
    platform.send_message(APP, subject.room, "lin", NewMessage(text=subject.said(command, mark)))


def _card(world: World, subject: Subject) -> Message:
    """A card that the bot has sent."""
    platform = world.platforms[subject.name]
    _say(platform, subject, "card", "marked")
    world.settle()
    return [message for message in platform.messages.values() if message.sender_kind != "user"][-1]
