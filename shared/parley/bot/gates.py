"""Who may use the bot, before its handlers run: pairing, then quotas. Also the numbers among the bot's arguments."""

from typing import TYPE_CHECKING, cast

from parley.bot.rules import HasRole
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.model.agenda import LOGIN, PRESSED, is_decision

if TYPE_CHECKING:
    from parley.bot import Pairing, Quotas

MOST_HEARD = 50
"""Messages of a room that a bot can hear at most."""


LONGEST_MERGE = 10
"""Seconds for which a text can wait for the next one at most."""


def check(pairing: object, quotas: object, hear: object, merge: object) -> None:
    """Raise TypeError for arguments of `Bot` of another type, and ValueError for a wrong number."""
    if type(merge) not in (int, float) or not 0 <= cast("float", merge) <= LONGEST_MERGE:
        raise ValueError(f"merge={merge!r}: write seconds from 0 to {LONGEST_MERGE}, such as merge=1.5")
    if type(hear) is not int or not 0 <= hear <= MOST_HEARD:
        raise ValueError(f"hear={hear!r}: write a whole number from 0 to {MOST_HEARD}")
    if pairing is None and quotas is None:
        return
    from parley.bot import Pairing, Quotas  # noqa: PLC0415  # most bots have neither

    if not isinstance(pairing, Pairing | None):
        raise TypeError(f"pairing={pairing!r}: write pairing=Pairing()")
    if not isinstance(quotas, Quotas | None):
        raise TypeError(f"quotas={quotas!r}: write quotas=Quotas(person_a_day=100)")


def refusal(
    pairing: "Pairing | None", quotas: "Quotas | None", turn: Turn, has_role: HasRole, texts: Texts
) -> str | None:
    """None if the handlers may get the message; else the text for the person, which may be empty."""
    message = turn.message
    if message.sender.kind != "user" or message.event in (PRESSED, LOGIN):
        return None  # the press itself has passed, in its own room
    if pairing is not None and not is_decision(message):  # the approval says who decides (`Bot._holds`)
        refused = pairing.refusal(turn, has_role, texts)
        if refused is not None:
            return refused
    counts = quotas is not None and message.kind != "event" and turn.addressed
    return quotas.refusal(turn, texts) if quotas is not None and counts else None
