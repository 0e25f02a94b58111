"""The message that another one quotes or forwards."""

from typing import TYPE_CHECKING, Any

from parley.model import Quote

if TYPE_CHECKING:
    from parley.bot.turn import Turn


def quoted(turn: "Turn[Any, Any, Any]") -> Quote | None:
    """See `Turn.quoted`."""
    message = turn.message
    found = next((part for part in message.segments if isinstance(part, Quote)), None)
    if found is not None and found.text:
        return found
    id_ = found.message_id if found is not None else message.reply_to
    if not id_:
        return None
    if id_ not in turn.quotes:
        turn.quotes[id_] = turn.once(f"parley.quoted {id_}", lambda _key: turn.find_quote(id_, message))
    return Quote(message_id=id_, text=turn.quotes[id_]) if turn.quotes[id_] else None
