"""The key sets that issuers of tokens publish (RFC 7517), one copy per process."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from parley.adapter import Call, KeySet
from parley.engine.http import CallError, Http, client
from parley.engine.telemetry import log
from parley.errors import ParleyError
from parley.untrusted import decode_json, mapping, mappings, text

_MAX_AGE = 3600.0
"""Seconds after which a key set is read again: then a key that the issuer has removed is not accepted any more."""
_AGAIN_AFTER = 60.0
"""Seconds between two reads: tokens with invented keys cause no more."""
_TIMEOUT = 2.0


class KeySetUnavailableError(ParleyError):
    """The key set was never read, and cannot be read now. The message says why."""


class _Entry(msgspec.Struct):
    """A key set. `read_at`: when it was read; `tried_at`: the last try, later than `read_at` if that one failed."""

    document: Any
    read_at: float
    tried_at: float


class KeySets(msgspec.Struct):
    """The key sets of this process. `fetch` gets an address and raises KeySetUnavailableError."""

    fetch: Callable[[str], Any]
    clock: Callable[[], float] = time.time
    _entries: dict[str, _Entry] = {}

    def get(self, wanted: KeySet) -> Any:
        """The key set, decoded. It is read again if it lacks the key, at most once a minute.

        While it cannot be read, the last one counts. Raises KeySetUnavailableError if there is none.
        """
        entry, now = self._entries.get(wanted.url), self.clock()
        if entry is None or self._is_due(entry, wanted.kid, now):
            entry = self._read(wanted.url, entry, now)
        if entry.document is None:
            raise KeySetUnavailableError("the key set of the issuer is not readable")
        return entry.document

    def _is_due(self, entry: _Entry, kid: str, now: float) -> bool:
        if now - entry.tried_at < _AGAIN_AFTER:
            return False
        return now - entry.read_at >= _MAX_AGE or not _has(entry.document, kid)

    def _read(self, url: str, known: _Entry | None, now: float) -> _Entry:
        try:
            entry = _Entry(self.fetch(url), now, now)
        except KeySetUnavailableError as error:
            log.error("key set not readable", extra={"url": url, "reason": str(error)})
            entry = _Entry(known.document if known else None, known.read_at if known else 0, now)
        self._entries[url] = entry
        return entry


def _has(document: Any, kid: str) -> bool:
    keys = mappings(mapping(document).get("keys"))
    return any(text(key.get("kid")) == kid for key in keys) if kid else bool(keys)


def fetch(url: str) -> Any:
    """The document at `url`. Raises KeySetUnavailableError."""
    try:
        answer = Http(client()).perform(Call(name="keys", method="GET", url=url, timeout=_TIMEOUT))
    except CallError as error:
        raise KeySetUnavailableError(error.outcome.reason) from error
    if answer.status != 200:
        raise KeySetUnavailableError(f"HTTP {answer.status}")
    try:
        found = mapping(decode_json(answer.body))
    except ValueError as error:
        raise KeySetUnavailableError("not JSON") from error
    if not mappings(found.get("keys")):
        raise KeySetUnavailableError("not a key set: it has no keys")
    return found
