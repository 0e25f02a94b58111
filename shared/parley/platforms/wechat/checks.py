"""See `parley.adapter.Checks`."""

from collections.abc import Iterable

from parley.model import Destination, Reply


def problems(reply: Reply, to: Destination) -> Iterable[str]:
    """None: WeChat has a form for every card."""
    return ()
