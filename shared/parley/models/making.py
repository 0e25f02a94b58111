"""Models that are made when they are asked: a bot that does not ask a model does not pay for it."""

from collections.abc import Callable
from typing import Any

from parley.errors import RetryAfter
from parley.models.model import Answer, Model, ModelError, Partial, Prompt

_PARTS = ("name", "pictures", "price", "answer")


def missing_parts(model: object) -> list[str]:
    """What `model` lacks to be a model. A class is none: its instances are."""
    return [part for part in _PARTS if isinstance(model, type) or not hasattr(model, part)]


class MadeModel:
    """The model that `make` returns. A failure to make it is logged, and is a ModelError: a fallback can answer."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Model | None = None

    @property
    def name(self) -> str:
        """The name of the model; of what makes it if there is none."""
        return getattr(self._made or self._make, "name", "") or getattr(self._make, "__name__", "model")

    @property
    def pictures(self) -> bool:
        """Whether the model takes pictures. One that cannot be made takes none."""
        try:
            return self._model().pictures
        except ModelError:
            return False

    @property
    def price(self) -> tuple[float, float]:
        """The price of the model."""
        return self._made.price if self._made is not None else (0, 0)

    def answer(self, prompt: Prompt, partial: Partial) -> Answer:
        """The answer of the model. Raises ModelError."""
        return self._model().answer(prompt, partial)

    def _model(self) -> Model:
        if self._made is not None:
            return self._made
        made = self._call()
        missing = missing_parts(made)
        if missing:
            raise ModelError(f"a {type(made).__name__} was made in place of a model: it has no {missing[0]}")
        self._made = made
        return made

    def _call(self) -> Any:
        try:
            return self._make()
        except Exception as error:
            from parley.engine.failures import reason_of, traceback_of  # noqa: PLC0415  # most models can be made
            from parley.engine.telemetry import log  # noqa: PLC0415  # as above

            log.error("model not made", extra={"error": reason_of(error, ""), "traceback": traceback_of(error)})
            reason = f"it could not be made: {type(error).__name__}"
            raise ModelError(reason, again=isinstance(error, RetryAfter)) from error
