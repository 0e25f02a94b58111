"""What has to be done with one row so that it holds nothing of a person. It reads and writes nothing itself.

Nothing of the journal's promises is undone: keys, states, versions and times stay. Each write has a condition on what
was read, so a row that a worker changes meanwhile is left as it is. A row in work is not touched.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from parley.adapter import Client, Sent
from parley.journal import table as t
from parley.journal.limits import QUEUE_RETENTION
from parley.journal.masking import Subject
from parley.journal.privacy import Forgotten, kind_of
from parley.journal.rows import patched, row_of
from parley.journal.states import FINAL, MessageState, ReplyState, Row
from parley.journal.table import Item, Value, get_number, get_text
from parley.model import Message, Outgoing
from parley.model.agenda import Agenda, Timer
from parley.model.codec import encode
from parley.model.state import PAIRING, PRIVATE, State, visible

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

NO_RESPONSE = '{"status":200,"body":"","content_type":"text/plain"}'
"""Replaces a stored response: the platform shows nothing, and delivers the message no more."""
_GONE_AFTER = QUEUE_RETENTION + 86_400
"""Seconds after the last attempt at a message. SQS makes it a dead letter within a day, and keeps that one so long."""
_OWNER = "forget-"
"""Begins the name under which a reply is taken that nobody else delivers now."""
_decode_agenda = msgspec.json.Decoder(Agenda).decode
_decode_timer = msgspec.json.Decoder(Timer).decode
_decode_client = msgspec.json.Decoder(Client).decode


class Step(NamedTuple):
    """What is to be done with a row.

    `under way`: a worker is at it, or will be; a later run finds it done. `failed`: the same, of a
    message on which the bot has failed; it may be a dead letter. `unreadable`: this version cannot read it.
    `waiting`: a reply that waits for the person's next message has to be ended first.
    """

    did: Forgotten | Literal["under way", "failed", "unreadable", "waiting"]
    write: "TransactWriteItemTypeDef | None" = None


UNDER_WAY = Step("under way")
FAILED = Step("failed")
UNREADABLE = Step("unreadable")
WAITING = Step("waiting")


class Eraser(NamedTuple):
    """Erases `subject` from rows of the table `table`. `ttl`: unix second at which an emptied state expires."""

    subject: Subject
    table: str
    now: float
    ttl: int

    @property
    def owner(self) -> str:
        """The name under which it takes a reply."""
        return f"{_OWNER}{self.subject.key[:24]}"

    def step(self, item: Item) -> Step | None:
        """What is to be done with the row `item`; None if it holds nothing of the person."""
        kinds: dict[str, Callable[[Item], Step | None]] = {
            "in": self._message,
            "out": self._reply,
            "callback": self._callback,
            "posted": self._posted,
            "conv": self._conversation,
            "user": self._user,
            "grant": self._grant,
            "shared": self._shared,
            "talk": self._talk,
            "timer": self._timer,
            "name": self._name,
            "limit": self._limit,
            "conn": self._client,
            "ticket": self._client,
            "seen": self._seen,
        }
        found = kinds.get(kind_of(get_text(item, "pk")))
        try:
            return found(item) if found is not None else None
        except ValueError:  # msgspec's errors are ValueErrors; another version may have written it
            return self._unreadable(item)

    def is_named_in(self, item: Item) -> bool:
        """Whether the bot itself has written the id of the person into a state of a room or of the app."""
        kind, shared = kind_of(get_text(item, "pk")), t.shared_pk(self.subject.platform, self.subject.app)
        here = self._is_here(item) if kind == "conv" else get_text(item, "pk") == shared
        memory = get_text(item, "memory")
        if not here or self._is_direct(item) or not self.subject.is_in(memory):
            return False
        return self.subject.is_in(encode(visible(msgspec.json.decode(memory))).decode())

    def _is_direct(self, item: Item) -> bool:
        """Whether a conversation is the direct chat with the person."""
        key = get_text(item, "pk").partition("#")[2]
        return get_text(item, "person") in self.subject.keys or key in self.subject.direct

    def _is_here(self, item: Item) -> bool:
        return self.subject.is_of(get_text(item, "platform"), get_text(item, "app"))

    def _update(self, item: Item, change: str, condition: str, **values: Value) -> "TransactWriteItemTypeDef":
        return {"Update": t.update(self.table, get_text(item, "pk"), change, condition, **values)}

    def _delete(self, item: Item) -> Step:
        return Step("deleted", {"Delete": {"TableName": self.table, "Key": t.key(get_text(item, "pk"))}})

    def _unreadable(self, item: Item) -> Step | None:
        stored = (get_text(item, name) for name in ("message", "body", "receipts", "agenda", "value"))
        return UNREADABLE if any(self.subject.may_be_in(each) for each in stored) else None

    # --- messages and replies

    def _message(self, item: Item) -> Step | None:
        stored, decided = get_text(item, "message"), MessageState.DECIDED
        if get_text(item, "state") != decided:
            return self._undecided(item) if get_text(item, "person") in self.subject.keys else None
        if not self._is_here(item) or not self.subject.is_in(stored):
            return None
        if self.subject.has_sent(stored):
            change = "REMOVE #message"
            return Step("masked", self._update(item, change, "#state = :decided", decided=decided))
        masked = self.subject.mask(stored, Message)
        if masked is None:
            return None
        change = "SET #message = :message"
        return Step("masked", self._update(item, change, "#state = :decided", decided=decided, message=masked))

    def _undecided(self, item: Item) -> Step:
        """A message that is in a queue or a dead letter. Results stay while it can be handled again."""
        received, updated = MessageState.RECEIVED, get_number(item, "updated")
        if updated is None or self.now < updated + _GONE_AFTER:
            return FAILED if get_text(item, "reason") else UNDER_WAY
        change, condition = "REMOVE #message, #results, #reason, #person", "#state = :received AND #updated = :updated"
        return Step("masked", self._update(item, change, condition, received=received, updated=updated))

    def _callback(self, item: Item) -> Step | None:
        own, response = get_text(item, "person") in self.subject.keys, get_text(item, "response")
        if own and not response and (draft := get_text(item, "draft")):
            return Step("masked", self._update(item, "REMOVE #draft", "#draft = :draft", draft=draft))
        if not own or not response:
            return None
        change, condition = "SET #response = :none REMOVE #person", "#response = :response"
        return Step("masked", self._update(item, change, condition, none=NO_RESPONSE, response=response))

    def _posted(self, item: Item) -> Step | None:
        """The hash of a short text can be guessed. Without it, the message is still handled once."""
        return self._delete(item) if get_text(item, "person") in self.subject.keys else None

    def _reply(self, item: Item) -> Step | None:
        row = row_of(item)
        if not self.subject.is_of(row.out.to.platform, row.out.to.app):
            return None
        own = self.subject.receives(row.out.to)
        write = self._without_content(item, row) if own else self._mentions(item, row)
        if write is None:
            return None
        if row.state in FINAL:
            return Step("masked", write)
        is_left = row.state is ReplyState.PENDING and not get_text(item, "due_shard")
        return WAITING if own and (is_left or row.owner == self.owner) else UNDER_WAY

    def _without_content(self, item: Item, row: Row) -> "TransactWriteItemTypeDef":
        body = encode(self.subject.without_content(row.out)).decode()
        change = "SET #body = :body REMOVE #receipts, #reason"
        return self._update(item, change, "#state = :state", body=body, state=row.state)

    def _mentions(self, item: Item, row: Row) -> "TransactWriteItemTypeDef | None":
        """The write that masks the person in a reply to somebody else."""
        body = self.subject.mask(get_text(item, "body"), Outgoing)
        receipts = self.subject.mask(get_text(item, "receipts"), tuple[Sent, ...])
        reason = self.subject.is_word_in(row.reason)
        if body is None and receipts is None and not reason:
            return None
        change = "SET #body = :body, #receipts = :receipts" + (" REMOVE #reason" if reason else "")
        values: dict[str, Value] = {
            "body": body or get_text(item, "body"),
            "receipts": receipts or get_text(item, "receipts") or "[]",
            "state": row.state,
        }
        return self._update(item, change, "#state = :state", **values)

    # --- states and plans

    def _user(self, item: Item) -> Step | None:
        return self._emptied(item) if get_text(item, "pk") in map(t.user_pk, self.subject.keys) else None

    def _grant(self, item: Item) -> Step | None:
        """The tokens of the person. A refresh that is under way does not bring them back: it changes a row of its own
        generation only.
        """
        return self._delete(item) if get_text(item, "pk") in map(t.grant_pk, self.subject.keys) else None

    def _shared(self, item: Item) -> Step | None:
        """The pairing of the person. What the bot has written there is its own."""
        here = get_text(item, "pk") == t.shared_pk(self.subject.platform, self.subject.app)
        memory: State = msgspec.json.decode(get_text(item, "memory")) if here else {}
        persons = memory.get(PRIVATE, {}).get(PAIRING, {}).get("persons", {})
        paired = [person for person in persons if self.subject.has_id(person)]
        if not paired:
            return None
        for person in paired:
            del persons[person]
        return Step("masked", self._next_version(item, "#memory = :memory", "", memory=encode(memory).decode()))

    def _conversation(self, item: Item) -> Step | None:
        if self._is_direct(item):
            return self._emptied(item)
        agenda = get_text(item, "agenda")
        if not agenda or not self._is_here(item) or not self.subject.is_in(agenda):
            return None
        left = self._without_plans(agenda)
        if left == agenda:
            return None
        if left == get_text(item, "memory") == "{}":
            return Step("masked", self._next_version(item, "#ttl = :ttl", "#agenda", ttl=self.ttl))
        return Step("masked", self._next_version(item, "#agenda = :agenda", "", agenda=left))

    def _talk(self, item: Item) -> Step | None:
        """A talk of a room goes as a whole: the model has answered the person in the midst of others."""
        is_in_room = self._is_here(item) and self.subject.is_in(get_text(item, "memory"))
        return self._emptied(item) if is_in_room or self._is_direct(item) else None

    def _without_plans(self, agenda: str) -> str:
        """The plans of a room without those of the person, and without the person in those of others."""
        found, is_own = _decode_agenda(agenda), self.subject.has_id
        left = msgspec.structs.replace(
            found,
            reminders={key: each for key, each in found.reminders.items() if not is_own(each.by)},
            dialogues={key: each for key, each in found.dialogues.items() if not is_own(each.message.sender.id)},
        )
        others = patched(agenda, found, left) if left != found else agenda
        return self.subject.mask(others, Agenda) or others

    def _emptied(self, item: Item) -> Step | None:
        """An empty state in place of this one. Its version goes on, so a handler that has read the old state runs again
        on the empty one.
        """
        is_empty = get_text(item, "memory") in ("", "{}") and not get_text(item, "agenda")
        if is_empty and not get_text(item, "person"):
            return None
        write = self._next_version(
            item, "#memory = :memory, #ttl = :ttl", "#agenda, #person", memory="{}", ttl=self.ttl
        )
        return Step("emptied", write)

    def _next_version(self, item: Item, sets: str, removes: str, **values: Value) -> "TransactWriteItemTypeDef":
        version = int(get_number(item, "version") or 0)
        change = f"SET {sets}, #version = :next, #updated = :now" + (f" REMOVE {removes}" if removes else "")
        return self._update(
            item, change, "#version = :version", version=version, next=version + 1, now=self.now, **values
        )

    def _timer(self, item: Item) -> Step | None:
        body = get_text(item, "body")
        message = _decode_timer(body).message
        if not self.subject.is_of(message.platform, message.app):
            return None
        condition, due = "#due_at = :due", get_number(item, "due_at") or 0
        if self.subject.has_id(message.sender.id):
            return Step("deleted", {"Delete": t.delete(self.table, get_text(item, "pk"), condition, due=due)})
        if message.raw is not None:  # an event of the library itself; it is due at once
            return UNDER_WAY if self.subject.is_in(encode(message.raw).decode()) else None
        masked = self.subject.mask(body, Timer)
        if masked is None:
            return None
        return Step("masked", self._update(item, "SET #body = :body", condition, body=masked, due=due))

    # --- rows whose key holds the id

    def _name(self, item: Item) -> Step | None:
        return self._delete(item) if self.subject.has_id(self.subject.id_in_name(get_text(item, "pk"))) else None

    def _limit(self, item: Item) -> Step | None:
        """Without its row, a bucket counts from zero. The platform may refuse a call then, and the reply waits."""
        platform, *parts = get_text(item, "pk").removeprefix(t.limit_pk("")).split("#")
        # The id of a person of the HTTP channel may have a # itself.
        is_own = any(self.subject.has_id(part) or part in self.subject.direct for part in (*parts, "#".join(parts[1:])))
        return self._delete(item) if is_own and platform == self.subject.platform else None

    # --- connections

    def _client(self, item: Item) -> Step | None:
        """A connection or a ticket of the person. Without its row, a connection gets no more replies."""
        client = _decode_client(get_text(item, "value"))
        is_own = self.subject.is_of(client.platform, client.app) and self.subject.has_id(client.person)
        return self._delete(item) if is_own else None

    def _seen(self, item: Item) -> Step | None:
        return self._delete(item) if get_text(item, "pk").rpartition("#")[2] in self.subject.keys else None
