"""See `parley.adapter.Checks`."""

from collections.abc import Iterable

from parley.adapter import Element
from parley.model import Card, Destination, Reply

SENDS_EDITS = True
"""See `parley.adapter.SendsEdits`."""


def problems(reply: Reply, to: Destination) -> Iterable[str]:
    """None: WeChat has a form for every card."""
    return ()


def as_text(card: Card, to: Destination) -> Iterable[Element]:
    """See `parley.adapter.Checks.as_text`. A menu of WeChat has no inputs."""
    return (card.form,) if card.form else ()
