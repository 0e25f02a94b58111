"""The elements of a card that one template card cannot show. See `parley.adapter.Checks`."""

from collections.abc import Iterable, Iterator

from parley.adapter import Element
from parley.model import Card, Destination, Reply
from parley.platforms.wecom.cards import key_size
from parley.platforms.wecom_bot.content_limits import LIMITS


def problems(reply: Reply, to: Destination) -> Iterable[str]:
    """None: a button that has no room becomes a number (`as_text`)."""
    return ()


def as_text(card: Card, to: Destination) -> Iterator[Element]:
    """See `parley.adapter.Checks.as_text`. An answer has room for one card with six buttons."""
    yield from card.selects
    if card.form:
        yield card.form
    has_short_keys = all(key_size(button) <= LIMITS.button_key.most for button in card.buttons)
    yield from () if has_short_keys and len(card.buttons) <= LIMITS.buttons.most else card.buttons
