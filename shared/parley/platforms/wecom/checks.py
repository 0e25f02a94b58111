"""Cards that would lose their buttons, or the whole reply. See `parley.adapter.Checks`."""

from collections.abc import Iterable, Iterator

from parley.adapter import Element
from parley.model import Card, Destination, Reply
from parley.platforms.wecom.cards import key_size
from parley.platforms.wecom.content_limits import LIMITS
from parley.platforms.wecom.menus import shows_form, shows_select
from parley.platforms.wecom.receivers import persons

SENDS_EDITS = True
"""See `parley.adapter.SendsEdits`."""
READABLE_IDS = True
"""The user ids of a company. See `parley.adapter.HasReadableIds`."""


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


def as_text(card: Card, to: Destination) -> Iterable[Element]:
    """See `parley.adapter.Checks.as_text`. A group chat or robot sends the bot nothing, so it gets no numbers."""
    if to.room_id or to.webhook:
        return
    yield from (select for select in card.selects if not shows_select(select))
    if card.form and not shows_form(card.form):
        yield card.form


def person_id(id_: str) -> str:
    """See `parley.adapter.ComparesPersons`. WeCom ignores the case of a user id, and may send it in lower case."""
    return id_.lower()


def is_receiver(user_id: str, person: str) -> bool:
    """See `parley.adapter.NamesSeveralPersons`. Everybody may be in a department or have a tag."""
    named = persons(user_id)
    return person_id(person) in named if named else bool(user_id)
