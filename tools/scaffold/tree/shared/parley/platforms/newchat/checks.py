"""See `parley.adapter.Checks`."""

# Next: Find what NewChat refuses and no fallback mends, such as a button with a long value.

from collections.abc import Iterable

from parley.adapter import Element
from parley.model import Card, Destination, Reply


def problems(reply: Reply, to: Destination) -> Iterable[str]:
    """None: NewChat takes every card."""
    return ()


def as_text(card: Card, to: Destination) -> Iterable[Element]:
    """Menus and forms: NewChat has buttons only, and a person sends a number instead."""
    return (*card.selects, *([card.form] if card.form else []))
