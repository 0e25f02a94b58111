"""Organisations install an app of a service provider, change what they allow, and remove it: the work behind the queue.

The callback function only stores the event in the queue, as every message: the platform waits one second. The processor
does the work here, before the bot knows of it. Every step can be repeated, and the state of a tenant never goes back
(`parley.journal.tenants`). After it, the bot gets an event of the organisation: `app_installed`, for example.

A code is good once. If a worker dies after the exchange and before the result is stored, the code is lost, and nobody
can ask for it again: the event becomes a dead letter, and the organisation has to install the app again.
"""

import time
from collections.abc import Callable
from typing import cast
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from parley.adapter import (
    Answer,
    App,
    Call,
    Grant,
    Permanent,
    Sent,
    SupportsTenants,
    Token,
    TokenUnavailableError,
    Transient,
    name_in,
)
from parley.engine import queues, telemetry
from parley.engine.apps import Apps
from parley.engine.calls import CallContext, Calls, asking_at
from parley.engine.credentials import Credentials
from parley.engine.data_keys import DataKey
from parley.engine.telemetry import log
from parley.engine.tenant_codes import decrypted
from parley.errors import CredentialError, ParleyError, RetryAfter
from parley.journal.tenants import Tenant, TenantId, Tenants, TenantState
from parley.model import Destination, Message, digest
from parley.platforms import outbound

_LATER = 5.0
"""Seconds before another try after a refusal that may pass."""
_NO_TOKEN = 60.0
"""Seconds before another try if the configuration of the provider's app is refused."""


class InstallationLostError(ParleyError):
    """The code of an authorisation is used, has expired or cannot be read: the organisation has to install again."""


class Tenancy(msgspec.Struct):
    """Handles messages with `Context.authorisation`."""

    calls: Calls
    apps: Apps
    clock: Callable[[], float] = time.time

    @property
    def tenants(self) -> Tenants:
        """The rows of the tenants."""
        return Tenants(self.calls.client, self.calls.table)

    def __call__(self, message: Message) -> None:
        """Do what `message` says about a tenant, and queue an event for the bot.

        Raises InstallationLostError, RetryAfter and AwsError.
        """
        app = self.apps.get(message.platform, message.app)
        match message.context.authorisation:
            case "granted" | "claimed":
                id_ = self._granted(message, app)
            case "changed" | "compared":
                id_ = self._changed(message, app)
            case _:
                id_ = self._withdrawn(message)
        what = "TenantEventsStale" if id_ is None else "TenantEvents"
        telemetry.count(what, platform=message.platform, event=message.event)
        log.info(
            "authorisation handled",
            extra={**telemetry.ids_of(message), "event": message.event, "tenant": id_.id if id_ else ""},
        )
        if id_ is not None and message.context.authorisation != "compared":
            queues.send_messages([_for_bot(message, id_)])

    def note(self, message: Message, *, installed: bool) -> None:
        """Note that an organisation has an app that needs no code of it, or has it no more. Raises AwsError."""
        id_ = TenantId(message.platform, message.app, message.context.tenant)
        if installed:
            self.tenants.install(id_, message.timestamp, self.clock())
        elif self.tenants.withdraw(id_, message.timestamp, self.clock()):
            self._drop_token(self.apps.get(id_.platform, id_.app), id_)

    # --- the three kinds: each returns the tenant, or None if the event is out of date

    def _granted(self, message: Message, app: App) -> TenantId | None:
        try:
            code = Credentials(self.apps)(message)
        except CredentialError as error:
            raise InstallationLostError(str(error)) from error
        install = digest(message.platform, message.app, code)
        found = self.tenants.exchanged(install)
        id_ = TenantId(app.platform, app.name, found) if found else self._exchange(message, app, code, install)
        tenant = self.tenants.get(id_)
        if tenant is None or tenant.state is TenantState.CANCELLED or tenant.authorised != message.timestamp:
            return None
        return id_ if tenant.state is TenantState.ACTIVE or self._refresh(app, tenant) else None

    def _exchange(self, message: Message, app: App, code: str, install: str) -> TenantId:
        """Exchange `code` and store what it gives."""
        platform, owner = _platform(app), uuid4().hex
        key = DataKey(app.platform, app.name)
        self.tenants.begin_exchange(install, owner, self.clock())
        try:
            answer = _answer(self.calls, app, platform.exchange_call(code, app))
            grant = _grant(platform, answer)
        except _NotMadeError as error:
            self.tenants.end_exchange(install, owner)
            raise RetryAfter(error.seconds, str(error)) from error
        if grant is None:
            raise InstallationLostError("the code of the authorisation is used or has expired")
        id_ = TenantId(app.platform, app.name, grant.tenant)
        self.tenants.grant(id_, key.encrypted(id_.id, grant.code), message.timestamp, install, self.clock())
        return id_

    def _changed(self, message: Message, app: App) -> TenantId | None:
        """An event that comes before the authorisation is over with it: that one asks for the scope of its own time.
        A comparison is the same without an event.
        """
        tenant = self.tenants.get(TenantId(message.platform, message.app, message.context.tenant))
        if tenant is None:
            return None
        if tenant.state is TenantState.CANCELLED:
            self._drop_token(self._in_organisation(tenant.id), tenant.id)  # a worker may have died before it did
            return None
        return tenant.id if self._refresh(app, tenant) else None

    def _withdrawn(self, message: Message) -> TenantId | None:
        id_ = TenantId(message.platform, message.app, message.context.tenant)
        is_new = self.tenants.withdraw(id_, message.timestamp, self.clock())
        tenant = None if is_new else self.tenants.get(id_)
        if tenant is not None and (tenant.state, tenant.withdrawn) != (TenantState.CANCELLED, message.timestamp):
            return None
        self._drop_token(self._in_organisation(id_), id_)
        return id_

    # --- steps

    def _refresh(self, app: App, tenant: Tenant) -> bool:
        """Ask what the organisation allows, and store it. False if it has removed the app."""
        platform = _platform(app)
        try:
            answer = _answer(self.calls, app, platform.authorisation_call(tenant.id.id, decrypted(tenant), app))
        except _NotMadeError as error:
            raise RetryAfter(error.seconds, str(error)) from error
        if platform.has_left(answer):
            if self.tenants.lost(tenant, self.clock()):
                self._drop_token(self._in_organisation(tenant.id), tenant.id)
            return False
        found = platform.read_authorisation(answer)
        if found is None:
            raise RetryAfter(_LATER, "the platform does not say what the organisation allows")
        if not self.tenants.complete(tenant, found.agent, found.scope, self.clock()):
            raise RetryAfter(1, "the tenant has changed meanwhile")
        return True

    def _in_organisation(self, id_: TenantId) -> App:
        """The app of a provider in one organisation."""
        app = self.apps.get(id_.platform, id_.app)
        return App(app.platform, name_in(app.name, id_.id), app.config.of_tenant(id_.id, "0"), app)

    def _drop_token(self, app: App, id_: TenantId) -> None:
        """Delete the access token of a tenant that has left. What the platform has issued ends by itself."""
        if name := _context(app, id_.id).token_name:
            self.calls.tokens.drop(name)


class _NotMadeError(RetryAfter):
    """The platform has not carried out the call."""


def _answer(calls: Calls, app: App, call: Call) -> Answer:
    """The answer to `call` of the provider's app, also one that refuses it for good.

    Raises _NotMadeError if the platform has not done it, and RetryAfter if it is not known whether it has.
    """
    result = calls.ask(_context(app), call)
    match result.outcome:
        case Sent() | Permanent() if result.answer is not None:
            return result.answer
        case RetryAfter(seconds=seconds, reason=reason):
            raise _NotMadeError(seconds, reason)
        case Transient(reason=reason, after=after):
            raise _NotMadeError(max(after, _LATER), reason)
        case Permanent(reason=reason):
            raise _NotMadeError(_NO_TOKEN, reason)
        case other:
            raise RetryAfter(_LATER, getattr(other, "reason", ""))


def _grant(platform: SupportsTenants, answer: Answer) -> Grant | None:
    """What an exchange has given; None if its code is over. Raises _NotMadeError if the code is still good."""
    try:
        return platform.read_grant(answer)
    except RetryAfter as later:
        raise _NotMadeError(later.seconds, later.reason) from later


def fetch_token(calls: Calls, context: CallContext) -> Token:
    """The access token of the app of `context` in its organisation. Raises TokenUnavailableError, RetryAfter and
    AwsError.
    """
    app, provider, tenants = context.app, context.app.provider, Tenants(calls.client, calls.table)
    if provider is None:
        raise TypeError(f"{app.name} is no app of a tenant")
    tenant = tenants.get(tenant_of(app))
    if tenant is None or tenant.state is TenantState.CANCELLED:
        raise TokenUnavailableError("the organisation has not installed the app, or has removed it", None)
    platform = _platform(app)
    answer = _answer(calls, provider, platform.tenant_token_call(decrypted(tenant), app))
    if platform.has_left(answer):
        if tenants.lost(tenant, calls.clock()):
            calls.tokens.drop(context.token_name or "")
        raise TokenUnavailableError("the organisation has removed the app", None)
    return platform.read_tenant_token(answer, calls.clock())


def tenant_of(app: App) -> TenantId:
    """The tenant whose app `app` is."""
    name = app.provider.name if app.provider else app.name
    return TenantId(app.platform, name, app.name[len(name) + 1 :])


def _for_bot(message: Message, id_: TenantId) -> Message:
    """The event for the bot, in the name of the organisation. It is the same for each delivery of `message`."""
    context = replace(
        message.context, tenant=id_.id, authorisation=msgspec.UNSET, reply_token="", reply_token_expires=0
    )
    return replace(
        message,
        id=f"tenant-{message.id}",
        app=name_in(id_.app, id_.id),
        context=context,
        sender=replace(message.sender, id=id_.id),
    )


def _platform(app: App) -> SupportsTenants:
    return cast("SupportsTenants", outbound(app.platform))


def _context(app: App, tenant: str = "") -> CallContext:
    """The context of a call of `app` that is about no conversation, for an organisation."""
    return asking_at(Destination(platform=app.platform, app=app.name, tenant=tenant), app, outbound(app.platform))


def tenancy() -> Tenancy:
    """The tenancy of this process."""
    from parley.engine.delivery import deliverer  # noqa: PLC0415  # the same calls, tokens and rate limits

    made = deliverer()
    return Tenancy(made.calls, made.apps)
