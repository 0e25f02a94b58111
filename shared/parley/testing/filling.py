"""What people do with the menus and forms of cards, on every platform."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from parley.journal.memory import Memory
from parley.model.agenda import Numbered
from parley.model.instant import Choice, Form
from parley.platforms.tencent.buttons import pack_choice
from parley.testing.shown import Part, flat, inputs, pressable, shown
from parley.testing.world import World
from playground.platforms.base import NotFoundError, Press
from tools.faults.targets import APP

PERSON = "ann"
"""The person who acts if a test names none."""
Values = Mapping[str, str | list[str]]
"""The values of a form, by input."""


class Filling:
    """The part of a place (`parley.testing.chat.Place`) for menus and forms."""

    _world: World

    def choose(self, menu: str, choice: str, *, by: str = PERSON) -> None:
        """The person `by` chooses from a menu of the last cards: the menu by its label or id, the choice by its label
        or value.

        Raises what the bot raises, and AssertionError if there is no such menu or choice.
        """
        __tracebackhide__ = True
        selects = [each for each in self._world.bot.selects if menu in (each.id, each.label)]
        label = selects[0].label if selects else menu
        memory = self._memory(by)
        numbers = memory.agenda.numbers if memory else ()
        keys = [pack_choice(each, found) for each in selects for found in each.choices if _is(found, choice)]
        for message, parts in self._messages(by):
            for found in _menus(parts, label):
                self._press(message, Press(button=found["id"], options=(_choice(found, choice),)), by)
                return
            if number := _number(shown(parts, "", "").text, menu, choice, numbers):
                self.say(str(number), by=by)
                return
            for key in keys if pressable(parts) else ():
                if self._pressed(message, Press(button=key), by):
                    return
        if selects and not keys:
            raise AssertionError(f"there is no choice {choice!r} in the menu {menu!r}")
        raise AssertionError(f"there is no menu {menu!r} in {self}")

    def submit(self, form: Values, *, by: str = PERSON) -> None:
        """The person `by` fills in the form that is open, or else that of the last card, and submits it. `form`: values
        by the id of their input; a choice by its label or value.

        Raises what the bot raises, and AssertionError if there is no form or a value does not fit.
        """
        __tracebackhide__ = True
        if self._modal(by) is None and not self._submit_card(form, by):
            if self._world.bot.form is None:
                raise AssertionError(f"no form is open for {by}")
            self.press(self._world.bot.form.title, by=by)
        if (modal := self._modal(by)) is not None:
            self._submit_modal(modal, form, by)

    # --- internal -----------------------------------------------------------------------------------------------------

    def _submit_card(self, form: Values, person: str) -> bool:
        """Fill in the form of a card in place, or as text. False if there is none."""
        __tracebackhide__ = True
        for message, parts in self._messages(person):
            found = next((each for each in flat(parts) if each["kind"] == "form"), None)
            if found is not None:
                values = _with_values(form, self._world.bot.form)
                self._press(message, Press(button=found["id"], form=values), person)
                return True
        memory = self._memory(person)
        numbered = [each for each in memory.agenda.numbers if each.form] if memory else []
        for each in numbered[-1:]:
            self.say(_typed(each, form), by=person)
        return bool(numbered)

    def _submit_modal(self, modal: dict[str, Any], form: Values, person: str) -> None:
        __tracebackhide__ = True
        platform = self._world.platform
        sender = platform.person(person).id

        def submit() -> None:
            __tracebackhide__ = True
            _check_inputs(form, inputs(modal))
            values = _with_values(form, self._world.bot.opened)
            platform.emit_event(APP, "submit", {"modal": modal["id"], "form": values, "sender": sender})
            del self._world.forms[self._world.room_of(self._place(person), person), sender]

        self._act(submit, person)

    def _modal(self, person: str) -> dict[str, Any] | None:
        """The form that is open for a person."""
        key = self._world.room_of(self._place(person), person), self._world.platform.person(person).id
        return self._world.forms.get(key)

    def _press(self, message: str, press: Press, person: str) -> None:
        __tracebackhide__ = True
        self._act(lambda: self._world.platform.press(APP, message, person, press), person)

    def _pressed(self, message: str, press: Press, person: str) -> bool:
        """Press a button by its key. False if the message has none with it."""
        __tracebackhide__ = True
        found: list[bool] = []

        def act() -> None:
            with suppress(NotFoundError):
                self._world.platform.press(APP, message, person, press)
                found.append(True)

        self._act(act, person)
        return bool(found)

    # --- the rest of a place ------------------------------------------------------------------------------------------

    def say(self, text: str = "", *, by: str = PERSON) -> None:
        """See `parley.testing.chat.Place.say`."""
        raise NotImplementedError

    def press(self, button: str, *, by: str = PERSON, on: str = "") -> None:
        """See `parley.testing.chat.Place.press`."""
        raise NotImplementedError

    def _act(self, action: Callable[[], object], by: str = "") -> None:
        raise NotImplementedError

    def _place(self, person: str) -> str:
        raise NotImplementedError

    def _memory(self, person: str) -> Memory | None:
        raise NotImplementedError

    def _messages(self, person: str, on: str = "") -> Iterator[tuple[str, list[dict[str, Any]]]]:
        raise NotImplementedError


def _menus(parts: Sequence[Part], label: str) -> Iterator[Part]:
    return (each for each in flat(parts) if each["kind"] == "select" and label == each["placeholder"])


def _choice(menu: Part, choice: str) -> str:
    """The value of the choice with that label or value."""
    found = (each["value"] for each in menu["options"] if choice in (each["label"], each["value"]))
    value = next(found, None)
    if value is None:
        raise AssertionError(f"there is no choice {choice!r}: {menu['text']}")
    return str(value)


def _number(text: str, menu: str, choice: str, numbers: Sequence[Numbered]) -> int:
    """The number of a choice in the text of a card, where the platform has no menus; 0 if there is none.

    The lines are `MENU: send the number`, `1. CHOICE`, `2. CHOICE`.
    """
    known, heading = {each.number: each for each in numbers}, ""
    for line in text.replace("\u200b", "").splitlines():
        found = re.fullmatch(r"([0-9]{1,4})\. (.*)", line)
        numbered = known.get(int(found[1])) if found else None
        if found is None or numbered is None:
            heading = line.rpartition(": ")[0]
        elif menu in (heading, numbered.id) and choice in (found[2], numbered.option):
            return numbered.number
    return 0


def _is(choice: Choice, name: str) -> bool:
    """Whether a choice has this label or value."""
    return name in (choice.label, str(choice.value))


def _with_values(form: Values, definition: Form | None) -> dict[str, str | list[str]]:
    """`form` with the values of choices in place of their labels. `definition`: the form that the bot has shown."""
    inputs = definition.inputs if definition else ()
    values = {each.id: {choice.label: str(choice.value) for choice in each.choices} for each in inputs}

    def value(id_: str, given: str) -> str:
        known = values.get(id_, {})
        return given if given in known.values() else known.get(given, given)

    return {
        id_: value(id_, given) if isinstance(given, str) else [value(id_, each) for each in given]
        for id_, given in form.items()
    }


def _check_inputs(form: Values, inputs: Collection[str]) -> None:
    """Raise AssertionError for a value of an input that the form does not have."""
    __tracebackhide__ = True
    unknown = form.keys() - inputs
    if unknown:
        raise AssertionError(f"the form has no input {min(unknown)!r}; it has {', '.join(inputs)}")


def _typed(element: Numbered, form: Values) -> str:
    """The text that a person sends for a numbered form."""
    fields = [field.id for field in (element.form.inputs if element.form else ())]
    _check_inputs(form, fields)
    values = (form.get(field, "-") for field in fields)
    lines = (value if isinstance(value, str) else ", ".join(value) for value in values)
    return "\n".join([str(element.number), *lines])
