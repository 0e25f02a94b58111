"""Which intents of the bot a text has, and what follows: the handler, or the question which one is meant."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from types import GeneratorType
from typing import Any, cast

from parley.bot import runs
from parley.bot.arguments import ArgumentError
from parley.bot.coroutines import finished
from parley.bot.dialogues import Script
from parley.bot.handlers import Entry, IntentHandler, Middleware
from parley.bot.questions import LONGEST_LABEL, Ask, Given
from parley.bot.replies import Replies, replies_of
from parley.bot.slots import slots_in, values_in
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.intents.clauses import clauses
from parley.intents.features import LONGEST, is_chinese
from parley.intents.matcher import MOST_OFFERED, Matcher, meant
from parley.model import Message, Reply
from parley.model.agenda import OpenDialogue
from parley.width import half_width

Arguments = dict[str, Any]
_BEGINNING = 10
"""Characters of a button's label. Narrow screens may cut off what follows."""


@dataclass(eq=False)
class Understanding:
    """The intents of a bot, by name. `texts` are the bot's for a message; `runs` says whether a rule holds, and `call`
    runs a handler.
    """

    handlers: Mapping[str, IntentHandler]
    texts: Callable[[Message], Texts]
    runs: Callable[[Entry, Turn], bool]
    call: Callable[[Entry, Turn, Arguments, Texts], Replies]

    @cached_property
    def choice(self) -> Entry:
        """The handler that asks which intent is meant."""
        return Entry.of(self.choose, None, answers=self._is_chosen).within(None, (self._around,))

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher({name: handler.examples for name, handler in self.handlers.items()})

    def matching(self, turn: Turn, text: str) -> Iterator[tuple[Entry, Arguments]]:
        """The handler for `text`, with its arguments. There is none if the text fits no intent."""
        names = self._meant(turn, text)
        if len(names) < 2:
            names = [*dict.fromkeys((*names, *self._parts(turn, text)))][:MOST_OFFERED]
        if len(names) == 1:
            handler = self.handlers[names[0]]
            yield handler, self._slots(handler, turn, text)
        elif names:
            yield self.choice, {"names": " ".join(names), "text": text[:LONGEST]}

    def answer(self, turn: Turn, text: str) -> list[Reply] | None:
        """The replies of the handler for `text`, or the question which one is meant; None if the text fits no intent.

        A dialogue of the handler is its own: it goes on without the handler that calls this.
        """
        step, turn.step = turn.step, None
        try:
            for entry, given in self.matching(turn, text):
                return list(replies_of(self.call(entry, turn, given, self.texts(turn.message))))
        finally:
            turn.step = step
        return None

    def choose(self, turn: Turn, names: str, text: str) -> Script:
        """Ask which one of the intents `names` is meant by `text`, or comes first, and run its handler."""
        ask, labels = self._question(turn, names, text)
        # Dates and persons are those of the text, not of the answer.
        parts = self._parts(turn, text)
        filled = {name: self._filled(self.handlers[name], turn, parts.get(name, text)) for name in labels.values()}
        name = labels.get((yield ask))
        if name is None:
            return self.texts(turn.message).say_otherwise
        result = finished(self.handlers[name].handler(**filled[name]))
        return (yield from cast("Script", result)) if isinstance(result, GeneratorType) else result

    def _around(self, turn: Turn, handle: Callable[[], list[Reply]]) -> Replies:
        """Run the middleware of the chosen handler's routers around the step: the handler is in it."""
        run: Callable[[], Replies] = handle
        for middleware in reversed(self._chosen(turn)):
            run = partial(runs.around, middleware, turn, run)
        return run()

    def _is_chosen(self, turn: Turn, dialogue: OpenDialogue, given: Given) -> bool:
        """Whether `given` is for the dialogue: it is one of the choices, or the chosen handler has asked meanwhile."""
        return bool(dialogue.answers) or self._choice_in(dialogue, given, turn) is not None

    def _chosen(self, turn: Turn) -> tuple[Middleware, ...]:
        """The middleware of the handler that was chosen; none before that."""
        if turn.step is None:
            return ()
        dialogue = turn.step.dialogue
        given = Given.stored(dialogue.answers[0]) if dialogue.answers else turn.step.answer
        with runs.at_start(turn):
            name = self._choice_in(dialogue, given, turn) if given is not None else None
        return self.handlers[name].around if name else ()

    def _choice_in(self, dialogue: OpenDialogue, given: Given, turn: Turn) -> str | None:
        """The intent that `given` chooses; empty for none of them. None if it is no choice."""
        asked = cast("Arguments", dialogue.given)
        turn = turn.of(dialogue.message)
        ask, labels = self._question(turn, asked["names"], asked["text"])
        try:
            return labels.get(ask.read(given, self.texts(turn.message), turn.today), "")
        except ArgumentError:
            return None

    def _question(self, turn: Turn, names: str, text: str) -> tuple[Ask, dict[str, str]]:
        """The question which one of `names` is meant by `text`, and the names by the choices."""
        texts, language = self.texts(turn.message), _language(turn.message, text)
        labels = _labels([self.handlers[name] for name in names.split() if name in self.handlers], language)
        is_both = len(self._parts(turn, text).keys() & labels.values()) > 1
        question = texts.which_first if is_both else texts.did_you_mean
        return Ask(question, choices=(*labels, texts.none_of_these), key="parley.intents"), labels

    def _parts(self, turn: Turn, text: str) -> dict[str, str]:
        """The parts of `text` that have different intents, by intent. Empty if there are not several."""
        return parts_of(text, turn.today(), partial(self._meant, turn))

    def _meant(self, turn: Turn, text: str) -> list[str]:
        """The intents of `text`, without those whose rules do not hold."""
        ranked = self._matcher.ranked(text)
        return meant([each for each in ranked if self.runs(self.handlers[each.name], turn)])

    def _filled(self, handler: IntentHandler, turn: Turn, text: str) -> Arguments:
        return handler.signature.fill(turn, self._slots(handler, turn, text), self.texts(turn.message))

    @staticmethod
    def _slots(handler: IntentHandler, turn: Turn, text: str) -> Arguments:
        return slots_in(handler.signature.parameters, text, turn.today(handler.zone))


def parts_of(text: str, today: date, meant: Callable[[str], list[str]]) -> dict[str, str]:
    """The parts of `text` that have different intents, by intent. Empty if there are not several.

    `meant`: the intents of a part.
    """
    found: dict[str, str] = {}
    text = half_width(text[:LONGEST])[:LONGEST]
    for part in clauses(text, values_in(text, today)):
        names = meant(part)
        if len(names) == 1:
            found.setdefault(names[0], part)
    return found if len(found) > 1 else {}


def _language(message: Message, text: str) -> str:
    """The language in which the intents are shown: that of the person, or else that of the text."""
    locale = message.context.locale or ("zh" if is_chinese(text) else "en")
    return locale.replace("_", "-").partition("-")[0].lower()


def _labels(handlers: Iterable[IntentHandler], language: str) -> dict[str, str]:
    """The names of intents by what people see: the label, or the first example in `language`. Of the examples, one that
    is short enough for a button and begins like no other one goes first.
    """
    labels: dict[str, str] = {}
    for handler in handlers:
        wordings = _wordings(handler, language)
        taken = {label[:_BEGINNING].casefold() for label in labels}
        clear = (each for each in wordings if len(each) <= LONGEST_LABEL and each[:_BEGINNING].casefold() not in taken)
        other = (each for each in wordings if each not in labels)
        labels[next(clear, None) or next(other, handler.name)] = handler.name
    return labels


def _wordings(handler: IntentHandler, language: str) -> list[str]:
    """The intent as people may see it, the best first."""
    if handler.labels:
        return [handler.labels.get(language) or next(iter(handler.labels.values()))]
    return sorted(handler.examples, key=lambda each: is_chinese(each) != (language == "zh"))
