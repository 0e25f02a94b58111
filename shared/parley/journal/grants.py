"""Logins of persons: one row for each login that is under way, and one for each person who has logged in.

A login that is under way (`login#`) is taken once: the row is deleted before the code is exchanged.

A grant (`grant#`) holds the tokens of a person, encrypted. A refresh token is good once, so the row is written before a
refresh as well: `attempts` counts the refreshes of this token whose outcome is not known. A worker that dies between
the platform's answer and the write leaves that trace. The next one tries the same token once more, as the request may
never have arrived, and then ends the grant: the person logs in again.
"""

from typing import TYPE_CHECKING

import msgspec

from parley.journal import table as t
from parley.journal.table import Item, Value, get_number, get_text, grant_pk, login_pk, number, text
from parley.model import digest, person_key
from parley.model.codec import encode

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

LOGIN_LASTS = 600.0
"""Seconds from the first page of a login to its end."""
_KEPT = 3000
"""Seconds for which DynamoDB keeps a row after its end. Its deletion has no exact time."""
LEASE = 45.0
"""Seconds that a refresh may take; longer than its call and the requests of AWS around it."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A login under way: for the question `place` of a dialogue, whose timer has the id `timer`. An installation that a
    browser has begun has the place `install`, and no timer.
    """

    platform: str
    app: str
    timer: str = ""
    place: str
    expires: float


class GrantId(msgspec.Struct, frozen=True):
    """The person `person` of `app`."""

    platform: str
    app: str
    person: str

    @property
    def owner(self) -> str:
        """The key of the person, which the encrypted tokens name as well."""
        return person_key(self.platform, self.app, self.person)

    @property
    def pk(self) -> str:
        """The key of the row."""
        return grant_pk(self.owner)


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A row. `tokens` are encrypted, so no two rows have the same. `expires` is the end of the access token, `ends` is
    that of the refresh token, in unix seconds; 0 without one.
    """

    id: GrantId
    tokens: str
    scopes: str
    expires: float
    ends: float
    attempts: int = 0
    lock_until: float = 0

    @property
    def last(self) -> float:
        """The unix second at which the grant is over."""
        return max(self.expires, self.ends)

    def has(self, scopes: str) -> bool:
        """Whether the person has given all of `scopes`."""
        return set(scopes.split()) <= set(self.scopes.split())


_decode = msgspec.json.Decoder(Pending).decode


class Grants(msgspec.Struct):
    """The logins in the table `table`. All methods raise AwsError."""

    client: "DynamoDBClient"
    table: str

    # --- logins under way

    def begin(self, state: str, browser: str, pending: Pending) -> None:
        """Store a login under way. Only hashes of `state` and of `browser`, the value of a cookie, are stored."""
        item: Item = {
            "pk": text(login_pk(digest(state))),
            "owner": text(digest(browser)),
            "value": text(encode(pending).decode()),
            "ttl": number(int(pending.expires) + _KEPT),
        }
        self.client.put_item(**t.put(self.table, item))

    def find(self, state: str, browser: str, now: float) -> Pending | None:
        """What `take` would return, without taking it."""
        row = t.get(self.client, self.table, login_pk(digest(state)))
        return _pending(row, now) if get_text(row, "owner") == digest(browser) else None

    def take(self, state: str, browser: str, now: float) -> Pending | None:
        """The login under way with this `state` in this browser, once. None: it was taken, it has expired, it belongs
        to another browser, or there is none.
        """
        request = t.delete(self.table, login_pk(digest(state)), "#owner = :owner", owner=digest(browser))
        try:
            row = self.client.delete_item(**request, ReturnValues="ALL_OLD").get("Attributes", {})
        except self.client.exceptions.ConditionalCheckFailedException:
            return None
        return _pending(row, now)

    # --- grants

    def get(self, id_: GrantId) -> Grant | None:
        """The grant of a person; None if they have not logged in."""
        item = t.get(self.client, self.table, id_.pk)
        return _grant(id_, item) if get_text(item, "value") else None

    def store(self, grant: Grant, now: float) -> None:
        """Store the grant of a new login, in place of an earlier one. A refresh of that one is out of date then."""
        request = t.update(
            self.table,
            grant.id.pk,
            "SET #value = :value, #scope = :scope, #expires = :expires, #ends = :ends, #platform = :platform, "
            "#app = :app, #attempts = :zero, #updated = :now, #ttl = :ttl "
            "REMOVE #lock_until, #lock_owner",
            "",
            **_values(grant, now),
            platform=grant.id.platform,
            app=grant.id.app,
        )
        self.client.update_item(**request)

    def begin_refresh(self, grant: Grant, owner: str, now: float) -> bool:
        """Take the refresh of `grant`, and count the attempt. False if another worker has it, or if the row changed."""
        return self._update(
            grant.id,
            "SET #lock_until = :until, #lock_owner = :owner, #attempts = :attempts",
            # A lock of our own is this very write, repeated because its answer was lost.
            "#value = :before AND (attribute_not_exists(#lock_until) OR #lock_until < :now OR #lock_owner = :owner)",
            until=now + LEASE,
            owner=owner,
            attempts=grant.attempts + 1,
            before=grant.tokens,
            now=now,
        )

    def end_refresh(self, grant: Grant, owner: str, *, done: bool) -> None:
        """Give the refresh back. Not `done`: the platform has not carried it out, and the attempt does not count."""
        self._update(
            grant.id,
            "SET #attempts = :attempts REMOVE #lock_until, #lock_owner",
            "#lock_owner = :owner",
            attempts=grant.attempts + 1 if done else grant.attempts,
            owner=owner,
        )

    def refreshed(self, grant: Grant, before: Grant, now: float) -> bool:
        """Store `grant`, which the platform has given for `before`. False if the row is not that of `before` any more.

        It needs no lease: the platform gives one successor, and whoever has it stores it.
        """
        is_stored = self._update(
            grant.id,
            "SET #value = :value, #scope = :scope, #expires = :expires, #ends = :ends, #attempts = :zero, "
            "#updated = :now, #ttl = :ttl REMOVE #lock_until, #lock_owner",
            "#value = :before",
            **_values(grant, now),
            before=before.tokens,
        )
        if is_stored:
            return True
        found = self.get(grant.id)  # the write may be repeated, because its answer was lost
        return found is not None and found.tokens == grant.tokens

    def over(self, grant: Grant) -> None:
        """The platform does not take the access token of `grant` any more, before its time."""
        self._update(grant.id, "SET #expires = :zero", "#value = :before", zero=0, before=grant.tokens)

    def end(self, grant: Grant) -> None:
        """Delete `grant`, unless there is a newer one."""
        request = t.delete(self.table, grant.id.pk, "#value = :before", before=grant.tokens)
        try:
            self.client.delete_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def remove(self, id_: GrantId) -> Grant | None:
        """Delete the grant of a person, whichever it is. Returns it; None if there is none."""
        answer = self.client.delete_item(TableName=self.table, Key=t.key(id_.pk), ReturnValues="ALL_OLD")
        item = answer.get("Attributes", {})
        return _grant(id_, item) if get_text(item, "value") else None

    def _update(self, id_: GrantId, change: str, condition: str, **values: Value) -> bool:
        try:
            self.client.update_item(**t.update(self.table, id_.pk, change, condition, **values))
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _pending(row: Item, now: float) -> Pending | None:
    found = _decode(get_text(row, "value"))
    return found if now < found.expires else None


def _values(grant: Grant, now: float) -> dict[str, Value]:
    return {
        "value": grant.tokens,
        "scope": grant.scopes,
        "expires": grant.expires,
        "ends": grant.ends,
        "zero": 0,
        "now": now,
        "ttl": int(grant.last) + _KEPT,
    }


def _grant(id_: GrantId, item: Item) -> Grant:
    return Grant(
        id=id_,
        tokens=get_text(item, "value"),
        scopes=get_text(item, "scope"),
        expires=get_number(item, "expires") or 0,
        ends=get_number(item, "ends") or 0,
        attempts=int(get_number(item, "attempts") or 0),
        lock_until=get_number(item, "lock_until") or 0,
    )
