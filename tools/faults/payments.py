"""The oracle of calls outside: each payment and each call of a model is paid once, and the states count all of them."""

from collections import Counter
from collections.abc import Iterator, Mapping

from parley.journal.table import shared_pk, user_pk
from parley.model import Message
from tools.faults.access import states_of
from tools.faults.bot import STEPS, PayingBot, dialogue_tag, step_tag
from tools.faults.endings import Endings
from tools.faults.findings import Findings
from tools.faults.renderings import SUFFIXES
from tools.faults.simulation import Simulation
from tools.faults.tags import Origin

_PAYING = ("pay", "consult")
"""The commands that pay: a person calls the first one, and a model in the second one."""
_AFTER_ANSWER = ("answered", "approved", "entrusted")
"""What goes on in a dialogue, and pays."""


def check_payments(
    sim: Simulation,
    platform: str,
    accepted: Mapping[str, Message],
    origins: Mapping[str, Origin],
    endings: Endings,
    found: Findings,
) -> None:
    """Report calls outside that were made under two keys or never, and states of people and of the app that count
    another number of them. A dialogue that has ended may lack those after its press.
    """
    if not isinstance(sim.bot, PayingBot):
        return
    tags = [tag for command, tag in origins.values() if command in _PAYING]
    for tag in (*tags, *_in_dialogues(accepted, origins), *_in_minutes(origins)):
        _check_keys(f"{tag}: payments", len(set(sim.bot.payments.get(tag, ()))), 1 - endings.is_of(tag), 1, found)
    for tag, (least, most) in _model_calls(accepted, origins, endings).items():
        _check_keys(f"{tag}: calls of the model", len(sim.bot.model.paid.get(tag, ())), least, most, found)
    commands = Counter(command for command, _ in origins.values())
    for command in (*_AFTER_ANSWER, "numbered"):
        missing = len(endings.ended) if command in ("approved", "entrusted") else 0
        _check_counts(sim, command, user_pk(""), commands[command] - missing, commands[command], found)
    for kind in (user_pk(""), shared_pk(platform, "")):
        _check_counts(sim, "paid", kind, len(tags), len(tags), found)


def _check_keys(what: str, paid: int, least: int, most: int, found: Findings) -> None:
    if not least <= paid <= most:
        (found.duplicated if paid > most else found.lost).append(f"{what}: {paid} of {most}")


def _check_counts(sim: Simulation, name: str, kind: str, least: int, most: int, found: Findings) -> None:
    """Report it if the states of this kind count less or more in all."""
    count = sum(state.get(name, 0) for state in states_of(sim, kind))
    if not least <= count <= most:
        found.out_of_order.append(f"{kind}: {name} is {count} of {most}")


def _in_dialogues(accepted: Mapping[str, Message], origins: Mapping[str, Origin]) -> Iterator[str]:
    """The tags of the payments of dialogues: before their question, and after its answer."""
    for id_, (command, tag) in origins.items():
        if command in ("ask", "approve"):
            yield f"{dialogue_tag(accepted[id_])}-first"
        if command in _AFTER_ANSWER:
            yield f"{tag.removesuffix(SUFFIXES[command])}-second"


def _in_minutes(origins: Mapping[str, Origin]) -> Iterator[str]:
    """The tags of the payments of long runs."""
    for command, tag in origins.values():
        if command == "minutes":
            yield from (step_tag(tag, step) for step in range(STEPS))


def _model_calls(
    accepted: Mapping[str, Message], origins: Mapping[str, Origin], endings: Endings
) -> dict[str, tuple[int, int]]:
    """How often the model is called for each message, at least and at most: before its tool, and after it. A call that
    somebody declines has no second one.
    """
    went_on = {tag for command, tag in origins.values() if command == "entrusted"}
    calls = {tag: (2, 2) for command, tag in origins.values() if command == "consult"}
    for id_, (command, tag) in origins.items():
        if command == "entrust":
            after = f"{dialogue_tag(accepted[id_])}{SUFFIXES['entrusted']}"
            calls[tag] = (1 + (after in went_on and not endings.is_of(after)), 1 + (after in went_on))
    return calls
