"""Components and forms that Discord refuses. See `parley.adapter.Checks`, `parley.adapter.ChecksInstantAnswers`."""

from collections.abc import Iterable, Iterator

from parley.adapter import Element
from parley.model import Card, Destination, Message, Reply
from parley.model.instant import Instant
from parley.platforms.discord.components import Components
from parley.platforms.discord.instant import answer_json, form_problem

DIRECT_ROOMS = True
"""See `parley.adapter.HasDirectRooms`."""


def problems(reply: Reply, to: Destination) -> Iterator[str]:
    """See `parley.adapter.Checks.problems`."""
    for card in (segment for segment in reply.segments if isinstance(segment, Card)):
        yield from Components.of(card).unshown
        if card.form and (problem := form_problem(card.form)):
            yield problem


def as_text(card: Card, to: Destination) -> Iterable[Element]:
    """See `parley.adapter.Checks.as_text`. Discord has a form for every element, and sends the bot no numbers."""
    return ()


def instant_problems(message: Message, result: Instant) -> Iterator[str]:
    """See `parley.adapter.ChecksInstantAnswers.instant_problems`."""
    try:
        answer_json(message, result)
    except ValueError as error:
        yield str(error)
