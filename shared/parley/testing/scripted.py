"""A language model for tests, whose answers are written down before."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from parley.models import Answer, ModelError, Partial, Prompt, ToolCall

_PIECES = 4
"""Pieces in which a text comes."""


class Call:
    """A call of a command by the model: `Call("deploy", version="1.4")`."""

    def __init__(self, name: str, /, **arguments: Any) -> None:
        self.name = name
        self.arguments = arguments


Line = str | Call | Answer | ModelError | Iterable[Call] | Callable[[Prompt], Any]
"""A text, one call or several, an answer, a failure, or a function that gets the prompt and returns one of these."""


class Scripted:
    """A model that says `lines`, one for each time that it is asked: `Chat(bot, model=Scripted(["Hi."]))`.

    `prompts` are those that it has got. A function as the last line answers all further ones: a model that obeys what
    it reads, for example. Raises AssertionError if it is asked more often.
    """

    name = "scripted"

    def __init__(self, lines: Iterable[Line], *, pictures: bool = False, price: tuple[float, float] = (0, 0)) -> None:
        self._lines = list(lines)
        self.pictures = pictures
        self.price = price
        self.prompts: list[Prompt] = []

    def answer(self, prompt: Prompt, partial: Partial) -> Answer:
        """The next line. Raises ModelError, AssertionError."""
        if not self._lines:
            raise AssertionError(f"the model is asked {len(self.prompts) + 1} times, and the script ends before")
        line = self._lines[0] if callable(self._lines[0]) and len(self._lines) == 1 else self._lines.pop(0)
        self.prompts.append(prompt)
        answer = _answer(line(prompt) if callable(line) else line, len(self.prompts))
        size = max(1, len(answer.text) // _PIECES)
        for end in range(size, len(answer.text) + size, size) if answer.text else ():
            partial(answer.text[:end])
        return answer


def _answer(line: Any, number: int) -> Answer:
    if isinstance(line, ModelError):
        raise line
    if isinstance(line, Answer):
        return line
    if isinstance(line, str):
        return Answer(text=line)
    calls = [line] if isinstance(line, Call) else list(line)
    made = (
        ToolCall(id=f"call_{number}_{place}", name=call.name, arguments=msgspec.json.encode(call.arguments).decode())
        for place, call in enumerate(calls)
    )
    return Answer(calls=tuple(made), stop="calls")
