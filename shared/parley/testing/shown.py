"""What a person sees of the bot: a message or a form, in the form of its platform."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Part = Mapping[str, Any]
"""A part of a message, as `playground.platforms.base.Platform.parts` returns it."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button that can be pressed. `number` is its place on the card, as the platform counts."""

    number: int
    label: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the bot, a form that it has opened, or its reaction to a message, as a person sees it.

    `str()` of it has one line for the title, the lines of the text, and the buttons in brackets.
    """

    text: str
    """All words, without the buttons. The first line of a card is its title."""
    title: str = ""
    """The title of a card or a form; empty on platforms whose cards have none."""
    buttons: tuple[str, ...] = ()
    """The labels of the buttons that can be pressed."""
    menus: tuple[str, ...] = ()
    """The labels of the menus to choose from."""
    kind: str = "message"
    """`message`, `edit` (of an earlier message), `recall`, `form` or `reaction` (to any message)."""
    place: str = ""
    """The platform's id of the room or direct chat."""
    form: str = ""
    """The whole text of `str()`."""

    def __str__(self) -> str:
        return self.form

    def fits(self, text: str | re.Pattern[str], contains: str) -> bool:
        """Whether its text is `text` or matches the pattern, if there is one, and it contains `contains`."""
        if isinstance(text, re.Pattern):
            return text.search(self.text) is not None
        return (not text or self.text == text.strip()) and contains in self.form


def shown(parts: Sequence[Part], place: str, kind: str) -> Shown:
    """The message that consists of `parts`."""
    lines = list(_lines(parts))
    words = [line.rstrip() for sort, line in lines if sort in ("title", "text")]
    title = next((line for sort, line in lines if sort == "title"), "")
    form = "\n".join(f"# {line}" if sort == "title" else line for sort, line in lines)
    mark = "" if kind == "message" else f"({kind}) "
    labels = tuple(button.label for button in pressable(parts))
    menus = tuple(str(part["placeholder"]) for part in flat(parts) if part["kind"] == "select")
    text = "\n".join(words).strip()
    return Shown(text, title, labels, menus, kind, place, f"{mark}{form}".strip())


def form_shown(modal: Mapping[str, Any], place: str) -> Shown:
    """The form `modal` of Discord, with its inputs."""
    title = str(modal.get("title") or "")
    lines = [f"{label}: [{id_}]" for id_, label in inputs(modal).items()]
    return Shown("\n".join([title, *lines]), title, (), (), "form", place, "\n".join([f"(form) # {title}", *lines]))


def reaction_shown(emoji: str, place: str) -> Shown:
    """The reaction `emoji` of the bot to a message."""
    return Shown(emoji, kind="reaction", place=place, form=f"(reaction) {emoji}")


def inputs(modal: Mapping[str, Any]) -> dict[str, str]:
    """The labels of the inputs of a form, by id."""
    found: dict[str, str] = {}
    for holder in modal.get("components") or ():
        inner = [holder["component"]] if "component" in holder else holder.get("components") or ()
        found |= {str(each["custom_id"]): str(holder.get("label") or each.get("label") or "") for each in inner}
    return found


def pressable(parts: Sequence[Part]) -> list[Button]:
    """The buttons in `parts` that can be pressed, in order. A button that opens a link is none of them."""
    return [
        Button(int(button["id"]), str(button["label"]))
        for part in flat(parts)
        if part["kind"] == "buttons"
        for button in part["buttons"]
        if not button.get("url") and not button.get("disabled")
    ]


def named(buttons: Sequence[Button], label: str) -> Button | None:
    """The first of `buttons` with this label, or else with this word in its label; None if there is none."""
    exact = (button for button in buttons if button.label == label)
    return next(exact, next((button for button in buttons if label in button.label.split()), None))


def flat(parts: Sequence[Part]) -> Iterator[Part]:
    """`parts`, and those inside of cards."""
    for part in parts:
        yield part
        yield from flat(part.get("blocks") or ())


def _lines(parts: Sequence[Part]) -> Iterator[tuple[str, str]]:
    """The lines of a message, each with its sort: `title`, `text` or `more`."""
    for part in flat(parts):
        match part["kind"]:
            case "card":
                if part.get("title"):
                    yield "title", str(part["title"])
            case "image" | "file":
                name = str(part.get("name") or "")
                yield "more", f"({part['kind']} {name})" if name else f"({part['kind']})"
            case "form":
                for line in [*str(part["text"]).splitlines(), f"[{part['submit']}]"]:
                    yield "more", line
            case "select":
                yield "more", str(part["text"])
            case "buttons":
                yield "more", " ".join(map(_button, part["buttons"]))
            case _:
                for line in str(part.get("text") or "").splitlines():
                    yield "text", line


def _button(button: Part) -> str:
    return f"[{button['label']} → {button['url']}]" if button.get("url") else f"[{button['label']}]"
