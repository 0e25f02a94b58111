"""A conversation that fails or waits is parked alone: the others see nothing of it."""

from random import Random

from parley.adapter import Bucket
from parley.bot import Bot, Turn
from playground.platforms.base import NewMessage
from tools.faults.bot import make_bot
from tools.faults.scheduler import START
from tools.faults.subjects import APP, SUBJECTS
from tools.faults.trouble import Plan
from tools.faults.world import World

CONVERSATIONS = 50


def times(bot: Bot, poisoned: str = "", *, until: float = 600) -> tuple[dict[str, list[float]], World]:
    """When each conversation was answered, in seconds from the start, with `poisoned` said first in one of them."""
    world = World(SUBJECTS[:1], Plan(), bot, Random(7))
    platform = world.platforms["feishu"]
    if poisoned:
        platform.send_message(APP, "private", "person-0", NewMessage(text=poisoned))
    for number in range(CONVERSATIONS):
        for at in range(3):
            platform.send_message(APP, "private", f"person-{number}", NewMessage(text=f"/count c{number}m{at}"))
    world.settle(until=START + until)
    answered: dict[str, list[float]] = {}
    for message in platform.messages.values():
        if message.sender_kind == "bot":
            answered.setdefault(platform.rooms[message.room].members[0], []).append(message.at - START)
    return answered, world


def poisonous() -> Bot:
    bot = make_bot()
    bot.apology = ""

    @bot.command()
    def poison(turn: Turn) -> str:
        raise ValueError(turn.text)

    return bot


def test_one_poisoned_conversation_of_fifty_delays_none_of_the_others() -> None:
    healthy, _ = times(poisonous())
    answered, world = times(poisonous(), "/poison")
    others = [f"person-{number}" for number in range(1, CONVERSATIONS)]
    assert max(max(answered[person]) for person in others) <= max(max(healthy[person]) for person in others)
    # and what stood behind the poison is answered, in order, once that is parked
    assert len(world.dead["inbound"]) == 1
    assert len(answered["person-0"]) == 3
    assert answered["person-0"][0] > 25


def test_a_reply_that_cannot_go_out_waits_alone() -> None:
    """Its chat is over its limit for ten minutes."""
    world = World(SUBJECTS[:1], Plan(), make_bot(), Random(7))
    platform = world.platforms["feishu"]
    platform.send_message(APP, "private", "person-0", NewMessage(text="/count first"))
    world.settle()
    [room] = {message.room for message in platform.messages.values()}
    world.processes.current.rate_limiter.pause(Bucket(f"feishu#chat#{room}", 5, 1), world.clock() + 600)
    for number in range(CONVERSATIONS):
        platform.send_message(APP, "private", f"person-{number}", NewMessage(text=f"/count m{number}"))
    started = world.clock()
    world.settle()
    late = {
        message.room: message.at - started for message in platform.messages.values() if message.sender_kind == "bot"
    }
    assert late.pop(room) >= 599
    assert len(late) == CONVERSATIONS - 1
    assert max(late.values()) < 10
