"""Quotas: how many messages a person and a room may send to the bot in a day, and how many tokens of language models
they may use.

They are counted in the states of the person and of the conversation. A decision stores these in its transaction, so a
message that comes again counts once.
"""

from typing import Any

import msgspec

from parley.bot.texts import ENGLISH, Texts
from parley.bot.turn import Turn
from parley.bot.zones import day_of
from parley.model import is_direct
from parley.model.agenda import is_decision
from parley.model.state import Scope, State

_KEY = "quota"
"""Of the count in the library's own part of a state:
`{"day": "2026-11-30", "messages": 3, "tokens": 900, "told": true}`."""


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """The most messages in a day, from midnight to midnight in the time zone `zone`. 0 stands for no limit.

    `person_a_day`: of a person, in all rooms of an app. `room_a_day`: of all persons in a room; direct chats have no
    such limit. What is for the bot counts: messages, commands and presses. Who has reached a limit is told once a day.

    `person_tokens_a_day`, `room_tokens_a_day`: the same for the tokens of `Bot.converse`, sent and received. A model is
    not called once the limit is reached, so the last call can exceed it.
    """

    person_a_day: int = 0
    room_a_day: int = 0
    person_tokens_a_day: int = 0
    room_tokens_a_day: int = 0
    zone: str = "UTC"

    def __post_init__(self) -> None:
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__struct_fields__ if name != "zone"}
        for name, value in values.items():
            if type(value) is not int or value < 0:
                raise ValueError(f"{name} is {value!r}: write a whole number, such as {name}=100")
        if not any(values.values()):
            raise ValueError("Quotas without a limit: write Quotas(person_a_day=100) or Quotas(room_a_day=1000)")
        day_of(0, self.zone)

    def refusal(self, turn: Turn, texts: Texts) -> str | None:
        """Count the message of `turn`; None if the handlers may get it. Else the text for the person, which is empty
        if they were told today. A press under an approval counts, and is never refused: somebody waits for it.
        """
        today = day_of(turn.now, self.zone).isoformat()
        limits = self._limits(turn, texts)
        counts = [_today(turn.states[scope].private, today) for scope, _, _ in limits]
        for count, (_, limit, text) in zip(counts, limits, strict=True):
            if count["messages"] >= limit and not is_decision(turn.message):
                told, count["told"] = count.get("told", False), True
                return "" if told else text.format(limit=limit)
        for count in counts:
            count["messages"] += 1
        return None

    def tokens_refusal(self, turn: Turn, texts: Texts) -> str | None:
        """None if a model may be called for the message; else the text for the person."""
        today = day_of(turn.now, self.zone).isoformat()
        for scope, limit, text in self._token_limits(turn, texts):
            if _today(turn.states[scope].private, today).get("tokens", 0) >= limit:
                return text.format(limit=limit)
        return None

    def spend(self, turn: Turn, tokens: int) -> None:
        """Count `tokens` of a model for the message."""
        today = day_of(turn.now, self.zone).isoformat()
        for scope, _, _ in self._token_limits(turn, ENGLISH):
            count = _today(turn.states[scope].private, today)
            count["tokens"] = count.get("tokens", 0) + tokens

    def _token_limits(self, turn: Turn, texts: Texts) -> list[tuple[Scope, int, str]]:
        """As `_limits`, for tokens."""
        return self._kept(
            turn,
            ("user", self.person_tokens_a_day, texts.person_tokens),
            ("state", self.room_tokens_a_day, texts.room_tokens),
        )

    def _limits(self, turn: Turn, texts: Texts) -> list[tuple[Scope, int, str]]:
        """The limits that hold for the message: the state that has the count, the limit, and the text beyond it."""
        return self._kept(
            turn, ("user", self.person_a_day, texts.person_quota), ("state", self.room_a_day, texts.room_quota)
        )

    @staticmethod
    def _kept(turn: Turn, *limits: tuple[Scope, int, str]) -> list[tuple[Scope, int, str]]:
        """The limits that are set. Direct chats have none of a room."""
        return [each for each in limits if each[1] and (each[0] == "user" or not is_direct(turn.message))]


def _today(private: State, today: str) -> dict[str, Any]:
    """The count of today in the library's part of a state."""
    if private.get(_KEY, {}).get("day") != today:
        private[_KEY] = {"day": today, "messages": 0}
    return private[_KEY]
