"""Attempts at a model: again after an outage, and then at the fallback model."""

import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from parley.bot.once import StoppedError
from parley.model.codec import encode
from parley.models.model import (
    MAX_TEXT,
    Answer,
    Model,
    ModelError,
    Partial,
    Prompt,
    distinct,
    tokens_of,
    tokens_of_prompt,
)
from parley.models.thoughts import WithoutThoughts, without_thoughts

_ATTEMPTS = 3
"""Attempts at one model."""
_FIRST_WAIT = 0.5
"""Seconds before the second attempt; twice as long before the next one."""
_LONGEST_WAIT = 10.0
_ENOUGH = 2.0
"""Seconds that must be left for another attempt."""


_Ended = TypeVar("_Ended", ModelError, StoppedError)


class Waits(NamedTuple):
    """How to wait between two attempts. `draw` returns a number from 0 to 1."""

    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random


def answered(
    models: Sequence[Model],
    prompt: Prompt,
    partial: Partial,
    failed: Callable[[Model, ModelError | StoppedError], None],
    waits: Waits,
) -> tuple[Model, Answer]:
    """The first of `models` that answers, and its answer. `failed` gets each failure, and a stop, with the tokens that
    it has cost.

    A refusal of the model is an answer. A request that is wrong is not repeated. Raises the last ModelError.
    """
    last = ModelError("there is no time left")
    for model in models:
        until = _end_of_silence(prompt, last=model is models[-1])
        for attempt in range(_ATTEMPTS):
            if prompt.until - time.monotonic() < _ENOUGH:
                raise last
            heard = _Heard(partial)
            try:
                answer = model.answer(_fitted(prompt, model, until), heard)
                return model, _complete(answer, model, prompt)
            except ModelError as error:
                last = error
                failed(model, _counted(error, prompt, heard.text))
            except StoppedError as error:
                failed(model, _counted(error, prompt, heard.text))
                raise
            wait = max(last.seconds, _FIRST_WAIT * 2**attempt * (0.5 + waits.draw()))
            is_late = until - time.monotonic() < wait + _ENOUGH
            if not last.again or attempt + 1 == _ATTEMPTS or wait > _LONGEST_WAIT or is_late:
                break
            waits.sleep(wait)
    raise last


def _end_of_silence(prompt: Prompt, *, last: bool) -> float:
    """Until when a model may say nothing in all its attempts. It leaves half of the time to the next one."""
    return prompt.until if last else (prompt.until + time.monotonic()) / 2


def _fitted(prompt: Prompt, model: Model, until: float) -> Prompt:
    """`prompt` as `model` takes it, which may say nothing `until` then."""
    silence = until - time.monotonic()
    messages = prompt.messages if model.pictures else tuple(replace(said, pictures=()) for said in prompt.messages)
    return replace(prompt, messages=messages, silence=silence)


class _Heard:
    """Passes on a text so far without thoughts, and keeps it."""

    __slots__ = ("_partial", "text")

    def __init__(self, partial: Partial) -> None:
        self._partial = partial
        self.text = ""

    def __call__(self, text: str) -> None:
        self.text = text
        shown = WithoutThoughts()
        shown.add(text)
        self._partial(shown.text)


def _counted(error: _Ended, prompt: Prompt, text: str) -> _Ended:
    """`error` with the tokens of an attempt whose answer had begun, with the `text` so far: they are paid too."""
    error.received = max(error.received, tokens_of(text))
    if error.received:
        error.sent = error.sent or tokens_of_prompt(prompt)
    return error


def _complete(answer: Answer, model: Model, prompt: Prompt) -> Answer:
    """`answer` with the name of the model, without thoughts, with an id for each call, and with estimates of the tokens
    that the service has not counted. Raises ModelError if it is too long.
    """
    sent, calls = tokens_of_prompt(prompt), distinct(answer.calls)
    received = tokens_of(answer.text) + sum(tokens_of(call.arguments) for call in answer.calls)
    whole = replace(answer, text=without_thoughts(answer.text), calls=calls)
    if len(encode((whole.text, calls))) > 2 * MAX_TEXT:
        raise ModelError(f"the answer is longer than {MAX_TEXT} bytes", sent=answer.sent, received=received)
    return replace(whole, model=model.name, sent=answer.sent or sent, received=answer.received or received)
