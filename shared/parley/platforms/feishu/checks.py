"""Cards that are too large. See `parley.adapter.Checks`."""

from collections.abc import Iterable, Iterator

from parley.adapter import Element
from parley.model import Card, Destination, Reply
from parley.platforms.feishu.content_limits import LIMITS, least_text
from parley.platforms.feishu.render import size_without_text, split_card

DIRECT_ROOMS = True
"""See `parley.adapter.HasDirectRooms`."""


def problems(reply: Reply, to: Destination) -> Iterator[str]:
    """See `parley.adapter.Checks.problems`. A button with an address becomes a line of text, so it is not lost."""
    limit = LIMITS.webhook.most if to.webhook else LIMITS.card.most
    most = limit - least_text(limit)
    pressed = [card for card in reply.segments if isinstance(card, Card) and card.is_pressable]
    for card in pressed:
        yield from _too_many(card)
    for one in (one for card in pressed for one in split_card(card, limit)):
        size = size_without_text(one)
        if size > most and one.is_pressable:
            yield (f"Feishu: a card with {_name(one)} has {size} bytes without its text; at most {most} are possible")


def as_text(card: Card, to: Destination) -> Iterable[Element]:
    """See `parley.adapter.Checks.as_text`. Feishu has a form for every element."""
    return ()


def _too_many(card: Card) -> Iterator[str]:
    inputs = len(card.form.inputs) if card.form else 0
    for count, most, what in (
        (len(card.selects), LIMITS.selects.most, "menus"),
        (inputs, LIMITS.inputs.most, "inputs"),
    ):
        if count > most:
            yield f"Feishu: a card has {count} {what}; at most {most} are possible"
    names = [field.id for field in card.form.inputs] if card.form else []
    if "" in names or len(set(names)) < len(names):
        yield "Feishu: the inputs of a form need ids of their own"


def _name(card: Card) -> str:
    """The part of a card that a person would miss."""
    buttons = [button.label for button in card.buttons if not button.url]
    if buttons:
        return f'the button "{buttons[0][:40]}"'
    labels = [select.label for select in card.selects]
    return f'the menu "{labels[0][:40]}"' if labels else "a form"
