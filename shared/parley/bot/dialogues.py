"""Dialogues: a handler that is a generator, yields questions and gets their answers, over many messages.

Nothing of a running generator is kept. The answers are stored with the decision on each message. With the next answer
the handler runs again from its start: the earlier answers are given to it at once, and what it says on the way is
dropped. So a dialogue survives the end of every process. What else a handler does has to wait for its last question,
because it would be done again: `Dialogue.run` raises ResultError otherwise. `Turn.once` is the exception.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from parley.adapter import SupportsInstantAnswers
from parley.bot.conversions import ArgumentError, convert, is_person, names_of_choices
from parley.bot.replies import ReplyLike, replies_of
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.errors import ParleyError, ResultError
from parley.model import Action, Button, Card, Media, Message, Reply, Text, digest, message_key, reply_id
from parley.model.agenda import Answer, OpenDialogue
from parley.model.instant import Form, Input
from parley.platforms import NAMES, inbound

ANSWER = "parley.answer"
"""The id of the buttons under a question. Their value is the place of the question, and the number of the choice."""
_FORM = "parley.form"
"""The id of the form in which a person writes an answer, where the bot gets no plain text."""
_MOST_BUTTONS = 5
"""Choices that are shown as buttons. More of them are numbered lines."""
_LONGEST_LABEL = 20


class ScriptChangedError(ParleyError):
    """The handler no longer asks the questions that were answered: the bot has been changed meanwhile."""


class _WrongAnswerError(ParleyError):
    """The new answer is none to the question `ask`. The message is for the person."""

    def __init__(self, ask: "Ask", text: str) -> None:
        super().__init__(text)
        self.ask = ask


class Ask(msgspec.Struct, frozen=True):
    """A question of a dialogue: `name = yield Ask("Your name?")`.

    The answer is text, or of the type `type`, which is everything that the annotation of a command's argument can be.
    `choices`: the possible texts. `timeout`: the time for the answer; after half of it the question is asked again.
    `key` identifies a question whose text is not always the same.
    """

    question: str
    type: Any = str
    choices: tuple[str, ...] = ()
    timeout: timedelta = timedelta(hours=1)
    key: str = ""

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise ValueError("a question needs a text")
        if self.timeout <= timedelta():
            raise ValueError("the timeout of a question is longer than zero")
        if isinstance(self.choices, str) or len(set(self.choices)) < len(self.choices):
            raise ValueError('the choices of a question differ: choices=("yes", "no")')
        if is_person(self.type) or (isinstance(self.type, type) and issubclass(self.type, Media)):
            raise ValueError("a question cannot ask for a person or a file; ask for a text")

    @property
    def fingerprint(self) -> str:
        """The same for the same question in another run of the handler."""
        return digest(self.key or self.question, str(self.type), *self.choices)[:16]

    @property
    def annotation(self) -> Any:
        """The type of the answer."""
        return Literal[tuple(self.choices)] if self.choices else self.type

    @property
    def labels(self) -> list[str]:
        """The choices as people see them."""
        return names_of_choices(self.annotation)

    def read(self, typed: str, texts: Texts) -> Any:
        """The value of an answer. The number of a choice stands for it. Raises ArgumentError."""
        labels, text = self.labels, typed.strip()
        if text.isdecimal() and text not in labels and 0 < int(text) <= len(labels):
            text = labels[int(text) - 1]
        if not text:
            raise ArgumentError(texts.no_answer)
        try:
            return convert("", self.annotation, text, texts)
        except ArgumentError as error:
            raise ArgumentError(str(error).removeprefix(": ").removeprefix("：")) from error

    def reply(self, place: str, platform: str, texts: Texts) -> Reply:
        """The question as a reply. `place`: the identity of the question in its dialogue."""
        labels = self.labels
        if labels and len(labels) <= _MOST_BUTTONS and all(len(label) <= _LONGEST_LABEL for label in labels):
            numbered = enumerate(labels)
            buttons = (Button(id=ANSWER, label=label, value=f"{place}.{number}") for number, label in numbered)
            return Reply(segments=(Card(text=self.question, buttons=tuple(buttons)),))
        lines = (f"{number}. {label}" for number, label in enumerate(labels, 1))
        text = "\n".join([self.question, *lines])
        if platform in NAMES and isinstance(inbound(platform), SupportsInstantAnswers):
            # The platform sends the bot no plain text: a form opens.
            button = Button(id=ANSWER, label=texts.write_answer, value=f"{place}.")
            return Reply(segments=(Card(text=text, buttons=(button,)),))
        return Reply(segments=(Text(text=text),))


Script = Generator[Ask | ReplyLike | None, Any, Any]
"""A handler that asks questions: the annotation of what it returns."""


def form_for(action: Action, texts: Texts) -> Form | None:
    """The form that a press under a question opens; None for every other press."""
    if action.id != ANSWER or not action.value.endswith("."):
        return None
    field = Input(id="answer", label=texts.write_answer, kind="paragraph")
    return Form(id=_FORM, title=texts.write_answer, inputs=(field,), value=action.value)


class Given(msgspec.Struct, frozen=True):
    """The answer in a message. `place`: the question that it is for; empty for the open one. `number`: of a choice."""

    text: str = ""
    place: str = ""
    number: int | None = None


def given_in(message: Message) -> Given | None:
    """The answer in a press or a form; None in every other message."""
    action = message.action
    if action is None or action.id not in (ANSWER, _FORM):
        return None
    place, _, number = action.value.rpartition(".")
    if action.id == _FORM:
        return Given(text=action.form.get("answer", ""), place=place)
    return Given(place=place, number=int(number) if number.isdecimal() else None)


def key_of(handler: Callable[..., Any]) -> str:
    """The identity of a handler in another process."""
    return f"{handler.__module__}:{handler.__qualname__}"


def began(handler: str, given: dict[str, Any] | str, message: Message, now: float) -> OpenDialogue:
    """A dialogue that begins with `message`."""
    id_ = reply_id(message_key(message), "dialogue")
    return OpenDialogue(id=id_, handler=handler, given=given, message=stripped(message), started=now)


def without_last(dialogue: OpenDialogue) -> OpenDialogue:
    """`dialogue` as it was before its last answer."""
    if not dialogue.answers:
        return dialogue
    return replace(dialogue, answers=dialogue.answers[:-1], question=dialogue.answers[-1].question, reminded=False)


def place_of(dialogue: OpenDialogue) -> str:
    """The identity of the open question: of the dialogue, and how many answers precede."""
    return f"{dialogue.id[:8]}.{len(dialogue.answers)}"


@dataclass(slots=True)
class Step:
    """One run of a handler: `dialogue` is the one that goes on, or a new one without answers."""

    dialogue: OpenDialogue
    texts: Texts
    message: Message
    now: float
    """The message that is handled, and its time."""
    answer: Given | None = None
    asked: Ask | None = None
    """The question that is open after the run."""

    def run(self, script: Script, turn: Turn) -> list[Reply]:
        """Run `script` to its next question or its end. Returns what it says.

        The turn is that of each answer while the script handles it, so that it says and asks the same again. Raises
        ScriptChangedError, ResultError.
        """
        said, held = len(turn.replies), list(turn.states.values())
        for each in held:
            each.watch()
        try:
            value = self._replay(script, turn)
            turn.message, turn.now = self.message, self.now
            ask, replies = _next(script, value)
        except _WrongAnswerError as wrong:
            self.asked, self.answer = wrong.ask, None
            return [Reply.of(str(wrong)), self._question(wrong.ask)]
        finally:
            turn.message, turn.now = self.message, self.now
            script.close()
        if self.answer is None and self.dialogue.question:
            # The open question is asked again: what comes before it was said already.
            del turn.replies[said:]
            replies = []
        if ask is None:
            return replies
        if any(each.is_changed for each in held) or turn.plans.is_changed:
            raise ResultError(
                "a dialogue changes a state or a reminder before its last question; do it after the last one"
            )
        self.asked = ask
        return [*replies, self._question(ask)]

    def _question(self, ask: Ask) -> Reply:
        return ask.reply(place_of(self.after()), self.message.platform, self.texts)

    def _replay(self, script: Script, turn: Turn) -> Any:
        """Give the script the stored answers, and then the new one, which is the result. What it says is dropped.

        Raises ScriptChangedError, _WrongAnswerError.
        """
        stored, said, value = self.dialogue.answers, len(turn.replies), None
        moments = [(self.dialogue.message, self.dialogue.started), *((each.message, each.now) for each in stored)]
        given = (*stored, *((self.answer,) if self.answer is not None else ()))
        for answer, (message, now) in zip(given, moments, strict=False):
            turn.message, turn.now = named(message, self.message), now
            ask, _ = _next(script, value)
            del turn.replies[said:]
            expected = answer.question if isinstance(answer, Answer) else self.dialogue.question
            if ask is None or ask.fingerprint != expected:
                raise ScriptChangedError
            value = self._read(ask, answer)
        return value

    def _read(self, ask: Ask, answer: "Given | Answer") -> Any:
        try:
            return ask.read(_text(answer, ask), self.texts)
        except ArgumentError as error:
            if isinstance(answer, Answer):
                raise ScriptChangedError from error
            raise _WrongAnswerError(ask, str(error)) from error

    def after(self) -> OpenDialogue:
        """The dialogue after this run, with the message as an answer if it was one."""
        dialogue = self.dialogue
        if self.answer is not None and self.asked is not None:
            text = _text(self.answer, None)
            number = -1 if self.answer.number is None else self.answer.number
            answer = Answer(
                question=dialogue.question, text=text, number=number, message=stripped(self.message), now=self.now
            )
            dialogue = replace(dialogue, answers=(*dialogue.answers, answer))
        if self.asked is None:
            return dialogue
        return replace(dialogue, question=self.asked.fingerprint, patience=self.asked.timeout.total_seconds())


def stripped(message: Message) -> Message:
    """`message` without what is not stored: the platform's form, credentials, and a name that was fetched."""
    context = replace(message.context, reply_token="", reply_token_expires=0, awaits_reply=False)
    name = "" if context.wants_name is True else message.sender.name
    return replace(message, raw=None, context=context, sender=replace(message.sender, name=name))


def named(stored: Message, live: Message) -> Message:
    """`stored` with the name that was fetched for `live`, a later message of the same person."""
    if stored.context.wants_name is not True:
        return stored
    return replace(stored, sender=replace(stored.sender, name=live.sender.name))


def _text(answer: "Given | Answer", ask: Ask | None) -> str:
    """The text of an answer: that of the choice whose number it is."""
    number = answer.number if answer.number is not None else -1
    if ask is None or number < 0:
        return answer.text
    labels = ask.labels
    return labels[number] if number < len(labels) else ""


def _next(script: Script, value: Any) -> tuple[Ask | None, list[Reply]]:
    """The next question, None at the end, and what is said before it."""
    replies: list[Reply] = []
    try:
        said = script.send(value)
        while not isinstance(said, Ask):
            replies += replies_of(said)
            said = script.send(None)
    except StopIteration as end:
        return None, [*replies, *replies_of(end.value)]
    return said, replies
