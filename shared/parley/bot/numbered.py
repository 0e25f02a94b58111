"""Menus, forms and buttons as numbered lines, where the platform of a card cannot show them.

A person sends the number instead of a press, and the handler of the press runs. The numbers are stored with the
decision on the message. They go on from card to card of a conversation, so that a number means one thing only. An hour
after the last card with numbers, or after 99, they begin with 1 again, and the earlier ones mean nothing any more.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import count

from msgspec.structs import replace

from parley.adapter import Element
from parley.bot.addressing import is_before
from parley.bot.conversions import ArgumentError, Today, chosen, convert
from parley.bot.replies import Replies, replies_of
from parley.bot.texts import Texts
from parley.bot.turn import Turn
from parley.bot.typed_number import typed_number
from parley.errors import ResultError
from parley.model import Action, AnySegment, Button, Card, CardField, Destination, Reply, Select, label_of
from parley.model.agenda import Numbered
from parley.model.instant import Form, Input
from parley.platforms import NAMES, checks

_KEPT = 20
"""Numbers of a conversation that are stored, the last ones."""
_HIGHEST = 99
_VALID = 3600
"""Seconds after which the next card begins with 1."""
_NONE = ("", "-", "—", "无")
"""Lines that leave an optional input empty."""


# --- cards out --------------------------------------------------------------------------------------------------------


def with_numbers(replies: list[Reply], turn: Turn, texts: Texts) -> list[Reply]:
    """`replies` with numbered lines for what their platform cannot show. The turn remembers the numbers.

    Raises ResultError for a card for another conversation, whose numbers cannot be stored, and for too many numbers.
    """
    unshown = [[_unshown(segment, reply, turn) for segment in reply.segments] for reply in replies]
    needed = sum(_numbers_of(element) for cards in unshown for elements in cards for element in elements)
    if not needed:
        return replies
    lines = _Lines(turn, texts, needed)
    written = [
        replace(reply, segments=tuple(map(lines.within, reply.segments, cards)))
        for reply, cards in zip(replies, unshown, strict=True)
    ]
    turn.plans.numbers = lines.stored
    return written


def _unshown(segment: AnySegment, reply: Reply, turn: Turn) -> tuple[Element, ...]:
    """The elements of a card that become numbered lines. Raises ResultError."""
    if not isinstance(segment, Card) or not segment.is_pressable:
        return ()
    to = reply.to or Destination.answering(turn.message)
    elements = tuple(checks(to.platform).as_text(segment, to)) if to.platform in NAMES else ()
    if elements and reply.to is not None:
        raise ResultError(f"a card for another conversation has a menu or form that {to.platform} cannot show")
    return elements


def _numbers_of(element: Element) -> int:
    return len(element.choices) if isinstance(element, Select) else 1


class _Lines:
    """Writes numbered lines. `needed`: how many numbers all of them have together."""

    def __init__(self, turn: Turn, texts: Texts, needed: int) -> None:
        if needed > _HIGHEST:
            raise ResultError(f"cards need {needed} numbered lines; at most {_HIGHEST} are possible")
        self.now, self.texts = turn.now, texts
        self.known = turn.plans.numbers
        last = self.known[-1] if self.known else None
        if last is None or last.number + needed > _HIGHEST or turn.now - last.at > _VALID:
            self.known = ()
        self.next = count(last.number + 1 if last and self.known else 1)
        self.new: list[Numbered] = []

    @property
    def stored(self) -> tuple[Numbered, ...]:
        """The numbers that mean something now: all new ones, and the last ones before them."""
        return (*self.known, *self.new)[-max(_KEPT, len(self.new)) :]

    def within(self, segment: AnySegment, elements: Sequence[Element]) -> AnySegment:
        """The card `segment` with lines for `elements`, which are some of its own."""
        if not elements or not isinstance(segment, Card):
            return segment
        lines = (line for element in elements for line in self._lines(element))
        return replace(
            segment,
            fields=(*segment.fields, *(CardField(label=label, value=value, short=False) for label, value in lines)),
            selects=tuple(each for each in segment.selects if each not in elements),
            buttons=tuple(each for each in segment.buttons if each not in elements),
            form=None if segment.form in elements else segment.form,
        )

    def _lines(self, element: Element) -> Iterator[tuple[str, str]]:
        """The lines of `element`, each as label and value of a field."""
        match element:
            case Select():
                yield element.label, self.texts.send_number
                for choice in element.choices:
                    number = self._number(element, option=str(choice.value))
                    yield f"{number}. {label_of(choice.label, str(choice.value))}", ""
            case Form():
                number = self._number(element, form=element)
                yield f"{number}. {element.title}", _usage(element, number, self.texts)
            case Button():
                yield f"{self._number(element)}. {label_of(element.label, element.id)}", ""

    def _number(self, element: Element, option: str = "", form: Form | None = None) -> int:
        number = next(self.next)
        new = Numbered(number=number, at=self.now, id=element.id, value=element.value, option=option, form=form)
        self.new.append(new)
        return number


def _usage(form: Form, number: int, texts: Texts) -> str:
    inputs = ", ".join(_expected(field, texts) for field in form.inputs)
    return texts.fill_in.format(number=number, inputs=inputs)


def _expected(field: Input, texts: Texts) -> str:
    known = {"choice": " / ".join(each.label for each in field.choices), "date": texts.date}.get(field.kind, "")
    notes = [known, *([] if field.required else [texts.optional])]
    note = "; ".join(filter(None, notes))
    return f"{field.label} ({note})" if note else field.label


# --- numbers in -------------------------------------------------------------------------------------------------------


def pressed(turn: Turn, texts: Texts, handle: Callable[[Turn], Replies]) -> Replies:
    """What `handle` returns for the message; for a number, what it returns for the press that the number stands for."""
    found = _found(turn)
    if found is None:
        return handle(turn)
    element, words = found
    message = turn.message
    try:
        form = _read(element.form, words, texts, turn.today) if element.form else {}
    except ArgumentError as error:
        return f"{error}\n{_usage(element.form, element.number, texts)}" if element.form else str(error)
    options = (element.option,) if element.option else ()
    action = Action(id=element.id, value=element.value, form=form, options=options)
    turn.message = replace(message, kind="action", action=action)
    try:
        return list(replies_of(handle(turn)))
    finally:
        turn.message = message


def _found(turn: Turn) -> tuple[Numbered, str] | None:
    """The element whose number the person has sent, and the rest of the text. None if the message is another one."""
    message = turn.message
    if message.kind != "message" or not turn.plans.numbers or not turn.addressed:
        return None
    typed = typed_number(turn.text)
    if typed is None:
        return None
    number, words = typed
    shown = (each for each in turn.plans.numbers if not is_before(message, each.at))
    element = next((each for each in shown if each.number == number), None)
    return (element, words) if element and _fits(element, words) else None


def _fits(element: Numbered, words: str) -> bool:
    """Whether `words` can be for `element`: a number alone, or one line for each input of a form."""
    inputs = len(element.form.inputs) if element.form else 0
    return not words.strip() or inputs == 1 or (inputs > 1 and "\n" in words)


def _read(form: Form, words: str, texts: Texts, today: Today) -> dict[str, str]:
    """The inputs of `form` in the lines of `words`. Raises ArgumentError."""
    inputs = form.inputs
    lines = _lines(form, words)
    if len(lines) > len(inputs):
        raise ArgumentError(texts.too_many.format(rest=lines[len(inputs)]))
    padded = [*lines, *[""] * (len(inputs) - len(lines))]
    return {field.id: _value(field, line.strip(), texts, today) for field, line in zip(inputs, padded, strict=True)}


def _lines(form: Form, words: str) -> list[str]:
    """The lines of `words` for the inputs of `form`, in their order. A paragraph at the end takes all that are left."""
    last = len(form.inputs) - 1
    if last == 0:
        return [words]
    lines = words.splitlines()
    filled = [number for number, line in enumerate(lines) if line.strip()]
    if form.inputs[last].kind == "paragraph" and len(filled) > last:
        return [*(lines[number] for number in filled[:last]), "\n".join(lines[filled[last] :])]
    return [lines[number] for number in filled]


def _value(field: Input, line: str, texts: Texts, today: Today) -> str:
    if not field.required and line in _NONE:
        return ""
    if not line:
        raise ArgumentError(texts.missing.format(name=field.label))
    match field.kind:
        case "date":
            return str(convert(field.label, date, line, texts, today))
        case "choice":
            return _chosen(field, line, texts)
        case "line" | "paragraph":
            return _checked(field, line, texts)


def _chosen(field: Input, line: str, texts: Texts) -> str:
    values = {str(each.value): str(each.value) for each in reversed(field.choices)}
    values |= {each.label.strip(): str(each.value) for each in reversed(field.choices)}
    word = chosen(values, line)
    if word is not None:
        return values[word]
    expected = texts.choice.format(choices=", ".join(each.label for each in field.choices))
    raise ArgumentError(texts.wrong.format(name=field.label, expected=expected))


def _checked(field: Input, line: str, texts: Texts) -> str:
    if len(line) < field.min_length:
        expected = texts.too_short.format(min_length=field.min_length)
    elif field.max_length and len(line) > field.max_length:
        expected = texts.too_long.format(max_length=field.max_length)
    else:
        return line
    raise ArgumentError(texts.wrong.format(name=field.label, expected=expected))
