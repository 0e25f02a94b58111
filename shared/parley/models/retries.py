"""Attempts at a model: again after an outage, and then at the fallback model."""

import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from parley.models.model import Answer, Model, ModelError, Partial, Prompt, tokens_of, tokens_of_prompt

_ATTEMPTS = 3
"""Attempts at one model."""
_FIRST_WAIT = 0.5
"""Seconds before the second attempt; twice as long before the next one."""
_LONGEST_WAIT = 10.0
_ENOUGH = 2.0
"""Seconds that must be left for another attempt."""


class Waits(NamedTuple):
    """How to wait between two attempts. `draw` returns a number from 0 to 1."""

    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random


def answered(
    models: Sequence[Model],
    prompt: Prompt,
    partial: Partial,
    failed: Callable[[Model, ModelError], None],
    waits: Waits,
) -> Answer:
    """The answer of the first of `models` that answers. `failed` gets each failure.

    A refusal of the model is an answer. A request that is wrong is not repeated. Raises the last ModelError.
    """
    last = ModelError("there is no time left")
    for model in models:
        for attempt in range(_ATTEMPTS):
            if prompt.until - time.monotonic() < _ENOUGH:
                raise last
            try:
                return _complete(model.answer(_fitted(prompt, model, last=model is models[-1]), partial), model, prompt)
            except ModelError as error:
                last = error
                failed(model, error)
            wait = max(last.seconds, _FIRST_WAIT * 2**attempt * (0.5 + waits.draw()))
            is_late = prompt.until - time.monotonic() < wait + _ENOUGH
            if not last.again or attempt + 1 == _ATTEMPTS or wait > _LONGEST_WAIT or is_late:
                break
            waits.sleep(wait)
    raise last


def _fitted(prompt: Prompt, model: Model, *, last: bool) -> Prompt:
    """`prompt` as `model` takes it. A model that says nothing leaves half of the time to the next one."""
    left = prompt.until - time.monotonic()
    silence = left if last else left / 2
    messages = prompt.messages if model.pictures else tuple(replace(said, pictures=()) for said in prompt.messages)
    return replace(prompt, messages=messages, silence=silence)


def _complete(answer: Answer, model: Model, prompt: Prompt) -> Answer:
    """`answer` with the name of the model, and with estimates of the tokens that the service has not counted."""
    sent = tokens_of_prompt(prompt)
    received = tokens_of(answer.text) + sum(tokens_of(call.arguments) for call in answer.calls)
    return replace(answer, model=model.name, sent=answer.sent or sent, received=answer.received or received)
