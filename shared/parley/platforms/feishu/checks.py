"""Buttons that are too large for a card. See `parley.adapter.Checks`."""

from collections.abc import Iterator

from parley.model import Card, Destination, Reply
from parley.platforms.feishu.content_limits import LIMITS, least_text
from parley.platforms.feishu.render import size_without_text, split_card


def problems(reply: Reply, to: Destination) -> Iterator[str]:
    """See `parley.adapter.Checks.problems`. A button with an address becomes a line of text, so it is not lost."""
    limit = LIMITS.webhook.most if to.webhook else LIMITS.card.most
    most = limit - least_text(limit)
    cards = (segment for segment in reply.segments if isinstance(segment, Card))
    pressed = (card for card in cards if any(not button.url for button in card.buttons))
    for one in (one for card in pressed for one in split_card(card, limit)):
        size = size_without_text(one)
        lost = [button.label for button in one.buttons if not button.url]
        if size > most and lost:
            yield (
                f'Feishu: a card with the button "{lost[0][:40]}" has {size} bytes without its text; '
                f"at most {most} are possible"
            )
