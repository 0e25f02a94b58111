"""Answers that cannot wait, from functions of the bot that are trusted to be fast, and measured."""

from collections.abc import Callable
from threading import Thread

from parley.engine import telemetry
from parley.engine.batch import describe
from parley.engine.telemetry import log
from parley.model import Message
from parley.model.instant import Instant

BUDGET = 1.0
"""Seconds that an instant function has; Discord waits for three, with the way there and a cold start in them."""


def within(budget: float, function: Callable[[Message], Instant | None], message: Message) -> Instant | None:
    """What `function` says to `message`, or None if it has not said it after `budget` seconds or has raised.

    A function that takes longer goes on in its thread, which nobody waits for.
    """
    results: list[Instant | None] = []

    def run() -> None:
        try:
            results.append(function(message))
        except Exception as error:  # noqa: BLE001  # the bot's own; the callback has to go on
            log.error("instant function failed", extra={"message_id": message.id, "error": describe(error)})
            telemetry.count("InstantAnswersFailed", platform=message.platform)
            results.append(None)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(budget)
    if not results:
        log.error("instant function too slow", extra={"message_id": message.id})
        telemetry.count("InstantAnswersTimedOut", platform=message.platform)
        return None
    return results[0]
