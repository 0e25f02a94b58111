"""A conversation that fails or waits does not delay any other conversation."""

from random import Random
from statistics import median

from parley.adapter import Bucket
from parley.bot import Bot, Turn
from playground.platforms.base import NewMessage
from tools.faults.bot import make_bot
from tools.faults.policies import FaultPlan
from tools.faults.scheduler import START
from tools.faults.simulation import Simulation
from tools.faults.targets import APP, titled

FEISHU = titled("feishu")

CONVERSATIONS = 50


def reply_times(
    bot: Bot, poisoned: str = "", *, seed: int = 7, until: float = 600
) -> tuple[dict[str, list[float]], Simulation]:
    """The times of the replies in each conversation, in seconds from the start. One of them begins with `poisoned`."""
    sim = Simulation((FEISHU,), FaultPlan(), bot, Random(seed))
    platform = sim.platforms["feishu"]
    if poisoned:
        platform.send_message(APP, "private", "person-0", NewMessage(text=poisoned))
    for number in range(CONVERSATIONS):
        for at in range(3):
            platform.send_message(APP, "private", f"person-{number}", NewMessage(text=f"/count c{number}m{at}"))
    sim.settle(until=START + until)
    answered: dict[str, list[float]] = {}
    for message in platform.messages.values():
        if message.sender_kind == "bot":
            answered.setdefault(platform.rooms[message.room].members[0], []).append(message.at - START)
    return answered, sim


def bot_with_poison() -> Bot:
    bot = make_bot()
    bot.apology = ""

    @bot.command()
    def poison(turn: Turn) -> str:
        raise ValueError(turn.text)

    return bot


def last_of_others(poisoned: str, seed: int) -> float:
    """The time of the last reply to anybody but the person with the poison."""
    times, _ = reply_times(bot_with_poison(), poisoned, seed=seed)
    return max(max(times[f"person-{number}"]) for number in range(1, CONVERSATIONS))


def test_one_poisoned_conversation_of_fifty_delays_none_of_the_others() -> None:
    # With another message in the queue, SQS hands out the groups in another order, and the rate limits are drawn in
    # another one: the last reply of a run is up to a second earlier or later. A conversation that waited for an attempt
    # at the poison would be seconds late in every run.
    usual, last = (median(last_of_others(poisoned, seed) for seed in range(5)) for poisoned in ("", "/poison"))
    assert last <= usual + 0.25
    answered, sim = reply_times(bot_with_poison(), "/poison")
    # The messages after the poison are handled in order, once it is in the dead-letter queue.
    assert len(sim.dead["inbound"]) == 1
    assert len(answered["person-0"]) == 3
    assert answered["person-0"][0] > 25


def test_a_reply_that_has_to_wait_delays_no_other_conversation() -> None:
    """Its chat is over its rate limit for ten minutes."""
    sim = Simulation((FEISHU,), FaultPlan(), make_bot(), Random(7))
    platform = sim.platforms["feishu"]
    platform.send_message(APP, "private", "person-0", NewMessage(text="/count first"))
    sim.settle()
    [room] = {message.room for message in platform.messages.values()}
    sim.processes.current.rate_limiter.pause(Bucket(f"feishu#chat#{room}", 5, 1), sim.clock() + 600)
    for number in range(CONVERSATIONS):
        platform.send_message(APP, "private", f"person-{number}", NewMessage(text=f"/count m{number}"))
    started = sim.clock()
    sim.settle()
    late = {
        message.room: message.at - started for message in platform.messages.values() if message.sender_kind == "bot"
    }
    assert late.pop(room) >= 599
    assert len(late) == CONVERSATIONS - 1
    assert max(late.values()) < 10
