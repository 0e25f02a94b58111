"""A process that dies at any step of a conversation with a model: it goes on, and nothing is paid twice."""

from collections import Counter
from typing import Any

import pytest

from parley.bot import Bot, Turn
from parley.bot.once import Results
from parley.engine.aws import dynamodb
from parley.journal.forget import Forget
from parley.model import message_key, plain_text
from parley.testing import Call, Chat, Scripted
from tests.factories import NOW, make_message
from tools.faults.processes import TABLE


class Killed(BaseException):
    """The process dies here."""


class World:
    """A bot, what outlives its processes, and what was paid: by idempotency key, and in all."""

    def __init__(self, dies_at: int, *, before: bool) -> None:
        self.message = make_message("m1", "buy two")
        self.stored = ""
        self.writes = 0
        self.dies_at = dies_at
        self.before = before
        self.calls = Counter[str]()
        self.payments = Counter[str]()
        self.states: list[Any] = []
        self.bot = self._bot()

    def _bot(self) -> Bot:
        bot = Bot()

        @bot.command()
        def buy(turn: Turn, what: str) -> str:
            number = turn.once("pay", self._pay)
            turn.state[what] = number
            return f"bought {what}"

        @bot.converse(model=lambda: pytest.fail("the test has a model"))
        def assistant(_turn: Turn) -> str:
            return ""

        return bot

    def _pay(self, key: str) -> int:
        self.payments[key] += 1
        return 5

    def answer(self, prompt: Any) -> Any:
        """The model: it buys tea twice, then milk, and then says what the commands returned."""
        self.calls[prompt.key] += 1
        results = [said.text for said in prompt.messages if said.role == "tool"]
        match len(results):
            case 0:
                return [Call("buy", what="tea"), Call("buy", what="tea")]
            case 2:
                return Call("buy", what="milk")
            case _:
                return ", ".join(results)

    def store(self, results: str) -> None:
        """Record results, and die at the chosen write: before it, or after it."""
        self.writes += 1
        dies = self.writes == self.dies_at
        if dies and self.before:
            raise Killed
        self.stored = results
        if dies:
            raise Killed

    def run(self) -> str:
        """The text of the answer of a new process."""
        turn = Turn(self.message, state={}, user={}, shared={}, now=NOW)
        turn.results = Results(message_key(self.message), self.stored, self.store)
        turn.model = Scripted([self.answer])
        (reply,) = self.bot.handle(turn)
        self.states.append(turn.state)
        return plain_text(reply.segments)


WRITES = 9
"""Three answers of the model, three payments, three results of commands."""


@pytest.mark.parametrize("dies_at", range(1, WRITES + 1))
@pytest.mark.parametrize("before", [True, False])
def test_a_crash_at_any_step_pays_nothing_twice(dies_at: int, *, before: bool) -> None:
    world = World(dies_at, before=before)
    with pytest.raises(Killed):
        world.run()
    assert world.run() == "bought tea, bought tea, bought milk"
    assert world.states == [{"tea": 5, "milk": 5}]
    assert (len(world.calls), len(world.payments)) == (3, 3)
    # A call whose record got lost is made again, with the same key: the service pays it once.
    assert sum(world.calls.values()) + sum(world.payments.values()) <= 6 + before


def test_all_steps_are_covered_and_a_step_makes_one_write() -> None:
    world = World(0, before=False)
    world.run()
    assert world.writes == WRITES


def test_a_forgotten_person_is_in_no_talk() -> None:
    bot = Bot()

    @bot.converse(model=lambda: pytest.fail("the test has a model"))
    def assistant(_turn: Turn) -> str:
        return ""

    chat = Chat(bot, model=Scripted([lambda _: "Hello."]))
    chat.say("private words", by="ann")
    room = chat.room("team")
    room.say("room words", by="ann")
    person = room.received.sender.id
    rows = chat._world.aws.dynamodb.items
    with chat._world.active():
        Forget(dynamodb(), TABLE, lambda: chat.now, lambda _seconds: None)("feishu", "demo", person)
    talks = [row["memory"]["S"] for pk, row in rows.items() if pk.startswith("talk#")]
    assert talks == ["{}", "{}"]
