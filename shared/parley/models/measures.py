"""Metrics of language models: calls, failures, tokens, time and price. No text and no person is in them.

Those of a call have the dimension `model`, with the names of the models that the bot uses. Alarms watch the other two.
"""

from collections.abc import Sequence

from parley.engine.telemetry import count, duration, log
from parley.models.model import Answer, Model, ModelError

_MILLION = 1_000_000


def measure(answer: Answer, models: Sequence[Model], seconds: float) -> None:
    """Record an answer of one of `models`, which took `seconds` with its repetitions."""
    name = answer.model
    count("ModelCalls", model=name)
    count("ModelTokensSent", answer.sent, model=name)
    count("ModelTokensReceived", answer.received, model=name)
    duration("ModelTime", seconds, model=name)
    price = next((model.price for model in models if model.name == name), (0, 0))
    if any(price):
        count("ModelCost", (answer.sent * price[0] + answer.received * price[1]) / _MILLION, model=name)


def measure_unanswered() -> None:
    """Record a message that no model has answered."""
    count("ModelFailures")


def measure_spent() -> None:
    """Record a message for which no tokens are left."""
    count("ModelBudgetsSpent")


def measure_failure(model: Model, error: ModelError) -> None:
    """Record a failed attempt, and log its reason."""
    count("ModelErrors", model=model.name)
    log.warning("model failed", extra={"model": model.name, "error": str(error)})
