"""The bot under test. Every part of its replies, also each part of a long text and each picture, carries the tag of the
message it answers and the reply's ordinal. So the oracle can tell at the platform which replies are there, how often,
and in which order.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from parley.bot import Approve, Ask, Bot, Pairing, Quotas, Script, Texts, Turn
from parley.bot.rules import rule
from parley.model import Button, Card, Destination, Image, Message, Reply, Text, message_key, reply_id
from parley.model.instant import Form, Input
from parley.platforms import answers_only
from playground.sample_image import png
from tools.faults.model import PaidModel

LATE_APP = "late"
"""An app whose configuration is stored only after the first replies for it."""
HOOK = "alerts"
"""The name of a webhook."""
NEVER = "-never"
"""The end of the text of a reminder that is cancelled."""
PAIRED, REFUSED = "paired", "refused"
"""The answers to a code that is valid, and to one that has been used."""
IDLE = "Nothing runs."
"""The answer to `/stop` if there was nothing to stop."""
ENDED, UNDELIVERED = "ended", "undelivered"
"""The ends of what a person reads if a dialogue cannot go on, and if the card of an approval is not delivered."""
UNSHOWN = "Unseen?"
"""The question whose card is not delivered."""
QUOTAS = Quotas(person_a_day=1_000_000, room_a_day=1_000_000, person_tokens_a_day=1_000_000)
"""Limits that nobody reaches. `Simulation.bot.quotas` is them where messages and tokens have to be counted."""

STEPS = 3
"""The calls outside of `/minutes`."""
_WORDS = 6
_STEP = 40.0
"""Seconds of work after each of them."""
_PATIENCE = timedelta(days=60)
"""The time for an answer. It is longer than a simulation lasts: no question is asked again."""
_SOON = timedelta(minutes=1)
"""The time of a reminder that comes once."""
_PICTURE = png(8, 8)
_NOWHERE = "999999999999999999"
"""The id of a room or person that no platform has."""


def tag(message: str, ordinal: int) -> str:
    """The tag in reply number `ordinal` to the message with the tag `message`."""
    return f"«{message}.{ordinal}»"


@dataclass(slots=True)
class PayingBot(Bot):
    """The bot under test, with an outside service that it calls, and a program that sends first."""

    payments: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The idempotency keys of the payments that the service got, by the tag of the message."""

    asked: dict[str, Destination] = field(default_factory=dict[str, Destination])
    """The conversations to which a program has to send something, by the tag of the message that has asked for it."""

    noted: dict[str, Destination] = field(default_factory=dict[str, Destination])
    """The conversations in which the next version of the bot says something, by the tag of the message that has asked
    for it."""

    code: str = ""
    """The last pairing code."""

    work: Callable[[float], None] = lambda _seconds: None
    """Lets a handler work for some virtual seconds. The simulation sets it."""

    model: PaidModel = field(default_factory=PaidModel)
    """The language model that the bot asks."""

    def pay(self, mark: str, key: str) -> int:
        """Take a payment for the message with the tag `mark`. Returns its number, without those that came again."""
        keys = self.payments.setdefault(mark, [])
        keys.append(key)
        return len(set(keys))

    def schedule(self, mark: str, at: float) -> None:
        """Say something at the unix second `at`, a full minute, in the conversation of the message with that tag."""

        def say() -> str:
            return f"said {tag(f'{mark}-scheduled', 0)}"

        say.__qualname__ = mark  # two schedules for the same minute differ
        when = datetime.fromtimestamp(at, UTC)
        self.scheduled(f"{when:%M %H %d %m} *", to=self.noted[mark])(say)

    @property
    def marks(self) -> dict[str, str]:
        """The tags of the messages that have asked for a schedule, by the id of the schedule."""
        return {id_: schedule.entry.handler.__qualname__ for id_, schedule in self._schedules.items()}


def make_bot() -> PayingBot:
    """A bot with one command for each kind of reply."""
    # One language, so that the oracle knows what the library says.
    texts = Texts(
        new_code="{code}", paired=PAIRED, wrong_code=REFUSED, failed=ENDED, not_delivered=UNDELIVERED, decided=""
    )
    # All are administrators, so that pairing refuses nobody.
    bot = PayingBot(texts=dict.fromkeys(("en", "zh", ""), texts), pairing=Pairing(), is_admin=lambda _message: True)
    bot.apology = ""  # it carries no tag, so the oracle could not attribute it
    _add_texts(bot)
    _add_segments(bot)
    _add_other_destinations(bot)
    _add_states(bot)
    _add_minutes(bot)
    _add_reminders(bot)
    _add_dialogues(bot)
    _add_endings(bot)
    _add_sending(bot)
    _add_schedules(bot)
    _add_access(bot)
    _add_numbers(bot)
    _add_agents(bot)
    return bot


def _add_texts(bot: Bot) -> None:
    @bot.command()
    def count(turn: Turn, mark: str) -> str:
        turn.state["count"] = turn.state.get("count", 0) + 1
        return f"{turn.state['count']} {tag(mark, 0)}"

    @bot.command()
    def two(mark: str) -> list[str]:
        return [f"one {tag(mark, 0)}", f"two {tag(mark, 1)}"]

    @bot.command()
    def long(mark: str, words: int) -> str:
        """Several messages at the platform, each with the next part of the text."""
        return " ".join(f"w{number} {tag(mark, 0)}" for number in range(words))

    @bot.command()
    def react(turn: Turn, mark: str) -> None:
        """A text, and a reaction to it."""
        turn.react("👍", turn.say(f"react {tag(mark, 0)}"))

    @bot.fallback
    def echo(turn: Turn) -> str:
        """One line for each text, in one message."""
        return "\n".join(f"received {tag(line.strip(), 0)}" for line in turn.text.strip().splitlines())


def _add_segments(bot: Bot) -> None:
    @bot.command()
    def card(mark: str) -> Card:
        return Card(title=tag(mark, 0), text="Press it.", buttons=(Button(id="press", label="Press", value=mark),))

    @bot.action("press")
    def pressed(turn: Turn) -> str:
        value = turn.message.action.value if turn.message.action else ""
        return f"pressed {tag(f'{value}-pressed', 0)}"

    @bot.command()
    def photo(mark: str) -> Reply:
        picture = _PICTURE + tag(mark, 0).encode()
        return Reply(segments=(Text(text=tag(mark, 0)), Image(data=_base64(picture), name="picture.png")))

    @bot.command()
    def refused(mark: str) -> Image:
        """An image that does not belong to the app. The platform rejects it, and the fallback is its name as text."""
        return Image(key="img_of_somebody_else", name=tag(mark, 0))


def _add_other_destinations(bot: Bot) -> None:
    @bot.command()
    def late(turn: Turn, mark: str) -> Reply:
        to = Destination.answering(turn.message)
        person = "" if to.room_id else to.user_id
        place = Destination(platform=to.platform, app=LATE_APP, tenant=to.tenant, room_id=to.room_id, user_id=person)
        return Reply(segments=(Text(text=tag(mark, 0)),), to=place)

    @bot.command()
    def push(turn: Turn, mark: str) -> Reply:
        """To a webhook, where no idempotency key covers a retry."""
        to = Destination(platform=turn.message.platform, app=turn.message.app, webhook=HOOK)
        return Reply(segments=(Text(text=tag(mark, 0)),), to=to)


def _add_states(bot: PayingBot) -> None:
    @bot.command()
    def pay(turn: Turn, mark: str) -> str:
        """A call outside, and states that other conversations change at the same time."""
        number = turn.once("pay", lambda key: bot.pay(mark, key))
        for state in (turn.user, turn.shared):
            state["paid"] = state.get("paid", 0) + 1
        return f"paid, {number}. time {tag(mark, 0)}"


def _add_minutes(bot: PayingBot) -> None:
    @bot.command()
    def minutes(turn: Turn, mark: str) -> str:
        """Calls outside, with minutes of work between them. `Simulation(bot_seconds=300)` gives the time."""
        for step in range(STEPS):
            turn.once(f"step {step}", lambda key, step=step: bot.pay(step_tag(mark, step), key))
            bot.work(_STEP)
        return f"worked {tag(mark, 0)}"

    @bot.command()
    def stop() -> str:
        return IDLE

    @bot.command()
    def grow(turn: Turn, mark: str) -> str:
        """An answer that people see while it grows, where the platform can show that."""
        for words in range(1, _WORDS):
            turn.partial(f"{'word ' * words}{tag(mark, 0)}")
            bot.work(1)
        return f"grown {tag(mark, 0)}"


def step_tag(mark: str, step: int) -> str:
    """The tag of the payment in a step of `/minutes`."""
    return f"{mark}-step-{step}"


def _add_reminders(bot: Bot) -> None:
    @bot.command()
    def remind(turn: Turn, mark: str) -> str:
        """The first one would come each minute, but is said once: it cancels itself, and the second one, too. It comes
        once where a bot cannot write first.
        """
        once = answers_only(turn.message.platform)
        turn.remind(mark, cron="" if once else "* * * * *", after=_SOON if once else None, handler="told")
        never = turn.remind(mark + NEVER, after=timedelta(seconds=1), handler="told")
        turn.change(never.id, after=timedelta(minutes=5))
        return f"planned {tag(mark, 0)}"

    @bot.reminder("told")
    def told(turn: Turn) -> str:
        for each in turn.reminders:
            if each.text in (turn.text, turn.text + NEVER):
                turn.cancel(each.id)
        return f"reminded {tag(f'{turn.text}-reminded', 0)}"


def dialogue_tag(message: Message) -> str:
    """The tag of the dialogue that `message` has begun: a press under its question has nothing else of it."""
    return reply_id(message_key(message), "dialogue")[:8]


def _add_dialogues(bot: PayingBot) -> None:
    @bot.command()
    def ask(turn: Turn, mark: str) -> Script:
        """A call outside before the question, and one after it. Each is made once."""
        about = dialogue_tag(turn.message)
        turn.once("first", lambda key: bot.pay(f"{about}-first", key))
        yield Ask(f"Go? {tag(mark, 0)}", choices=("go",), timeout=_PATIENCE)
        turn.once("second", lambda key: bot.pay(f"{about}-second", key))
        turn.user["answered"] = turn.user.get("answered", 0) + 1
        return f"answered {tag(f'{about}-answered', 0)}"

    @bot.command()
    def approve(turn: Turn, mark: str) -> Script:
        """Somebody presses one of the buttons. The card is closed, in place or with a new message."""
        about = dialogue_tag(turn.message)
        turn.once("first", lambda key: bot.pay(f"{about}-first", key))
        yield Approve(f"Go? {tag(mark, 0)} ‹{about}›", key="go", timeout=_PATIENCE)
        turn.once("second", lambda key: bot.pay(f"{about}-second", key))
        turn.user["approved"] = turn.user.get("approved", 0) + 1
        return f"decided {tag(f'{about}-approved', 1)}"


def _add_endings(bot: PayingBot) -> None:
    @bot.command("break")
    def broken(turn: Turn, mark: str) -> Script:
        """Somebody presses a button, and the handler fails each time."""
        yield Approve(f"Go? {tag(mark, 0)} ‹{dialogue_tag(turn.message)}›", key="go", timeout=_PATIENCE)
        raise OSError

    @bot.command()
    def unshown(turn: Turn, mark: str) -> Script:
        """The platform refuses the card in the other room, so nobody can decide."""
        here = Destination.answering(turn.message)
        room, person = (_NOWHERE, "") if here.room_id else ("", _NOWHERE)
        there = Destination(platform=here.platform, app=here.app, tenant=here.tenant, room_id=room, user_id=person)
        question = f"{UNSHOWN} {tag(mark, 0)} ‹{dialogue_tag(turn.message)}›"
        yield Approve(question, key="go", room=there, timeout=_PATIENCE)


def _add_sending(bot: PayingBot) -> None:
    @bot.command()
    def notify(turn: Turn, mark: str) -> str:
        """A program sends something to this conversation (`tools.faults.requested`)."""
        bot.asked.setdefault(mark, Destination.answering(turn.message))
        return f"asked {tag(mark, 0)}"


def _add_schedules(bot: PayingBot) -> None:
    @bot.command()
    def schedule(turn: Turn, mark: str) -> str:
        """The next version of the bot has a schedule for this conversation (`tools.faults.requested`)."""
        to = Destination.answering(turn.message)
        person = "" if to.room_id else to.user_id
        place = Destination(platform=to.platform, app=to.app, tenant=to.tenant, room_id=to.room_id, user_id=person)
        bot.noted.setdefault(mark, place)
        return f"noted {tag(mark, 0)}"


def _add_access(bot: PayingBot) -> None:
    pair: Any = bot.commands["pair"].handler

    @bot.command()
    def limited(mark: str) -> str:
        """Counted by `QUOTAS`, if the bot has them."""
        return f"limited {tag(mark, 0)}"

    @bot.command()
    def invite(turn: Turn, mark: str) -> str:
        """A pairing code, for everybody who sends `/redeem`."""
        [bot.code] = [segment.text for segment in pair(turn).segments]
        return f"invited {tag(mark, 0)}"

    @bot.command()
    def redeem(turn: Turn, mark: str) -> str:
        """Whether the person is paired."""
        return f"{pair(turn, bot.code)} {tag(mark, 0)}"


def _add_numbers(bot: Bot) -> None:
    @bot.command()
    def form(mark: str) -> Card:
        """A form as a numbered line, where the platform has none. A person sends the number and the input."""
        return Card(title=tag(mark, 0), form=Form(id="fill", title="Fill in", inputs=(Input(id="mark", label="Mark"),)))

    @bot.action("fill")
    def filled(turn: Turn) -> str:
        mark = turn.message.action.form["mark"] if turn.message.action else ""
        turn.user["numbered"] = turn.user.get("numbered", 0) + 1
        return f"filled {tag(mark, 0)}"


def _add_agents(bot: PayingBot) -> None:
    """Commands that a language model answers, with another command as its tool."""
    # Only commands reach the model. The fallback gets other texts.
    settings: Any = {
        "model": lambda: bot.model,
        "fallback": lambda: bot.model,
        "history": 400,
        "when": rule(_is_command),
    }

    @bot.converse(**settings, tools=("pay",), command="consult")
    def consult(_turn: Turn) -> str:
        """The model pays, and then answers."""
        return ""

    @bot.converse(**settings, tools=("transfer",), command="entrust")
    def entrust(turn: Turn) -> str:
        """The model transfers after an approval, and then answers."""
        return f"{tag(turn.text.strip(), 0)} ‹{dialogue_tag(turn.message)}›"

    @bot.command(tool=Approve("Transfer?", timeout=_PATIENCE))
    def transfer(turn: Turn, about: str) -> str:
        """`about`: the tag of the message, and the one of the dialogue. The question shows them."""
        dialogue = about.partition("‹")[2].rstrip("›")
        turn.once("second", lambda key: bot.pay(f"{dialogue}-second", key))
        turn.user["entrusted"] = turn.user.get("entrusted", 0) + 1
        return f"transferred {tag(f'{dialogue}-approved', 1)}"


def _is_command(message: Message) -> bool:
    return message.command is not None or message.content.text.startswith("/")


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
