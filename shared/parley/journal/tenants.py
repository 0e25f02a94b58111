"""Tenants: the organisations that have installed an app of a service provider, one row for each.

The platform's events about them come early, twice, or in another order than the organisation has acted. So every change
has the time of its event as a condition, and the row remembers the last authorisation and the last removal:

* An authorisation counts unless a later authorisation or removal is stored.
* A removal counts unless a later authorisation, or the same removal, is stored. It deletes the code.
* The agent and the scope are what the platform says when it is asked. They are stored only if the row has not changed
  since then.

The code of an authorisation can be exchanged once. The row of its exchange (`install`) gives the work to one worker,
and the same transaction stores its result with the tenant. A worker that dies before it starts only delays the others.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from parley.errors import RetryAfter
from parley.journal import table as t
from parley.journal.table import Item, Value, get_number, get_text, install_pk, number, tenant_pk, text

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

EXCHANGE = 60.0
"""Seconds that an exchange may take; longer than the worker's timeout by default. A worker of a longer `BotSeconds`
makes one call as well."""
KEEP_EXCHANGE = 15 * 86_400
"""Seconds: longer than an event can be in the queue."""
KEEP_CANCELLED = 30 * 86_400
"""Seconds for which a removal is remembered: longer than an event can be in the queue and in its dead-letter queue."""


class TenantState(StrEnum):
    """`WAITING`: the code is stored, and what the organisation allows is not known yet."""

    WAITING = "WAITING"
    ACTIVE = "ACTIVE"
    CANCELLED = "CANCELLED"


class TenantId(msgspec.Struct, frozen=True):
    """The organisation `id` that has installed `app`."""

    platform: str
    app: str
    id: str

    @property
    def pk(self) -> str:
        """The key of its row."""
        return tenant_pk(self.platform, self.app, self.id)


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """A row. `code` is encrypted (`parley.engine.tenant_codes`). `version` counts the changes.

    `authorised` and `withdrawn` are the unix seconds of the last authorisation and of the last removal, 0 if none was.
    """

    id: TenantId
    state: TenantState
    agent: str = ""
    scope: str = ""
    code: str = ""
    authorised: float = 0
    withdrawn: float = 0
    version: int = 0


class Tenants(msgspec.Struct):
    """The tenants in the table `table`. All methods raise AwsError."""

    client: "DynamoDBClient"
    table: str

    def get(self, id_: TenantId) -> Tenant | None:
        """The row of `id_`; None if there is none."""
        item = t.get(self.client, self.table, id_.pk)
        return _tenant(item) if item else None

    def grant(self, id_: TenantId, code: str, at: float, install: str, now: float) -> None:
        """Store the encrypted `code` of an authorisation of the time `at`, unless something later is stored, and that
        its code with the hash `install` is exchanged.
        """
        change = t.update(
            self.table,
            id_.pk,
            "SET #state = :state, #platform = :platform, #app = :app, #id = :id, #value = :value, "
            "#authorised = :at, #updated = :now REMOVE #agent, #scope, #ttl ADD #version :one",
            "(attribute_not_exists(#authorised) OR #authorised <= :at) "
            "AND (attribute_not_exists(#withdrawn) OR #withdrawn <= :at)",
            state=TenantState.WAITING,
            value=code,
            at=at,
            now=now,
            one=1,
            **_names(id_),
        )
        done = t.put(self.table, self._exchanged(install, id_, now))
        try:
            self.client.transact_write_items(TransactItems=[{"Update": change}, {"Put": done}])
        except self.client.exceptions.TransactionCanceledException as error:
            if not _is_condition(error):
                raise
            self.client.put_item(**done)

    def install(self, id_: TenantId, at: float, now: float) -> bool:
        """Store that the organisation has had the app since the time `at`, without a code.

        False if a later authorisation or removal, or the same authorisation, is stored.
        """
        return self._update(
            id_,
            "SET #state = :state, #platform = :platform, #app = :app, #id = :id, #authorised = :at, #updated = :now "
            "REMOVE #ttl ADD #version :one",
            "(attribute_not_exists(#authorised) OR #authorised < :at) "
            "AND (attribute_not_exists(#withdrawn) OR #withdrawn <= :at)",
            state=TenantState.ACTIVE,
            at=at,
            now=now,
            one=1,
            **_names(id_),
        )

    def complete(self, tenant: Tenant, agent: str, scope: str, now: float) -> bool:
        """Store what the organisation allows. False if the row has changed since `tenant` was read."""
        return self._update(
            tenant.id,
            "SET #state = :state, #agent = :agent, #scope = :scope, #updated = :now ADD #version :one",
            "#version = :version",
            state=TenantState.ACTIVE,
            agent=agent,
            scope=scope,
            version=tenant.version,
            now=now,
            one=1,
        )

    def withdraw(self, id_: TenantId, at: float, now: float) -> bool:
        """Store that the organisation removed the app at the time `at`. The code is deleted.

        False if a later authorisation, or the same removal, is stored.
        """
        return self._withdraw(
            id_,
            at,
            now,
            "(attribute_not_exists(#authorised) OR #authorised <= :at) "
            "AND (attribute_not_exists(#withdrawn) OR #withdrawn < :at)",
        )

    def lost(self, tenant: Tenant, now: float) -> bool:
        """The platform has refused the code of `tenant`: that authorisation is over. A later one counts all the same.

        False if the row has changed since `tenant` was read.
        """
        return self._withdraw(tenant.id, tenant.authorised, now, "#version = :version", version=tenant.version)

    # --- the exchange of a code

    def exchanged(self, install: str) -> str:
        """The id of the organisation whose code was exchanged under the hash `install`; empty if none was."""
        return get_text(t.get(self.client, self.table, install_pk(install)), "id")

    def begin_exchange(self, install: str, owner: str, now: float) -> None:
        """Take the exchange of the code with the hash `install`. Raises RetryAfter while another worker has it."""
        request = t.update(
            self.table,
            install_pk(install),
            "SET #lock_until = :until, #lock_owner = :owner, #ttl = :ttl",
            # A lock of our own is this very write, repeated because its answer was lost.
            "attribute_not_exists(#id) AND "
            "(attribute_not_exists(#lock_until) OR #lock_until < :now OR #lock_owner = :owner)",
            until=now + EXCHANGE,
            owner=owner,
            ttl=int(now) + KEEP_EXCHANGE,
            now=now,
        )
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            raise RetryAfter(5, "another worker exchanges the code") from None

    def end_exchange(self, install: str, owner: str) -> None:
        """Give the exchange back: the platform has not used the code."""
        request = t.update(
            self.table,
            install_pk(install),
            "REMOVE #lock_until, #lock_owner",
            "#lock_owner = :owner AND attribute_not_exists(#id)",
            owner=owner,
        )
        try:
            self.client.update_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def _exchanged(self, install: str, id_: TenantId, now: float) -> Item:
        return {"pk": text(install_pk(install)), "id": text(id_.id), "ttl": number(int(now) + KEEP_EXCHANGE)}

    def _withdraw(self, id_: TenantId, at: float, now: float, condition: str, **values: Value) -> bool:
        return self._update(
            id_,
            "SET #state = :state, #platform = :platform, #app = :app, #id = :id, #withdrawn = :at, #updated = :now, "
            "#ttl = :ttl REMOVE #value, #agent, #scope ADD #version :one",
            condition,
            state=TenantState.CANCELLED,
            at=at,
            now=now,
            ttl=int(now) + KEEP_CANCELLED,
            one=1,
            **_names(id_),
            **values,
        )

    def _update(self, id_: TenantId, change: str, condition: str, **values: Value) -> bool:
        try:
            self.client.update_item(**t.update(self.table, id_.pk, change, condition, **values))
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _names(id_: TenantId) -> dict[str, Value]:
    return {"platform": id_.platform, "app": id_.app, "id": id_.id}


def _tenant(item: Item) -> Tenant:
    return Tenant(
        id=TenantId(get_text(item, "platform"), get_text(item, "app"), get_text(item, "id")),
        state=TenantState(get_text(item, "state")),
        agent=get_text(item, "agent"),
        scope=get_text(item, "scope"),
        code=get_text(item, "value"),
        authorised=get_number(item, "authorised") or 0,
        withdrawn=get_number(item, "withdrawn") or 0,
        version=int(get_number(item, "version") or 0),
    )


def _is_condition(error: Exception) -> bool:
    """Whether a condition, and nothing else, has cancelled a transaction."""
    response = getattr(error, "response", {})
    codes = {reason.get("Code") for reason in response.get("CancellationReasons", ())}
    return codes <= {"ConditionalCheckFailed", "None"}
