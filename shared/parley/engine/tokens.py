"""Access tokens: one row for all instances, refreshed by one of them, early; dropped when the platform rejects them.

The row holds the token, when it ends, and when it is to be renewed: at 80 % of its life, give or take, as whoever
fetched it decided. Renewing takes a lock that expires, so a refresher that dies holds nobody up for long. Taking the
lock also requires that the token is still due: without that second condition a worker that saw the old token and came
late would fetch once more (measured: two fetches for twenty workers), and platforms exist where that kills the first.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from parley.adapter import Token
from parley.engine import telemetry
from parley.errors import RetryAfter
from parley.journal.rows import Item, get_number, get_text, number, text

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Fetch = Callable[[], Token]
_LOCK = 15.0
"""Seconds that a refresher has; longer than a token call may take with its retries."""
_WAIT = 3.0
"""Seconds to wait here for another worker's refresh before giving the work back to the queue."""
_FIRST_POLL, _LAST_POLL = 0.05, 0.8
"""Seconds between two looks while another worker refreshes: ever longer, since a thousand workers may be looking."""


@dataclass(frozen=True, slots=True)
class CachedToken:
    """A token with its generation: which one of its row's successive tokens it is."""

    value: str
    expires: float
    renew_at: float
    generation: int


@dataclass(slots=True)
class Tokens:
    """The tokens of this deployment, in the table `table`."""

    client: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    _held: dict[str, CachedToken] = field(default_factory=dict[str, CachedToken])

    def get(self, key: str, fetch: Fetch) -> CachedToken:
        """The token under `key`, fetched by `fetch` if there is none or it is due.

        Raises RetryAfter if another worker is fetching it and takes long; whatever `fetch` raises comes through.
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
                break  # somebody is renewing it; this one is still good
            if now >= deadline:
                raise RetryAfter(1, "waiting for another worker's token")
            self.sleep(poll * (0.5 + self.draw()))
            poll = min(_LAST_POLL, poll * 2)
        self._held[key] = held
        return held

    def reject(self, key: str, held: CachedToken) -> None:
        """The platform refused `held`: drop it, unless a newer one is already there."""
        self._held.pop(key, None)
        telemetry.count("TokensRejected")
        try:
            self.client.update_item(
                TableName=self.table,
                Key=_pk(key),
                UpdateExpression="SET expires = :zero, renew_at = :zero REMOVE #value",
                ConditionExpression="generation = :generation",
                ExpressionAttributeNames={"#value": "value"},
                ExpressionAttributeValues={":zero": number(0), ":generation": number(held.generation)},
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def _read(self, key: str) -> CachedToken | None:
        item: Item = self.client.get_item(TableName=self.table, Key=_pk(key), ConsistentRead=True).get("Item", {})
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
        try:
            self.client.update_item(
                TableName=self.table,
                Key=_pk(key),
                UpdateExpression="SET lock_until = :until, lock_owner = :owner",
                # Under our own name it is the answer to this very write that got lost.
                ConditionExpression="(attribute_not_exists(lock_until) OR lock_until < :now OR lock_owner = :owner) "
                "AND (attribute_not_exists(renew_at) OR renew_at <= :now)",
                ExpressionAttributeValues={
                    ":until": number(now + _LOCK),
                    ":owner": text(owner),
                    ":now": number(now),
                },
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _refresh(self, key: str, owner: str, fetch: Fetch, old: CachedToken | None) -> CachedToken:
        try:
            token = fetch()
        except Exception:
            self._unlock(key, owner)
            if old is not None and self.clock() < old.expires:
                # Renewing early leaves time for a second try; until then the old one does.
                telemetry.count("TokenRefreshFailed")
                return old
            raise
        now = self.clock()
        telemetry.count("TokensRefreshed")
        renew_at = now + (token.expires - now) * (0.75 + 0.1 * self.draw())
        generation = self._store(key, owner, token, renew_at)
        if generation is not None:
            return CachedToken(token.value, token.expires, renew_at, generation)
        # Too slow: somebody else has taken over, and on some platforms the later token ends the earlier one.
        return self._read(key) or CachedToken(token.value, token.expires, now, 0)

    def _store(self, key: str, owner: str, token: Token, renew_at: float) -> int | None:
        """Store `token` and say its generation; None if the lock was lost meanwhile."""
        try:
            stored = self.client.update_item(
                TableName=self.table,
                Key=_pk(key),
                UpdateExpression="SET #value = :value, expires = :expires, renew_at = :renew "
                "REMOVE lock_until, lock_owner ADD generation :one",
                ConditionExpression="lock_owner = :owner",
                ExpressionAttributeNames={"#value": "value"},
                ExpressionAttributeValues={
                    ":value": text(token.value),
                    ":expires": number(token.expires),
                    ":renew": number(renew_at),
                    ":one": number(1),
                    ":owner": text(owner),
                },
                ReturnValues="UPDATED_NEW",
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return None
        return int(get_number(stored.get("Attributes", {}), "generation") or 0)

    def _unlock(self, key: str, owner: str) -> None:
        try:
            self.client.update_item(
                TableName=self.table,
                Key=_pk(key),
                UpdateExpression="REMOVE lock_until, lock_owner",
                ConditionExpression="lock_owner = :owner",
                ExpressionAttributeValues={":owner": text(owner)},
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return


def _pk(key: str) -> Item:
    return {"pk": text(f"token#{key}")}
