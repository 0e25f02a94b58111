"""Buttons and forms that Discord refuses. See `parley.adapter.Checks` and `parley.adapter.ChecksInstantAnswers`."""

from collections.abc import Iterator

from parley.model import Card, Destination, Message, Reply
from parley.model.instant import Instant
from parley.platforms.discord.buttons import Buttons
from parley.platforms.discord.instant import answer_json


def problems(reply: Reply, to: Destination) -> Iterator[str]:
    """See `parley.adapter.Checks.problems`."""
    for card in (segment for segment in reply.segments if isinstance(segment, Card)):
        yield from Buttons.of(card.buttons).unshown


def instant_problems(message: Message, result: Instant) -> Iterator[str]:
    """See `parley.adapter.ChecksInstantAnswers.instant_problems`."""
    try:
        answer_json(message, result)
    except ValueError as error:
        yield str(error)
