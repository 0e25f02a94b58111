"""App configuration from SSM: one SecureString `/parley/{stage}/{platform}/{app}` per app, cached per process."""

import math
import random
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from parley.adapter import App, Config, name_in, split_name
from parley.engine.aws import AwsError, dynamodb, error_code, setting, ssm
from parley.engine.telemetry import log
from parley.errors import ParleyError
from parley.platforms import config_type

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
MAX_AGE = 300.0
"""Seconds after which a cached configuration is read again."""
_REREAD_AFTER = 5.0
"""Seconds between two reads of one app that callers can force, so that forged callbacks do not use up SSM's quota."""
_UNKNOWN_BURST, _UNKNOWN_EVERY = 2, 1.0
"""Reads of unknown names: this many at once, then one per this many seconds, for the same reason. The limit is small,
as a flood of made-up names also starts many processes: each makes two reads and one listing at most."""
_LIST_EVERY = 10.0
"""Seconds between two listings of the existing names, while unknown names exceed that rate."""
_MOST_UNKNOWN = 1000
"""Names without a configuration that a process remembers."""
_SSM_BUDGET, _SSM_REQUEST = 2.6, 1.3
"""Seconds for all requests to SSM of one callback, because platforms wait three seconds; and for the slowest request:
the client's timeouts."""
_JITTER = 0.2
"""Seconds at most before a second try, by chance: processes that SSM has refused together do not come back together."""
_FINAL = frozenset({"ParameterNotFound", "AccessDeniedException"})
"""Errors of SSM after which the same request is not made again at once."""
_Answer = TypeVar("_Answer")


class UnknownAppError(ParleyError):
    """There is no configuration under that name."""


class TenantUnknownError(UnknownAppError):
    """The organisation has not installed the app, as far as is known. Its messages may come before that is known."""


class TenantCancelledError(UnknownAppError):
    """The organisation has removed the app."""


class AppsUnavailableError(ParleyError):
    """The configuration is not available: SSM fails, or the stored value is not valid.

    `failing_for`: the seconds since this process first failed to read it.
    """

    failing_for: float = 0


class _Requests(msgspec.Struct, frozen=True):
    """Requests to SSM that are over by the unix second `until`."""

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    until: float
    draw: Callable[[], float]

    def make(self, request: Callable[..., _Answer], **arguments: Any) -> _Answer:
        """The answer to `request`, which is made twice if there is time and it may help.

        Raises AwsError, and AppsUnavailableError if there is no time.
        """
        if not self._is_time():
            raise AppsUnavailableError("SSM is too slow")
        try:
            return request(**arguments)
        except AwsError as error:
            if error_code(error) in _FINAL or not self._is_time():
                raise
        left = self.until - _SSM_REQUEST - self.clock()
        self.sleep(min(max(left, 0.0), self.draw() * _JITTER))
        return request(**arguments)

    def _is_time(self) -> bool:
        return self.clock() + _SSM_REQUEST <= self.until


class _Entry(msgspec.Struct):
    """The last read of an app. `tried_at` is the time of the last try, later than `read_at` if that one failed."""

    app: App | None
    raw: str
    read_at: float
    tried_at: float


class Apps(msgspec.Struct):
    """The apps of this deployment."""

    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    _entries: dict[tuple[str, str], _Entry] = {}
    _credit: float = _UNKNOWN_BURST
    _credit_at: float = 0
    _listed_at: dict[str, float] = {}
    _unread: dict[str, set[str]] = {}
    """By platform, existing names that are not read yet. They need no credit, so made-up names cannot block them."""
    _failing_since: dict[tuple[str, str], float] = {}
    """The time of the first failed read of an app, until one succeeds."""

    def get(self, platform: str, name: str) -> App:
        """The app `name` of `platform`; of one organisation if the name says so (`name_in`).

        Raises UnknownAppError, AppsUnavailableError.
        """
        name, tenant = split_name(name)
        app = self._get(platform, name)
        return _in_tenant(app, tenant) if tenant else app

    def _get(self, platform: str, name: str) -> App:
        if not _NAME.fullmatch(name):
            raise UnknownAppError(name)
        entry = self._entries.get((platform, name))
        if entry is None or self._is_due(entry):
            entry = self._read(platform, name, entry)
        if entry.app is None:
            raise UnknownAppError(name)
        return entry.app

    def reread(self, app: App) -> App | None:
        """`app` with the configuration of now, if that is another one; None if it is the same. It is read again, unless
        it was seconds ago.

        Used if a signature does not match: an operator may have changed a key a minute ago.
        """
        if app.provider is not None:
            fresh = self.reread(app.provider)
            return None if fresh is None else _in_tenant(fresh, split_name(app.name)[1])
        entry = self._entries.get((app.platform, app.name))
        if entry is None or self.clock() - entry.tried_at >= _REREAD_AFTER:
            entry = self._read(app.platform, app.name, entry)
        # `app` may be older than the entry: several callers keep an app for long.
        return entry.app if entry.app != app else None

    def _is_due(self, entry: _Entry) -> bool:
        now = self.clock()
        if entry.app is None:
            return now - entry.read_at > _UNKNOWN_EVERY
        return now - entry.read_at > MAX_AGE and now - entry.tried_at > _REREAD_AFTER

    def _read(self, platform: str, name: str, known: _Entry | None) -> _Entry:
        requests = _Requests(self.clock, self.sleep, self.clock() + _SSM_BUDGET, self.draw)
        if known is None or known.app is None:
            self._spend_credit(requests, platform, name)
        try:
            raw = _fetch(requests, platform, name)
            app = None if raw is None else _parse(platform, name, raw)
        except AppsUnavailableError as error:
            error.failing_for = self._failing_for((platform, name))
            if known is not None and known.app is not None:
                # The cached configuration is used while SSM is down or the stored value is not valid. The next try
                # waits: a try with each callback would use up SSM's quota, and the callback's time.
                known.tried_at = self.clock()
                ids = {"platform": platform, "app": name, "reason": str(error)}
                log.warning("configuration not readable, using the cached one", extra=ids)
                return known
            raise
        self._failing_since.pop((platform, name), None)
        now = self.clock()
        entry = _Entry(app, raw or "", now, now)
        if entry.app is not None:
            self._credit = min(_UNKNOWN_BURST, self._credit + 1)
        if entry.app is not None or len(self._entries) < _MOST_UNKNOWN:
            self._entries[platform, name] = entry
        return entry

    def _failing_for(self, app: tuple[str, str]) -> float:
        """Seconds since the first of the failed reads of `app`, of which there is another one now."""
        if len(self._failing_since) >= _MOST_UNKNOWN:
            self._failing_since.clear()
        return self.clock() - self._failing_since.setdefault(app, self.clock())

    def _spend_credit(self, requests: _Requests, platform: str, name: str) -> None:
        now = self.clock()
        self._credit = min(_UNKNOWN_BURST, self._credit + (now - self._credit_at) / _UNKNOWN_EVERY)
        self._credit_at = now
        if self._credit >= 1:
            self._credit -= 1
            return
        if now - self._listed_at.get(platform, -math.inf) >= _LIST_EVERY:
            self._listed_at[platform], self._unread[platform] = now, _names(requests, platform)
        if name not in self._unread[platform]:
            raise AppsUnavailableError("too many unknown app names")
        self._unread[platform].discard(name)


def is_configured_name(name: str) -> bool:
    """Whether `name` can be that of a configuration, and not that of an app in one organisation."""
    return _NAME.fullmatch(name) is not None


def _in_tenant(app: App, tenant: str) -> App:
    """`app` in the organisation `tenant`, as its row says now. Raises UnknownAppError, AppsUnavailableError."""
    if not app.config.has_tenants:
        raise UnknownAppError(name_in(app.name, tenant))
    from parley.journal.tenants import TenantId, Tenants, TenantState  # noqa: PLC0415  # few apps have tenants

    try:
        found = Tenants(dynamodb(), setting("TABLE")).get(TenantId(app.platform, app.name, tenant))
    except AwsError as error:
        raise AppsUnavailableError(f"tenant: {error_code(error)}") from error
    if found is None or found.state is TenantState.WAITING:
        raise TenantUnknownError(name_in(app.name, tenant))
    if found.state is TenantState.CANCELLED:
        raise TenantCancelledError(name_in(app.name, tenant))
    return App(app.platform, name_in(app.name, tenant), app.config.of_tenant(tenant, found.agent), app)


def _fetch(requests: _Requests, platform: str, name: str) -> str | None:
    path = f"/parley/{setting('STAGE')}/{platform}/{name}"
    try:
        return requests.make(ssm().get_parameter, Name=path, WithDecryption=True)["Parameter"].get("Value", "")
    except AwsError as error:
        if error_code(error) == "ParameterNotFound":
            return None
        raise AppsUnavailableError(f"SSM: {error_code(error)}") from error


def _names(requests: _Requests, platform: str) -> set[str]:
    """The names of the apps of `platform`; none if SSM fails. The values are not decrypted."""
    names, following = set[str](), dict[str, str]()
    try:
        while True:
            path = f"/parley/{setting('STAGE')}/{platform}"
            page = requests.make(ssm().get_parameters_by_path, Path=path, **following)
            names |= {one.get("Name", "").rsplit("/", 1)[-1] for one in page["Parameters"]}
            if not (token := page.get("NextToken")):
                return names
            following = {"NextToken": token}
    except AwsError as error:
        log.warning("names of apps not readable", extra={"platform": platform, "error": error_code(error)})
        return set()


def _parse(platform: str, name: str, raw: str) -> App:
    try:
        config = decode(platform, raw)
    except (msgspec.MsgspecError, ValueError) as error:
        # msgspec names the field and the types, never the value.
        log.error("configuration is not valid", extra={"platform": platform, "app": name, "reason": str(error)})
        raise AppsUnavailableError("the stored configuration is not valid") from error
    return App(platform, name, config)


def decode(platform: str, raw: str) -> Config:
    """The configuration in the JSON `raw`. Raises MsgspecError and ValueError, which name the field and no value."""
    config = msgspec.json.decode(raw, type=config_type(platform))
    _check_addresses(config)
    return config


def _check_addresses(config: Config) -> None:
    """Raise ValueError unless `callback_ips` lists addresses and blocks."""
    if config.callback_ips:
        # Imported here, so that apps without the list do not pay for it.
        from parley.engine.callback_sources import networks  # noqa: PLC0415

        networks(config.callback_ips)
