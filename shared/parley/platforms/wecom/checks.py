"""Cards that would lose their buttons, or the whole reply. See `parley.adapter.Checks`."""

from collections.abc import Iterator

from parley.model import Card, Destination, Reply
from parley.platforms.wecom.cards import key_size
from parley.platforms.wecom.content_limits import LIMITS


def problems(reply: Reply, to: Destination) -> Iterator[str]:
    """See `parley.adapter.Checks.problems`. Group chats and robots show no buttons at all."""
    if to.room_id or to.webhook:
        return
    cards = [segment for segment in reply.segments if isinstance(segment, Card)]
    most = LIMITS.edited_buttons.most
    replaces = reply.op == "edit" and to.kind == "action" and reply.target in {"", to.message_id}
    if replaces and cards and cards[0] is reply.segments[0] and len(cards[0].buttons) > most:
        yield f"WeCom: a card that replaces another has {len(cards[0].buttons)} buttons; at most {most} are possible"
    most = LIMITS.button_key.most
    for button in (button for card in cards for button in card.buttons if key_size(button) > most):
        yield (
            f'WeCom: the button "{button.label[:40]}" has an id and value of {key_size(button)} bytes together; '
            f"at most {most} are possible"
        )
