"""The bot's states: of a conversation, of a person in all rooms of an app, of an app, and what a conversation has said
with a language model. Each is one row.

A decision stores those that the bot has changed, in its transaction. The row's version fences it: a state that another
worker has changed since it was read makes the decision void.
"""

from typing import TYPE_CHECKING

import msgspec

from parley.errors import ParleyError
from parley.journal import table as t
from parley.journal.limits import MAX_STATE
from parley.journal.table import Item, Value, get_number, get_text, number, text
from parley.model import Conversation, Message, is_direct, sender_key
from parley.model.agenda import NOTHING, Agenda
from parley.model.codec import encode
from parley.model.state import OWNERS, Scope, State, visible

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


_decode_agenda = msgspec.json.Decoder(Agenda).decode


class DecisionTooLargeError(ParleyError):
    """The bot's decision is larger than the journal can store. The message names the limit."""


class Memory(msgspec.Struct, frozen=True):
    """A state as it was read. `version` is 0 if there is no row."""

    scope: Scope
    pk: str
    state: State = {}
    version: int = 0
    agenda: Agenda = NOTHING
    """Only a conversation has plans."""


class Change(msgspec.Struct, frozen=True):
    """A state that the bot may have changed: as it was read, and as it is now."""

    before: Memory
    state: State
    agenda: Agenda = NOTHING

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to store."""
        return self.state != self.before.state or self.agenda != self.before.agenda


def memory_pk(scope: Scope, message: Message) -> str:
    """The key of the row that holds the state `scope` for a handler of `message`."""
    match scope:
        case "state":
            return t.conversation_pk(Conversation.of(message).key)
        case "user":
            return t.user_pk(sender_key(message))
        case "shared":
            return t.shared_pk(message.platform, message.app)
        case "talk":
            return t.talk_pk(Conversation.of(message).key)


def memory_of(scope: Scope, pk: str, item: Item) -> Memory:
    """The state in the row `item`; a new one if it is empty."""
    body = get_text(item, "memory")
    agenda = get_text(item, "agenda")
    return Memory(
        scope=scope,
        pk=pk,
        state=msgspec.json.decode(body) if body else {},
        version=int(get_number(item, "version") or 0),
        agenda=_decode_agenda(agenda) if agenda else NOTHING,
    )


def changed(table: str, change: Change, message: Message, now: float, ttl: int) -> "TransactWriteItemTypeDef":
    """Part of a transaction: the row with the new state after `message`. `ttl`: unix second when an empty one
    without plans, or a talk, expires.

    Raises DecisionTooLargeError.
    """
    before, body = change.before, encode(change.state)
    plans = b"" if change.agenda == NOTHING else encode(change.agenda)
    size = len(body) + len(plans)
    if size > MAX_STATE:
        what = f"{OWNERS[before.scope]} state{' with its reminders and dialogues' if plans else ''}"
        raise DecisionTooLargeError(f"{what} is {size} bytes of JSON; at most {MAX_STATE} can be stored")
    item: Item = {
        "pk": text(before.pk),
        "memory": text(body.decode()),
        "version": number(before.version + 1),
        "updated": number(now),
        **(_place(message) if before.scope in ("state", "talk") else {}),
    }
    if plans:
        item["agenda"] = text(plans.decode())
    is_empty = not change.state or (before.scope != "shared" and not visible(change.state))
    if change.agenda.is_temporary and (is_empty or before.scope == "talk"):
        item["ttl"] = number(ttl)
    condition = "#version = :version" if before.version else t.ABSENT
    values: dict[str, Value] = {"version": before.version} if before.version else {}
    return {"Put": t.put(table, item, condition, **values)}


def _place(message: Message) -> Item:
    """Whose plans and state a conversation's row holds, for `parley.journal.forget`: its key does not say it."""
    place: Item = {"platform": text(message.platform), "app": text(message.app)}
    return place | ({"person": text(sender_key(message))} if is_direct(message) else {})
