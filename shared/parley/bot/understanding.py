"""Which intents of the bot a text has, and what follows: the handler, or the question which one is meant."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from types import GeneratorType
from typing import Any, cast
from zoneinfo import ZoneInfo

from parley.bot.coroutines import finished
from parley.bot.dialogues import Script
from parley.bot.handlers import Entry, IntentHandler
from parley.bot.questions import Ask
from parley.bot.slots import slots_in
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.intents.features import is_chinese
from parley.intents.matcher import Matcher, meant
from parley.model import Message

Arguments = dict[str, Any]


@dataclass(eq=False)
class Understanding:
    """The intents of a bot, by name. `texts` are the bot's for a message; `runs` says whether a rule holds."""

    handlers: Mapping[str, IntentHandler]
    texts: Callable[[Message], Texts]
    runs: Callable[[Entry, Turn], bool]

    @cached_property
    def choice(self) -> Entry:
        """The handler that asks which intent is meant."""
        return Entry.of(self.choose, None)

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher({name: handler.examples for name, handler in self.handlers.items()})

    def matching(self, turn: Turn) -> Iterator[tuple[Entry, Arguments]]:
        """The handler for the text of the message, with its arguments. There is none if the text fits no intent."""
        names = self._meant(turn, turn.text)
        if len(names) == 1:
            handler = self.handlers[names[0]]
            yield handler, self._slots(handler, turn, turn.text)
        elif names:
            yield self.choice, {"names": " ".join(names), "text": turn.text}

    def answer(self, turn: Turn, text: str) -> Any:
        """What the handler for `text` returns, or the question which one is meant; None if the text fits no intent."""
        names = self._meant(turn, text)
        if len(names) > 1:
            return self.choose(turn, " ".join(names), text)
        return self._run(self.handlers[names[0]], self._filled(names[0], turn, text)) if names else None

    def choose(self, turn: Turn, names: str, text: str) -> Script:
        """Ask which one of the intents `names` is meant by `text`, and run its handler."""
        texts, locale = self.texts(turn.message), turn.message.context.locale
        known = [name for name in names.split() if name in self.handlers]
        # Dates and persons are those of the text, not of the answer.
        filled = {name: self._filled(name, turn, text) for name in known}
        labels = {_label(self.handlers[name], locale): name for name in known}
        chosen = yield Ask(texts.did_you_mean, choices=(*labels, texts.none_of_these))
        if chosen not in labels:
            return texts.say_otherwise
        name = labels[chosen]
        result = self._run(self.handlers[name], filled[name])
        if isinstance(result, GeneratorType):
            return (yield from cast("Script", result))
        return result

    def _meant(self, turn: Turn, text: str) -> list[str]:
        """The intents of `text`, without those whose rules do not hold."""
        ranked = self._matcher.ranked(text)
        return meant([each for each in ranked if self.runs(self.handlers[each.name], turn)])

    def _slots(self, handler: IntentHandler, turn: Turn, text: str) -> Arguments:
        return slots_in(handler.signature.parameters, text, _today(turn.now, handler.zone))

    def _filled(self, name: str, turn: Turn, text: str) -> Arguments:
        handler = self.handlers[name]
        return handler.signature.fill(turn, self._slots(handler, turn, text), self.texts(turn.message))

    @staticmethod
    def _run(handler: IntentHandler, arguments: Arguments) -> Any:
        return finished(handler.handler(**arguments))


def _today(now: float, zone: str) -> date:
    return datetime.fromtimestamp(now, ZoneInfo(zone)).date()


def _label(handler: IntentHandler, locale: str) -> str:
    """The intent as people see it: its label, or the first example, in the language of `locale` if there is one."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    if handler.labels:
        return handler.labels.get(language) or next(iter(handler.labels.values()))
    fitting = (each for each in handler.examples if is_chinese(each) == (language == "zh"))
    return next(fitting, handler.examples[0])
