"""See `parley.adapter.Checks`."""

from collections.abc import Iterable

from parley.adapter import Element
from parley.model import Card, Destination, Reply


def problems(reply: Reply, to: Destination) -> Iterable[str]:
    """None: a client gets every card as it is."""
    return ()


def as_text(card: Card, to: Destination) -> Iterable[Element]:
    """None: a client gets menus, forms and buttons as they are."""
    return ()
