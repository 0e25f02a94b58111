"""What the sessions of one instance need of the engine. All methods block; those that raise AwsError say so."""

import time
from collections.abc import Callable, Collection
from typing import Any

from connectors.tcp.feeds import Page
from parley import adapter
from parley.adapter import Accepted, Acknowledge, App, Client, Headers, Position, Rejected, Request, Store, Watch
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.callback import Callback
from parley.engine.copies import with_addresses
from parley.engine.floods import Floods
from parley.engine.resuming import Resuming
from parley.engine.telemetry import log
from parley.journal.mailbox import Mailbox
from parley.journal.watchers import TooManyWatchersError, Watcher, Watchers
from parley.platforms import inbound
from parley.platforms.http import sockets
from parley.platforms.http.frames import Hello, described

PLATFORM = "http"
_UNAVAILABLE = Rejected(503, "unavailable")
_NOT_CHECKED = described(_UNAVAILABLE, "The token cannot be checked now. Please connect again.")


class Service:
    """The engine for the apps with these names, or for all. `address` is that of this instance as a watcher."""

    def __init__(self, names: Collection[str], address: str, clock: Callable[[], float] = time.time) -> None:
        self._names, self.address, self._clock = frozenset(names), address, clock
        self._callback = Callback(PLATFORM, inbound(PLATFORM), Apps(clock), clock)
        table, keep_for = setting("TABLE"), float(setting("RETENTION_DAYS", "30")) * 86_400
        self._watchers = Watchers(dynamodb(), table, keep_for)
        self._mailbox = Mailbox(dynamodb(), table, keep_for)
        self._resuming = Resuming(self._watchers, self._mailbox)
        self._floods = Floods(sockets)

    # --- who it is

    def check(self, hello: Hello, source: str) -> tuple[Client, App] | Rejected:
        """Whose token a client has that connects from the address `source`."""
        if self._names and hello.app not in self._names:
            return Rejected(404, "unknown_app")
        request = Request("GET", Headers({"Authorization": f"Bearer {hello.token}"}))
        event: dict[str, Any] = {"requestContext": {"identity": {"sourceIp": source}}}
        try:
            app = self._callback.apps.get(PLATFORM, hello.app)
            found, app = self._callback.receive(sockets.connecting(request)[1], app, event)
            # No message is stored: this checks the rate limit of the person.
            refused = found if isinstance(found, Rejected) else self._callback.store(found, app)
        except UnknownAppError:
            return Rejected(404, "unknown_app")
        except (AppsUnavailableError, *AwsError) as error:
            log.warning("token not checked", extra={"app": hello.app, "error": error_code(error)})
            return _NOT_CHECKED
        if isinstance(found, Accepted) and found.client is not None and refused is None:
            return found.client, app
        return refused or Rejected(403, "not_allowed")

    def interpret(self, data: bytes, client: Client, app: App) -> adapter.Action:
        """What a frame of `client` asks for. It makes no request."""
        now = self._clock()
        return self._floods.checked(sockets.action(data, client, app, now), client.key, now)

    # --- frames

    def store(self, store: Store, app: App) -> Rejected | None:
        """Put a message into the queue. None: it is there."""
        try:
            return self._callback.store(store.accepted, app)
        except AwsError as error:
            return self._failed(error, "message not stored")

    def open(self, watch: Watch, client: Client) -> Position | Rejected:
        """Where the replies begin that `client` gets of a conversation."""
        try:
            position = self._resuming.position(watch.conversation, client.key, watch.after, self._clock())
        except AwsError as error:
            return self._failed(error, "mailbox not readable")
        return position._replace(more=False)  # all of them follow

    def acknowledge(self, acknowledge: Acknowledge, client: Client) -> Rejected | None:
        """`client` has handled the replies up to a number."""
        conversation, cursor = acknowledge.conversation, acknowledge.cursor
        try:
            known = self._resuming.acknowledge(conversation, client.key, cursor, self._clock())
        except AwsError as error:
            return self._failed(error, "not acknowledged")
        return None if known else Rejected(400, "malformed", "the cursor is not that of a reply")

    def read(self, key: str, after: int) -> Page:
        """The replies after the number `after`. Raises AwsError."""
        span = self._mailbox.span(key)
        replies, _last = self._mailbox.numbered(key, span, after)
        shown = [(number, with_addresses(out, self._callback.inbound) if out else None) for number, out in replies]
        return Page(shown, span.last)

    # --- presence

    def watch(self, key: str, until: int, before: int) -> Rejected | None:
        """Let this instance be notified of replies until the Unix second `until`. `before`: until when it was, or 0."""
        watcher, now = Watcher(self.address, until), self._clock()
        try:
            if before:
                self._watchers.renew(key, Watcher(self.address, before), watcher, now)
            else:
                self._watchers.watch(key, watcher, now)
        except TooManyWatchersError:
            return _UNAVAILABLE
        except AwsError as error:
            return self._failed(error, "not watched")
        return None

    def forget(self, key: str, until: int) -> None:
        """Let this instance be notified no longer. If that fails, its entry expires."""
        try:
            self._watchers.forget(key, [Watcher(self.address, until)])
        except AwsError as error:
            self._failed(error, "presence left")

    def _failed(self, error: Exception, what: str) -> Rejected:
        log.warning(what, extra={"platform": PLATFORM, "error": error_code(error)})
        return _UNAVAILABLE
