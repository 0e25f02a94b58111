"""The elements of a card that one template card cannot show. See `parley.adapter.Checks`."""

from collections.abc import Iterable

from parley.adapter import Element
from parley.model import Card, Destination, Reply
from parley.platforms.wecom_bot.cards import numbered

ANSWERS_ONLY = True
"""See `parley.adapter.AnswersOnly`."""
READABLE_IDS = True
"""The user ids of a company. See `parley.adapter.HasReadableIds`."""


def problems(reply: Reply, to: Destination) -> Iterable[str]:
    """None: a button that has no room becomes a number (`as_text`)."""
    return ()


def as_text(card: Card, to: Destination) -> Iterable[Element]:
    """See `parley.adapter.Checks.as_text`. An answer has room for one template card."""
    return numbered(card)
