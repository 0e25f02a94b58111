"""Access tokens: one row for all instances, renewed early by one of them, dropped when the platform rejects the token.

The row holds the token, its expiry, and the time of its renewal, at about 80 % of its life. Renewal takes a lock that
expires, so a worker that dies during it delays the others only briefly. The lock also requires that the token is still
due: otherwise a late worker that read the old token would fetch again (measured: two fetches for twenty workers), and
on some platforms the second token ends the first.
"""

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from parley.adapter import Token
from parley.engine import telemetry
from parley.errors import RetryAfter
from parley.journal import table as t
from parley.journal.table import Item, Value, get_number, get_text, token_pk

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Fetch = Callable[[], Token]
_LOCK = 15.0
"""Seconds that a renewal may take; longer than a token call with its retries."""
_WAIT = 3.0
"""Seconds to wait for another worker's renewal before the record goes back to the queue."""
_FIRST_POLL, _LAST_POLL = 0.05, 0.8
"""Seconds between two reads while another worker renews. They grow: a thousand workers may be waiting."""


class CachedToken(msgspec.Struct, frozen=True):
    """A token with its generation, the number of the token in its row."""

    value: str
    expires: float
    renew_at: float
    generation: int


class Tokens(msgspec.Struct):
    """The tokens of this deployment, in the table `table`."""

    client: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    _held: dict[str, CachedToken] = {}

    def get(self, key: str, fetch: Fetch) -> CachedToken:
        """The token under `key`, fetched by `fetch` if there is none or its renewal is due.

        Raises RetryAfter if another worker is fetching it and takes long, and every exception of `fetch`.
        """
        now = self.clock()
        held = self._held.get(key)
        if held is not None and now < held.renew_at:
            return held
        deadline = now + _WAIT
        owner, poll = uuid4().hex, _FIRST_POLL
        while True:
            held = self._read(key)
            now = self.clock()
            if held is not None and now < held.renew_at:
                break
            if self._lock(key, owner, now):
                held = self._refresh(key, owner, fetch, held)
                break
            if held is not None and now < held.expires:
                break  # another worker renews it; this one is still valid
            if now >= deadline:
                raise RetryAfter(1, "waiting for another worker's token")
            self.sleep(poll * (0.5 + self.draw()))
            poll = min(_LAST_POLL, poll * 2)
        self._held[key] = held
        return held

    def reject(self, key: str, held: CachedToken) -> None:
        """The platform has refused `held`: drop it, unless a newer token is stored."""
        self._held.pop(key, None)
        telemetry.count("TokensRejected")
        self._update(
            key,
            "SET #expires = :zero, #renew_at = :zero REMOVE #value",
            "#generation = :generation",
            zero=0,
            generation=held.generation,
        )

    def drop(self, key: str) -> None:
        """Remove the token under `key`, if there is one: its organisation has removed the app."""
        self._held.pop(key, None)
        # A worker that is fetching one loses its lock, and stores nothing.
        change = "SET #expires = :zero, #renew_at = :zero REMOVE #value, #lock_until, #lock_owner"
        self._update(key, change, "attribute_exists(#pk)", zero=0)

    def _read(self, key: str) -> CachedToken | None:
        item = t.get(self.client, self.table, token_pk(key))
        value = get_text(item, "value")
        if not value:
            return None
        return CachedToken(
            value=value,
            expires=get_number(item, "expires") or 0,
            renew_at=get_number(item, "renew_at") or 0,
            generation=int(get_number(item, "generation") or 0),
        )

    def _lock(self, key: str, owner: str, now: float) -> bool:
        locked = self._update(
            key,
            "SET #lock_until = :until, #lock_owner = :owner",
            # A lock of our own is this very write, repeated because its answer was lost.
            "(attribute_not_exists(#lock_until) OR #lock_until < :now OR #lock_owner = :owner) "
            "AND (attribute_not_exists(#renew_at) OR #renew_at <= :now)",
            until=now + _LOCK,
            owner=owner,
            now=now,
        )
        return locked is not None

    def _refresh(self, key: str, owner: str, fetch: Fetch, old: CachedToken | None) -> CachedToken:
        try:
            token = fetch()
        except Exception:
            self._unlock(key, owner)
            if old is not None and self.clock() < old.expires:
                # Renewal begins early enough for another try; until then the old token is used.
                telemetry.count("TokenRefreshFailed")
                return old
            raise
        now = self.clock()
        telemetry.count("TokensRefreshed")
        renew_at = now + (token.expires - now) * (0.75 + 0.1 * self.draw())
        generation = self._store(key, owner, token, renew_at)
        if generation is not None:
            return CachedToken(token.value, token.expires, renew_at, generation)
        # The lock was lost to another worker. On some platforms its newer token ends this one.
        return self._read(key) or CachedToken(token.value, token.expires, now, 0)

    def _store(self, key: str, owner: str, token: Token, renew_at: float) -> int | None:
        """Store `token` and return its generation; None if the lock was lost."""
        stored = self._update(
            key,
            "SET #value = :value, #expires = :expires, #renew_at = :renew "
            "REMOVE #lock_until, #lock_owner ADD #generation :one",
            "#lock_owner = :owner",
            value=token.value,
            expires=token.expires,
            renew=renew_at,
            one=1,
            owner=owner,
        )
        return None if stored is None else int(get_number(stored, "generation") or 0)

    def _unlock(self, key: str, owner: str) -> None:
        self._update(key, "REMOVE #lock_until, #lock_owner", "#lock_owner = :owner", owner=owner)

    def _update(self, key: str, change: str, condition: str, **values: Value) -> Item | None:
        """The attributes that `change` has set; None if `condition` was not met."""
        request = t.update(self.table, token_pk(key), change, condition, **values)
        try:
            return self.client.update_item(**request, ReturnValues="UPDATED_NEW").get("Attributes", {})
        except self.client.exceptions.ConditionalCheckFailedException:
            return None
