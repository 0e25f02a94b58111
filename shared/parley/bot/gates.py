"""Who may use the bot, before its handlers run: pairing, then quotas."""

from parley.bot.addressing import COMMAND as TYPED
from parley.bot.approvals import PRESSED
from parley.bot.pairing import COMMAND, Pairing
from parley.bot.quotas import Quotas
from parley.bot.rules import HasRole
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.model import Message


def check(pairing: object, quotas: object) -> None:
    """Raise TypeError for arguments of `Bot` of another type."""
    if pairing is not None and not isinstance(pairing, Pairing):
        raise TypeError(f"pairing={pairing!r}: write pairing=Pairing()")
    if quotas is not None and not isinstance(quotas, Quotas):
        raise TypeError(f"quotas={quotas!r}: write quotas=Quotas(person_a_day=100)")


def refusal(pairing: Pairing | None, quotas: Quotas | None, turn: Turn, has_role: HasRole, texts: Texts) -> str | None:
    """None if the handlers may get the message; else the text for the person, which may be empty."""
    message = turn.message
    if message.sender.kind != "user" or message.event == PRESSED:
        return None  # the press itself has passed, in its own room
    if pairing is not None:
        refused = pairing.refusal(turn, has_role, texts, is_pair=_is_pair(message))
        if refused is not None:
            return refused
    counts = quotas is not None and message.kind != "event" and turn.addressed
    return quotas.refusal(turn, texts) if quotas is not None and counts else None


def _is_pair(message: Message) -> bool:
    """Whether the message is `/pair CODE`."""
    if message.command is not None:
        return message.command.name == COMMAND and bool(message.command.options.get("code"))
    typed = TYPED.fullmatch(message.content.text)
    words = typed[1].split() if typed else []
    return message.kind == "message" and len(words) == 2 and words[0] == COMMAND
