"""Metrics of language models: calls, failures, tokens, time and price. No text and no person is in them.

Those of a call have the dimension `model`, with the names of the models that the bot uses. Alarms watch the others.
"""

from parley.bot.once import StoppedError
from parley.engine.telemetry import count, duration, log
from parley.models.model import Answer, Model, ModelError

_MILLION = 1_000_000


def measure(answer: Answer, model: Model, seconds: float, *, is_fallback: bool) -> None:
    """Record an answer of `model`, which took `seconds` with its repetitions. `is_fallback`: another one has failed."""
    count("ModelCalls", model=model.name)
    _measure_tokens(model, answer.sent, answer.received)
    duration("ModelTime", seconds, model=model.name)
    if is_fallback:
        count("ModelFallbacks")


def _measure_tokens(model: Model, sent: int, received: int) -> None:
    count("ModelTokensSent", sent, model=model.name)
    count("ModelTokensReceived", received, model=model.name)
    if any(model.price):
        cost = sent * model.price[0] + received * model.price[1]
        count("ModelCost", cost / _MILLION, model=model.name)


def measure_unanswered() -> None:
    """Record a message that no model has answered."""
    count("ModelFailures")


def measure_spent() -> None:
    """Record a message for which no tokens are left."""
    count("ModelBudgetsSpent")


def measure_failure(model: Model, error: ModelError) -> None:
    """Record a failed attempt with the tokens that it has cost, and log its reason."""
    count("ModelErrors", model=model.name)
    if error.received:
        _measure_tokens(model, error.sent, error.received)
    log.warning("model failed", extra={"model": model.name, "error": str(error)})


def measure_stopped(model: Model, stop: StoppedError) -> None:
    """Record the tokens of an answer that a person has stopped."""
    if stop.received:
        _measure_tokens(model, stop.sent, stop.received)


def measure_tool_failure(error: Exception, handler: str) -> None:
    """Record a command that has failed for good, and log where. A model goes on without its result. `handler`: see
    `Turn.handler`.
    """
    from parley.engine.failures import reason_of, traceback_of  # noqa: PLC0415  # most commands do not fail

    count("ModelToolFailures")
    log.error("tool failed", extra={"error": reason_of(error, handler), "traceback": traceback_of(error)})
