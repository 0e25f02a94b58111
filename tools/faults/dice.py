"""Random runs: many messages in many conversations, each delivered up to four times, while any call may fail."""

from dataclasses import dataclass, field
from functools import partial
from random import Random

from parley.journal.inbox import Inbox
from parley.model.codec import decode_outgoing
from playground.platforms.base import NewMessage, Platform, Press
from playground.platforms.model import Delivery
from playground.platforms.model import Message as Shown
from tools.faults.bot import make_bot
from tools.faults.forms import Forms
from tools.faults.oracle import Findings, asked, judge
from tools.faults.seen import buttons
from tools.faults.subjects import APP, Subject
from tools.faults.trouble import USUAL, Dice, Rates
from tools.faults.world import World

PACE = 14.0
"""Messages a second that people write, in the busiest app: close to what its limits let through."""
_WAITED_PACE = 0.4
"""The same where callbacks wait for answers. In this world whatever is waited for is waited for one after another, and
those who come faster would find it busy with others for longer than their platform's patience.
"""
_MORE = 0.25
"""How often somebody whose callback waits writes once more within seconds."""
_COMMANDS = {"count": 70, "echo": 10, "two": 5, "card": 5, "photo": 4, "refused": 3, "push": 2, "long": 1}
"""How often each command is given, in hundredths. `late` is left to the scripted cases."""
_BACK_AFTER = 1200.0
"""Seconds after which everybody writes once more."""
_DELAYS = (0.0, 0.5, 20.0, 400.0, 3000.0)
"""Seconds after which a message is delivered once more: within SQS's five minutes, and long after."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its size and its seed, which tell everything about it."""

    seed: int
    messages: int
    conversations: int
    rates: Rates = field(default_factory=lambda: USUAL)


def play(run: Run, subject: Subject, forms: Forms, inbox: type[Inbox] = Inbox) -> "Played":
    """Play `run` until the world rests, the dead letters are sent back and it rests again; and judge it."""
    random = Random(run.seed)
    dice = Dice(Random(random.random()), run.rates)
    world = World((subject,), dice, make_bot(), random, inbox=inbox)
    world.finished = lambda _record: random.random() > 0.01
    _talk(world, subject, run)
    world.settle()
    parked: set[str] = set()
    for _ in range(10):
        dice.armed = False
        sent = world.redrive()
        if not sent:
            break
        parked.update(map(_tag_in, sent))
        world.settle()
    return Played(judge(world, {subject.name: forms}, frozenset(parked)), world, dice)


@dataclass(frozen=True, slots=True)
class Played:
    """A run that is over."""

    findings: Findings
    world: World
    dice: Dice


def _talk(world: World, subject: Subject, run: Run) -> None:
    """Have people write, in so many conversations side by side."""
    platform, random = world.platforms[subject.name], world.random
    commands = [command for command in _COMMANDS if command in subject.all_commands]
    weights = [_COMMANDS[command] for command in commands]
    at = world.clock()
    pace = _WAITED_PACE if subject.replies_passively else PACE
    pace = min(pace, run.conversations / subject.gap) if subject.gap else pace
    person = ""
    for number in range(run.messages):
        if person and subject.replies_passively and random.random() < _MORE:
            at += random.uniform(0, 3)
        else:
            at += random.expovariate(pace)
            person = f"person-{random.randrange(run.conversations)}"
        [command] = random.choices(commands, weights)
        text = subject.said(command, f"m{number:05}")
        world.at(at, partial(_say, world, platform, person, text))
    if subject.gap:
        _come_back(world, subject, run, at + _BACK_AFTER)
    platform.listeners.append(partial(_press, world, platform))


def _come_back(world: World, subject: Subject, run: Run, at: float) -> None:
    """Everybody writes once more: what could not be said before can be said then."""
    for number in range(run.conversations):
        say = partial(
            _say, world, world.platforms[subject.name], f"person-{number}", subject.said("count", f"z{number:05}")
        )
        world.at(at + number, say)


def _say(world: World, platform: Platform, person: str, text: str) -> None:
    platform.send_message(APP, "private", person, NewMessage(text=text))
    _deliver(world, platform)


def _deliver(world: World, platform: Platform) -> None:
    """Deliver what has just happened, up to four times."""
    for delivery in platform.take():
        world.deliver(platform.name, delivery)
        for _ in range(world.random.choice((0, 0, 1, 2, 3))):
            after = world.random.choice(_DELAYS) * world.random.uniform(0.5, 1.5)
            world.at(world.clock() + after, partial(_again, world, platform, delivery))


def _again(world: World, platform: Platform, delivery: Delivery) -> None:
    if delivery.state == "retrying":  # then it comes again anyway
        return
    if world.replies_passively(platform.name) and delivery.state != "failed":
        return  # who delivers takes the reply with the answer: only the platform itself does, and it has got one
    world.deliver(platform.name, delivery)


def _press(world: World, platform: Platform, kind: str, what: object) -> None:
    """Somebody presses every button, a while after it appears."""
    if kind != "message" or not isinstance(what, Shown) or what.sender_kind != "bot" or what.edited:
        return
    for button in buttons(platform.parts(what)):
        person = platform.rooms[what.room].members[0]
        press = partial(_pressed, world, platform, what.id, person, button)
        world.at(world.clock() + world.random.uniform(1, 60), press)


def _pressed(world: World, platform: Platform, message_id: str, person: str, button: str) -> None:
    platform.press(APP, message_id, person, Press(button=button))
    _deliver(world, platform)


def _tag_in(body: str) -> str:
    """The tag of a dead letter of either queue."""
    if '"ordinal"' not in body[:400]:
        return asked(body)
    text = str(decode_outgoing(body).reply.segments)
    return text.partition("«")[2].partition(".")[0]
