"""Instant answers: functions of the bot that run within the callback, under a time limit."""

from collections.abc import Callable
from threading import Thread

from parley.engine import telemetry
from parley.engine.telemetry import log
from parley.errors import ResultError
from parley.model import Message
from parley.model.instant import Instant

BUDGET = 1.0
"""Seconds for an instant function. Discord waits three seconds, network and cold start included."""


def within(budget: float, function: Callable[[Message], Instant | None], message: Message) -> Instant | None:
    """The result of `function`, or None if it raises or takes longer than `budget` seconds.

    A slow function goes on in its thread; its result is dropped.
    """
    results: list[Instant | None] = []

    def run() -> None:
        try:
            results.append(function(message))
        except Exception as error:  # noqa: BLE001  # the bot's own exception must not end the callback
            from parley.engine.failures import reason_of, traceback_of  # noqa: PLC0415  # most functions do not fail

            shown = {"error": reason_of(error), "traceback": traceback_of(error)}
            log.error("instant function failed", extra={**telemetry.ids_of(message), **shown})
            telemetry.count("InstantAnswersInvalid" if isinstance(error, ResultError) else "InstantAnswersFailed")
            results.append(None)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(budget)
    if not results:
        log.error("instant function too slow", extra=telemetry.ids_of(message))
        telemetry.count("InstantAnswersTimedOut")
        return None
    return results[0]
