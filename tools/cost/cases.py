"""The measured messages: a series of each kind, one a second, through one warm process of each function."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from parley.bot import Ask, Script
from playground.platforms.base import NewMessage, Press
from playground.platforms.model import Message
from tools.cost.metering import MeteredSimulation, Usage, mean
from tools.faults.aws import isolated
from tools.faults.simulation import BOT_SECONDS
from tools.faults.targets import APP, Target, titled

FEISHU = titled("feishu")
LIMITS = {("callback", True): 1, ("processor", True): 5, ("processor", False): 4, ("deliverer", False): 4}
"""The most AWS requests that each function may make for one standard message, at once and through the queue."""
SERIES = 60
"""Messages of one series: limits that are leased in portions cost some messages more than others."""
_WARM_UP = 30
"""Messages before the series: tokens and configurations are cached, and the portions of limits have their size."""
_BETWEEN = 1.0
"""Seconds between two messages."""

WAYS = (True, False)
"""The processor delivers the replies at once, or they go through the queue."""

_LONG = 300
"""Characters of a longer text."""

Send = Callable[[MeteredSimulation, Target, int], None]
"""Lets a person do something, for the message with that number."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of message at the target with that title. `fails`: the first call to the platform fails. `apart`:
    seconds between two messages. `bot_seconds`: the parameter `BotSeconds` of the template. `count`: messages of the
    series.
    """

    title: str
    send: Send
    target: str = "feishu"
    fails: bool = False
    apart: float = _BETWEEN
    bot_seconds: float = BOT_SECONDS
    count: int = SERIES


@dataclass(frozen=True, slots=True)
class Series:
    """The usage of each message of a series, and their average."""

    each: tuple[Usage, ...]
    average: Usage

    def most(self, stage: str) -> float:
        """The most AWS requests that the function `stage` makes for one message."""
        return max(usage.count(stage) for usage in self.each)


Ledger = Mapping[tuple[Case, bool], Series]
"""The measured series, by case and way: at once, or through the queue."""


def measured(cases: Iterable[Case]) -> Ledger:
    """Measure `cases` in both ways."""
    with isolated():
        return {(case, at_once): _measure(case, at_once=at_once) for case in cases for at_once in WAYS}


def _measure(case: Case, *, at_once: bool) -> Series:
    target = titled(case.target)
    sim = MeteredSimulation(target, at_once=at_once, fails=case.fails, bot_seconds=case.bot_seconds)
    each: list[Usage] = []
    for number in range(_WARM_UP + case.count):
        following = sim.clock() + case.apart
        with sim.metering() as usage:
            case.send(sim, target, number)
            sim.settle(until=following)
        sim.clock.now = following
        if len(sim.inbound) or len(sim.outbound):
            raise RuntimeError(f"{case.title}: message {number} is not done before the next one")
        each.append(usage)
    measured = each[_WARM_UP:]
    return Series(tuple(measured), mean(measured))


# --- what people do ---------------------------------------------------------------------------------------------------


def _command(name: str) -> Send:
    def send(sim: MeteredSimulation, target: Target, number: int) -> None:
        text = target.text(name, f"m{number:05}")
        sim.platforms[target.name].send_message(APP, target.room, "lin", NewMessage(text=text))

    return send


def _in_another_conversation(sim: MeteredSimulation, target: Target, number: int) -> None:
    text = target.text("count", f"m{number:05}")
    sim.platforms[target.name].send_message(APP, "private", f"person-{number}", NewMessage(text=text))


def _long_text(sim: MeteredSimulation, target: Target, number: int) -> None:
    """A text of `_LONG` characters. The bot replies with it."""
    text = f"m{number:05} ".ljust(_LONG, "x")
    sim.platforms[target.name].send_message(APP, target.room, "lin", NewMessage(text=text))


def _press(sim: MeteredSimulation, target: Target, _number: int) -> None:
    platform = sim.platforms[target.name]
    cards = [message for message in platform.messages.values() if platform.parts(message)[0]["kind"] == "card"]
    if not cards:
        cards.append(_card(sim, target))
    platform.press(APP, cards[0].id, "lin", Press(button="Press"))


def _dialogue(sim: MeteredSimulation, target: Target, number: int) -> None:
    """A person sends a command that asks something, and with the next message the answer."""
    if "choose" not in sim.bot.commands:

        @sim.bot.command()
        def choose() -> Script:
            choice = yield Ask("Tea?", choices=("Yes", "No"))
            return f"{choice}."

    text = "Yes" if number % 2 else "/choose"
    sim.platforms[target.name].send_message(APP, target.room, "lin", NewMessage(text=text))


def _card(sim: MeteredSimulation, target: Target) -> Message:
    """A card that the bot has sent."""
    _command("card")(sim, target, 0)
    sim.settle()
    return list(sim.platforms[target.name].messages.values())[-1]


STANDARD = Case("a command that changes the bot's state, with one reply", _command("count"))
MINUTES = Case(
    "a command that waits for two minutes, with `BotSeconds` 300",
    _command("minutes"),
    apart=300,
    bot_seconds=300,
    count=5,
)
PAID = Case("a command with a result in `once`, which changes two more states", _command("pay"))
DIALOGUE = Case("a step of a dialogue: the command and its question, or the answer", _dialogue)
ASKED = Case("a language model that calls this command: two calls of the model", _command("consult"))
CHANNEL = Case("the second row on the HTTP channel, with a webhook", _in_another_conversation, "http")
CASES = (
    STANDARD,
    Case("the same, each one in another conversation", _in_another_conversation),
    Case("a text that leaves the state unchanged, with one reply", _command("echo")),
    Case(f"a text of {_LONG} characters, state unchanged, with a reply as long", _long_text),
    Case("a command with two replies, state unchanged", _command("two")),
    Case("a press of a button on a card, state unchanged", _press),
    Case("a reply of two calls: an image is uploaded first", _command("photo")),
    Case("a reply whose first call fails with HTTP 500", _command("echo"), fails=True, apart=10),
    PAID,
    DIALOGUE,
    ASKED,
    Case("the second row on WeCom", _in_another_conversation, "wecom"),
    Case("the second row on WeChat", _in_another_conversation, "wechat active"),
    Case("the second row on Discord", _in_another_conversation, "discord"),
    CHANNEL,
    MINUTES,
)
