"""Forgets a person: removes or masks all that the table holds of them.

There is no index of persons. So the table is read twice, page by page: first for the direct chats with the person, then
for everything. A run stores how far it got. One that dies goes on from there when it is started again, and a run that
is repeated finds nothing more.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from parley.journal import table as t
from parley.journal.eraser import FAILED, UNREADABLE, WAITING, Eraser, Step
from parley.journal.masking import Subject
from parley.journal.outbox import LeaseLostError, Outbox
from parley.journal.privacy import kind_of
from parley.journal.rows import row_of
from parley.journal.states import ReplyState, Row
from parley.journal.table import Item, forget_pk, get_text, number, text
from parley.model import is_direct
from parley.model.codec import decode_message, encode

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import ScanInputTypeDef

PAGE = 100
"""Rows that are read at once. After each page the progress is stored."""
KEEP_PROGRESS = 7 * 86_400
"""Seconds for which the progress of a run that has died is stored."""
_LEASE = 20.0
"""Seconds for which a reply is held to end it."""


_WITH_IDS = ("message", "body", "agenda")
"""Attributes with JSON that holds ids of persons."""


class Report(NamedTuple):
    """What a run has done: `counts` by kind of row and treatment, `{"in masked": 3}`. If the run has died and gone on,
    the rows of one page may be missing.

    `under_way`: keys of rows that a worker is at, or will be; run it again later. `named`: keys of the states of rooms
    and of the app in which the bot itself has written the id of the person. `unreadable`: keys of rows that may hold
    the person, and that another version has written. Both are left as they are.
    """

    counts: dict[str, int]
    under_way: tuple[str, ...]
    named: tuple[str, ...]
    unreadable: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    """The platform's ids of those messages under way on which the bot has failed. They may be dead letters."""


class _Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a run got. `cursor`: the last key that this reading of the table has passed."""

    stage: Literal["find", "erase", "done"] = "find"
    cursor: str = ""
    direct: frozenset[str] = frozenset()
    spellings: frozenset[str] = frozenset()
    """These two are those of `Subject`."""
    counts: dict[str, int] = {}
    under_way: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()

    def to(self, last: str) -> "_Progress":
        """After the page that ends with the key `last`; empty: after the last page."""
        following: Literal["erase", "done"] = "erase" if self.stage == "find" else "done"
        return replace(self, cursor=last) if last else replace(self, cursor="", stage=following)

    def counted(self, what: str) -> "_Progress":
        """With one row more of which `what` was done."""
        return replace(self, counts=self.counts | {what: self.counts.get(what, 0) + 1})


_decode_progress = msgspec.json.Decoder(_Progress).decode


class Forget(msgspec.Struct):
    """Forgets persons in the table `table`.

    `keep_for`: seconds until an emptied state expires. `pause`: seconds between two pages; they leave capacity of the
    table for others. `wait`: seconds before each new look at the rows that were under way, `looks` times.
    """

    client: "DynamoDBClient"
    table: str
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    keep_for: float = 30 * 86_400
    pause: float = 0.2
    wait: float = 20.0
    looks: int = 3

    def __call__(self, platform: str, app: str, person: str) -> Report:
        """Forget a person of an app, by the platform's id. Raises AwsError, and ValueError if one of them is empty."""
        if not (platform and app and person):
            raise ValueError("forget needs the platform, the app and the platform's id of the person")
        subject = Subject(platform, app, person)
        progress = self._stored(subject)
        while progress.stage != "done":
            progress = self._page(subject, progress)
            self._store(subject, progress)
            self.sleep(self.pause)
        for _ in range(self.looks):
            if progress.under_way:
                self.sleep(self.wait)
                progress = self._again(subject, progress)
                self._store(subject, progress)
        self.client.delete_item(TableName=self.table, Key=t.key(forget_pk(subject.key)))
        left = (tuple(sorted(keys)) for keys in _left(progress))
        return Report(progress.counts, *left)

    # --- progress

    def _stored(self, subject: Subject) -> _Progress:
        """The progress of a run that has died; that of a new one if there is none."""
        value = get_text(t.get(self.client, self.table, forget_pk(subject.key)), "value")
        return _decode_progress(value) if value else _Progress()

    def _store(self, subject: Subject, progress: _Progress) -> None:
        item: Item = {
            "pk": text(forget_pk(subject.key)),
            "value": text(encode(progress).decode()),
            "ttl": number(int(self.clock()) + KEEP_PROGRESS),
        }
        self.client.put_item(**t.put(self.table, item))

    # --- rows

    def _page(self, subject: Subject, progress: _Progress) -> _Progress:
        """Handle the next page of the table."""
        request: ScanInputTypeDef = {"TableName": self.table, "Limit": PAGE, "ConsistentRead": True}
        if progress.cursor:
            request["ExclusiveStartKey"] = t.key(progress.cursor)
        page = self.client.scan(**request)
        last = get_text(page.get("LastEvaluatedKey", {}), "pk")
        if progress.stage == "find":
            found = (places for item in page["Items"] for places in _direct_chats(item, subject))
            spelled = (spellings for item in page["Items"] for spellings in _spellings(item, subject))
            return replace(
                progress, direct=progress.direct.union(found), spellings=progress.spellings.union(spelled)
            ).to(last)
        for item in page["Items"]:
            progress = self._erase(item, subject, progress)
        return progress.to(last)

    def _again(self, subject: Subject, progress: _Progress) -> _Progress:
        """Look again at the rows that were under way."""
        keys = sorted(progress.under_way)
        progress = replace(progress, under_way=frozenset(), failed=frozenset())
        for item in t.get_many(self.client, self.table, keys).values():
            progress = self._erase(item, subject, progress)
        return progress

    def _erase(self, item: Item, subject: Subject, progress: _Progress) -> _Progress:
        now, pk = self.clock(), get_text(item, "pk")
        person = replace(subject, direct=progress.direct, spellings=progress.spellings)
        eraser = Eraser(person, self.table, now, int(now + self.keep_for))
        if eraser.is_named_in(item):
            progress = replace(progress, named=progress.named | {pk})
        step = eraser.step(item)
        if step is WAITING:
            step = self._ended(item, eraser)
        if step is None:
            return progress
        if step is UNREADABLE:
            return replace(progress, unreadable=progress.unreadable | {pk})
        if step is FAILED:
            progress = replace(progress, failed=progress.failed | {get_text(item, "id")})
        if step.write is None or not self._done(step):
            return replace(progress, under_way=progress.under_way | {pk})
        return progress.counted(f"{kind_of(pk)} {step.did}")

    def _done(self, step: Step) -> bool:
        """Carry out `step`. False if the row has changed since it was read."""
        try:
            self.client.transact_write_items(TransactItems=[step.write] if step.write else [])
        except self.client.exceptions.TransactionCanceledException:
            return False
        return True

    def _ended(self, item: Item, eraser: Eraser) -> Step | None:
        """End a reply that waits for the person's next message, as any worker would, and return what is to be done with
        it then.
        """
        outbox, out = Outbox(self.client, self.table, _LEASE), row_of(item).out
        taken = outbox.take(out.id, eraser.owner, self.clock(), calls=False)
        if isinstance(taken, Row):
            try:
                outbox.finish(out, eraser.owner, ReplyState.FAILED, taken.receipts, "forgotten", self.clock())
            except LeaseLostError:
                return eraser.step(item)
        return eraser.step(t.get(self.client, self.table, get_text(item, "pk")))


def _left(progress: _Progress) -> tuple[frozenset[str], ...]:
    """What `Report` lists, in its order."""
    return progress.under_way, progress.named, progress.unreadable, progress.failed


def _spellings(item: Item, subject: Subject) -> set[str]:
    """The ways in which the row writes the id of the person."""
    found = {subject.id_in_name(get_text(item, "pk"))}
    for name in _WITH_IDS:
        try:
            found |= subject.spelled_in(get_text(item, name))
        except ValueError:  # another version may have written it
            continue
    return set(filter(subject.has_id, found))


def _direct_chats(item: Item, subject: Subject) -> set[str]:
    """The id and the key of the direct chat that the row shows, if it is one with the person."""
    pk, message = get_text(item, "pk"), get_text(item, "message")
    if kind_of(pk) == "conv" and get_text(item, "person") == subject.key:
        return {pk.removeprefix(t.conversation_pk(""))}
    if kind_of(pk) != "in" or not subject.is_in(message):
        return set()
    try:
        found = decode_message(message)
    except ValueError:  # msgspec's errors are ValueErrors; another version may have written it
        return set()
    if not subject.is_of(found.platform, found.app) or not subject.has_id(found.sender.id) or not is_direct(found):
        return set()
    return set(filter(None, (found.context.room_id, get_text(item, "conversation"))))
