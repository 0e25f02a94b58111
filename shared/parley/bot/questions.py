"""The questions of a dialogue, as people see them, and their answers in messages."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, Literal, get_args, get_origin

import msgspec

from parley.adapter import SupportsInstantAnswers
from parley.bot.choices import problem_of
from parley.bot.conversions import (
    ArgumentError,
    Today,
    chosen,
    convert,
    is_person,
    names_of_choices,
    plain_type,
    words_of_choices,
)
from parley.bot.texts import Texts
from parley.bot.typed_number import typed_number
from parley.errors import ResultError
from parley.model import (
    Action,
    AnyMedia,
    Button,
    Card,
    CardField,
    Markdown,
    Media,
    Message,
    Reply,
    Sender,
    Text,
    digest,
)
from parley.model.agenda import Answer
from parley.model.instant import Form, Input
from parley.platforms import NAMES, inbound
from parley.text import one_line, without_direction
from parley.width import fold

ANSWER = "parley.answer"
"""The id of the buttons under a question. Their value is the place of the question, and the number of the choice."""
_FORM = "parley.form"
"""The id of the form in which a person writes an answer, where the bot gets no plain text."""
_PLAIN = (str, int, float, bool, date, datetime, time, timedelta)
"""Types of answers that need no check."""
_MOST_BUTTONS = 5
"""Choices that are shown as buttons. More of them are numbered lines."""
LONGEST_LABEL = 20
"""Characters of a choice that is a button."""
_LONGEST_NUMBER = 4
WayOut = Literal["cancel", "back", "skip"]
_WAYS_OUT: Mapping[str, WayOut] = {
    "/cancel": "cancel",
    "/取消": "cancel",
    "取消": "cancel",
    "/back": "back",
    "/返回": "back",
    "返回": "back",
    "/skip": "skip",
    "/跳过": "skip",
    "跳过": "skip",
}
"""What a person writes instead of an answer, unless it is a choice of the open question."""


class Given(msgspec.Struct, frozen=True):
    """The answer in a message. `place`: the question that it is for; empty for the open one. `number`: of a choice.

    `press` decides an approval; None if its time is over. `by` is the person who has pressed, and `at` the unix second
    of the answer.
    """

    text: str = ""
    place: str = ""
    number: int | None = None
    files: tuple[AnyMedia, ...] = ()
    press: Message | None = None
    by: Sender | None = None
    at: float = 0

    @classmethod
    def stored(cls, answer: Answer) -> "Given":
        """The answer `answer`, in a later run."""
        number = None if answer.number < 0 else answer.number
        files = answer.message.content.attachments
        return cls(text=answer.text, number=number, files=files, by=answer.by, at=answer.now)


class Ask(msgspec.Struct, frozen=True):
    """A question of a dialogue: `name = yield Ask("Your name?")`.

    The question is plain text: nothing in it is markup. With markdown of the author it is `Markdown(text="...")`.
    The answer is text, or of the type `type`: everything that the annotation of a command's argument can be, and
    `Image`, `File`, `Audio` and `Video`. `choices`: the possible texts. `optional`: the person may skip it; the answer
    is None then. `timeout`: the time for the answer; after half of it the question is asked again. `key` identifies a
    question whose text is not always the same.
    """

    question: str | Markdown
    type: Any = str
    choices: tuple[str, ...] = ()
    optional: bool = False
    timeout: timedelta = timedelta(hours=1)
    key: str = ""
    by_press: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_question(self.question, self.timeout, self.key)
        is_ordered = isinstance(self.choices, Collection) and not isinstance(self.choices, set | frozenset | str)  # pyright: ignore[reportUnnecessaryIsInstance]
        if not is_ordered:
            raise TypeError(f'choices={self.choices!r}: write the texts in their order, choices=("yes", "no")')
        if not all(isinstance(choice, str) for choice in self.choices):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError('the choices of a question are texts: choices=("yes", "no"), or type=Literal[1, 2]')
        if self.choices and self.type is not str:
            raise ValueError(
                "the answer to a question with choices is a text: leave out type, or write type=Literal[1, 2]"
            )
        if is_person(self.type):
            raise ValueError("a question cannot ask for a person; ask for a text")
        if not any(self.type is each for each in _PLAIN):
            from parley.bot.readable import check_answer  # noqa: PLC0415  # most questions have a plain type

            check_answer(self.type)
        problem = problem_of(self.choices or self._names)
        if problem:
            raise ValueError(f"Ask({text_of(self.question)[:40]!r}): {problem}")

    @property
    def fingerprint(self) -> str:
        """The same for the same question in another run of the handler, in every process."""
        return digest(self.key or text_of(self.question), _identity(self.type), *self.choices)[:16]

    @property
    def patience(self) -> float:
        """Seconds until the question is asked again."""
        return self.timeout.total_seconds() / 2

    @property
    def _annotation(self) -> Any:
        return Literal[tuple(self.choices)] if self.choices else self.type

    @property
    def _names(self) -> list[str]:
        """The choices as the author wrote them."""
        return [] if self._wants_file else names_of_choices(self._annotation)

    @property
    def _labels(self) -> list[str]:
        """The choices as people see them, each on one line: a line break would look like a further choice."""
        return list(map(one_line, self._names))

    @property
    def _words(self) -> frozenset[str]:
        """All words that stand for a choice, as `_folded` returns them."""
        return frozenset(map(_folded, [] if self._wants_file else words_of_choices(self._annotation)))

    @property
    def kept(self) -> tuple[str, ...]:
        """The words that usually lead out of a question, and are choices of this one."""
        return tuple(sorted(self._words & _WAYS_OUT.keys()))

    @property
    def _wants_file(self) -> bool:
        return isinstance(self.type, type) and issubclass(self.type, Media)

    def _chosen(self, text: str) -> str:
        """The name of the choice with the number `text`, or the word of one that looks like `text`; else `text`."""
        names, number = self._names, typed_number(text)
        if number and 0 < number[0] <= len(names) and not number[1].strip() and _folded(text) not in self._words:
            return names[number[0] - 1]
        words = [] if self._wants_file else words_of_choices(self._annotation)
        shown = {one_line(word): word for word in reversed(words)}
        found = None if text in words else chosen(shown, one_line(text))
        return text if found is None else shown[found]

    def read(self, given: Given, texts: Texts, today: Today) -> Any:
        """The value of an answer. The number of a choice, typed or pressed, stands for it. Raises ArgumentError.

        `today`: returns the day on which the answer was written.
        """
        names, text = self._names, given.text.strip()
        if self.optional and (given.number == len(names) or way_out(text, self._words) == "skip"):
            return None
        if self._wants_file:
            return self._file(given, texts)
        text = self._chosen(text) if given.number is None else "".join(names[given.number : given.number + 1])
        if not text:
            raise ArgumentError(texts.no_answer)
        try:
            value = convert("", self._annotation, text, texts, today)
        except ArgumentError as error:
            raise ArgumentError(str(error).removeprefix(": ").removeprefix("：")) from error
        if value == []:
            raise ArgumentError(texts.no_answer)
        return value

    def _file(self, given: Given, texts: Texts) -> AnyMedia:
        found = next((each for each in given.files if isinstance(each, self.type)), None)
        if found is None:
            raise ArgumentError(texts.no_file)
        return found

    def replies(self, place: str, message: Message, texts: Texts) -> list[Reply]:
        """The question. `place`: its identity among all questions. Raises ResultError."""
        labels = self._labels
        has_forms = _has_forms(message)
        if has_forms and self._wants_file:
            raise ResultError(f"{message.platform} sends the bot no file as an answer: take it as a command's argument")
        buttons: list[Button] = []
        lines: list[str] = []
        if labels and len(labels) <= _MOST_BUTTONS and all(len(label) <= LONGEST_LABEL for label in labels):
            buttons = [_button(label, place, number) for number, label in enumerate(labels)]
        else:
            lines = [f"{number}. {label}" for number, label in enumerate(labels, 1)]
        if has_forms:  # and sends the bot no plain text: the form takes the answer, and `/cancel`
            buttons.append(_button(texts.write_answer, place, None))
        if self.optional:
            buttons.append(_button(texts.skip, place, len(labels)))
        asked = card(self.question, *lines, buttons=buttons)
        if buttons:
            return [Reply(segments=(asked,))]
        fields = (Text(text=f"\n{field.label}") for field in asked.fields)
        return [Reply(segments=(asked.body, *fields))]


def text_of(question: str | Markdown) -> str:
    """The words of a question."""
    return question if isinstance(question, str) else question.text


def card(question: str | Markdown, *lines: str, buttons: Iterable[Button]) -> Card:
    """The card of a question, with `lines` of plain text below it."""
    if isinstance(question, str):
        return Card(text=without_direction("\n".join((question, *lines))), literal=True, buttons=tuple(buttons))
    fields = tuple(CardField(label=line, short=False) for line in lines)
    return Card(text=without_direction(question.text), fields=fields, buttons=tuple(buttons))


def way_out(text: str, choices: Collection[str]) -> WayOut | None:
    """What a person wants who writes `text` instead of an answer; None for every other text, and for `choices`."""
    word = _folded(text)
    return None if word in choices else _WAYS_OUT.get(word)


def _folded(text: str) -> str:
    return fold(one_line(text))


def _identity(annotation: Any) -> str:
    """The types of `annotation` by module and name, and its choices as people see them.

    The metadata of `Annotated` is left out: its text has the address of a function, for example.
    """
    plain = plain_type(annotation)
    parts = names_of_choices(plain) or [_identity(each) for each in get_args(plain)]
    own = get_origin(plain) or plain
    name = type.__repr__(own) if isinstance(own, type) else str(own)
    return f"{name}[{', '.join(parts)}]" if parts else name


def _has_forms(message: Message) -> bool:
    return message.platform in NAMES and isinstance(inbound(message.platform), SupportsInstantAnswers)


def _opens_form(pressed: Action) -> bool:
    return pressed.id == ANSWER and pressed.value.endswith(".")


def check_question(question: str | Markdown, timeout: timedelta, key: str) -> None:
    """Raise ValueError if a question has no text, or no time for its answer, and TypeError for a wrong type."""
    if not isinstance(question, str | Markdown):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f'a question is a {type(question).__name__}: write a text, or Markdown(text="...")')
    if not text_of(question).strip():
        raise ValueError("a question needs a text")
    if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f'key={key!r}: write a text, key="size"')
    if not isinstance(timeout, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"timeout={timeout!r}: write timeout=timedelta(minutes=10)")
    if timeout <= timedelta():
        raise ValueError("the timeout of a question is longer than zero")


def _button(label: str, place: str, number: int | None) -> Button:
    return Button(id=ANSWER, label=label, value=f"{place}.{'' if number is None else number}")


def form_for(action: Action, texts: Texts) -> Form | None:
    """The form that a press under a question opens; None for every other press."""
    if not _opens_form(action):
        return None
    field = Input(id="answer", label=texts.write_answer, kind="paragraph")
    return Form(id=_FORM, title=texts.write_answer, inputs=(field,), value=action.value)


def given_in(message: Message) -> Given | None:
    """The answer in a press or a form; None in every other message."""
    action = message.action
    if action is None or action.id not in (ANSWER, _FORM):
        return None
    place, _, number = action.value.rpartition(".")
    if action.id == _FORM:
        return Given(text=action.form.get("answer", ""), place=place)
    return Given(place=place, number=_number(number))


def _number(text: str) -> int | None:
    """The number in the value of a button; None for every other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else None
