"""Pairing: a stranger can use the bot after an administrator has given them a code.

An administrator writes `/pair` and gets a code. The stranger writes `/pair CODE` to the bot within an hour. A code
works once. The app's state holds hashes of the codes and the ids of the paired persons; it is read for each message of
a person who is not allowed otherwise.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from parley.bot.addressing import COMMAND as TYPED
from parley.bot.rules import HasRole, Rule, check_rule
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.bot.zones import day_of
from parley.model import Message, Reply, Text, digest
from parley.model.state import PAIRING, State
from parley.platforms import is_same_person
from parley.width import fold

if TYPE_CHECKING:
    from parley.bot.router import Router

COMMAND = "pair"
_KEY = PAIRING
"""Of the library's own part of a state. Of the app: `{"codes": {HASH: the unix second at which it expires}, "persons":
{ID: the unix second of the pairing}}`. Of a person: `{"day": ..., "told": true, "tries": 2}`.
"""
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No characters that look alike."""
_LENGTH = 8
_VALID_FOR = 3600
"""Seconds for which a code can be used."""
_MOST_TRIES = 5
"""Wrong codes of a person in a day."""
_MOST_CODES = 50
"""Codes that can be used at a time. A new one replaces the oldest."""
_MOST_PERSONS = 1000
"""Paired persons of an app. They are in one row with its state."""


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """Only administrators, persons for whom the rule `besides` holds, and paired persons can use the bot.

    Administrators give out codes with `/pair`, list the paired persons with `/paired`, and end a pairing with
    `/unpair ID`. A stranger who writes to the bot is told once a day to ask for a code.
    """

    besides: Rule | None = None

    def __post_init__(self) -> None:
        if self.besides is not None:
            check_rule(self.besides)

    def admits_at_once(self, turn: Turn, has_role: HasRole) -> bool:
        """Whether the sender may use the bot without being paired."""
        return has_role(turn.message, "admin") or (self.besides is not None and self.besides.holds(turn, has_role))

    def knows(self, turn: Turn, has_role: HasRole) -> bool:
        """Whether the sender may use the bot."""
        return self.admits_at_once(turn, has_role) or bool(_paired_as(turn, turn.message.sender.id))

    def refusal(self, turn: Turn, has_role: HasRole, texts: Texts) -> str | None:
        """None if the handlers may get the message; else the text for the stranger, which is empty if they were told
        today, or if the message needs no answer.
        """
        if _is_pair(turn.message) or self.knows(turn, has_role):
            return None
        if turn.message.kind == "event" or not turn.addressed:
            return ""
        own = _own(turn)
        told, own["told"] = own["told"], True
        return "" if told else texts.stranger

    def add_commands(self, router: "Router", has_role: HasRole, texts_of: Callable[[Message], Texts]) -> None:
        """Add the commands to `router`."""

        def pair(turn: Turn, code: str = "") -> Reply | str:
            texts = texts_of(turn.message)
            if not code and not has_role(turn.message, "admin"):
                return texts.not_admin
            if not code:
                # Other people in a room do not see it where the platform can show it to one person only.
                return Reply(segments=(Text(text=texts.new_code.format(code=_new_code(turn))),), private=True)
            return _paired(turn, code, texts)

        def paired(turn: Turn) -> str:
            return "\n".join(sorted(_persons(turn))) or texts_of(turn.message).nobody_paired

        def unpair(turn: Turn, person: str) -> str:
            texts = texts_of(turn.message)
            known = _paired_as(turn, person)
            if known:
                del _app(turn)["persons"][known]
            return texts.unpaired if known else texts.not_paired

        helps = {"zh": "为新用户配对，或输入配对码"}, {"zh": "列出已配对的用户"}, {"zh": "取消一位用户的配对"}
        router.command(COMMAND, tool=False, help="Let a new person use the bot, or enter a code", helps=helps[0])(pair)
        router.command("paired", tool=False, help="List the paired persons", admin=True, helps=helps[1])(paired)
        router.command("unpair", tool=False, help="End the pairing of a person", admin=True, helps=helps[2])(unpair)


def _app(turn: Turn) -> dict[str, dict[str, float]]:
    """The codes and the paired persons of the app, to change."""
    return turn.states["shared"].private.setdefault(_KEY, {"codes": {}, "persons": {}})


def _persons(turn: Turn) -> dict[str, float]:
    """The paired persons of the app, to read."""
    return turn.states["shared"].private.get(_KEY, {}).get("persons", {})


def _paired_as(turn: Turn, id_: str) -> str:
    """The id under which the person with the id `id_` is paired; empty if they are not."""
    return next((known for known in _persons(turn) if is_same_person(turn.message.platform, known, id_)), "")


def _own(turn: Turn) -> dict[str, Any]:
    """What the sender was told, and has tried, today."""
    private: State = turn.states["user"].private
    today = day_of(turn.now, "UTC").isoformat()
    if private.get(_KEY, {}).get("day") != today:
        private[_KEY] = {"day": today, "told": False, "tries": 0}
    return private[_KEY]


def _new_code(turn: Turn) -> str:
    """A new code. Only its hash is stored in the state."""
    import secrets  # noqa: PLC0415  # a bot without pairing does not pay for it

    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    codes = _app(turn)["codes"]
    valid = sorted((until, known) for known, until in codes.items() if until > turn.now)[1 - _MOST_CODES :]
    codes.clear()
    codes.update({known: until for until, known in valid} | {_hash(turn, code): turn.now + _VALID_FOR})
    return f"{code[:4]}-{code[4:]}"


def _paired(turn: Turn, code: str, texts: Texts) -> str:
    """The answer to a person who enters `code`. They are paired if it is valid."""
    if _paired_as(turn, turn.message.sender.id):
        return texts.paired
    own = _own(turn)
    if own["tries"] >= _MOST_TRIES:
        return texts.too_many_codes
    found = _known(turn, _hash(turn, code))
    if not found or len(_persons(turn)) >= _MOST_PERSONS:
        own["tries"] += 1
        return texts.wrong_code
    app = _app(turn)
    del app["codes"][found]
    app["persons"][turn.message.sender.id] = turn.now
    return texts.paired


def _known(turn: Turn, wanted: str) -> str:
    """The hash among the valid ones that equals `wanted`; empty if there is none."""
    from parley.crypto import constant_time_equals  # noqa: PLC0415  # as above

    codes: dict[str, float] = turn.states["shared"].private.get(_KEY, {}).get("codes", {})
    valid = (known for known, until in codes.items() if until > turn.now)
    return "".join(known for known in valid if constant_time_equals(known, wanted))


def _hash(turn: Turn, code: str) -> str:
    plain = "".join(each for each in code.upper() if each in _ALPHABET)
    return digest("pairing", turn.message.platform, turn.message.app, plain)


def _is_pair(message: Message) -> bool:
    """Whether the message is `/pair CODE`."""
    if message.command is not None:
        return message.command.name == COMMAND and bool(message.command.options.get("code"))
    typed = TYPED.fullmatch(message.content.text)
    words = typed[1].split() if typed else []
    return message.kind == "message" and len(words) == 2 and fold(words[0]) == COMMAND
