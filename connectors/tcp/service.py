"""What the sessions of one instance need of the engine. All methods block; those that raise AwsError say so."""

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import msgspec

from connectors.tcp.feeds import Page
from parley.adapter import App, Headers, Rejected, Request
from parley.adapter.inbound import Reason
from parley.engine import queues, telemetry
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.callback_sources import is_listed
from parley.engine.key_sets import KeySets, KeySetUnavailableError, fetch
from parley.engine.stops import request_stop
from parley.engine.telemetry import log
from parley.journal.mailbox import Mailbox
from parley.journal.watchers import TooManyWatchersError, Watcher, Watchers
from parley.model import Conversation, person_key
from parley.model.stop import is_stop
from parley.platforms.http import persons, sockets
from parley.platforms.http.config import Config
from parley.platforms.http.frames import Hello, Open, Opened, Post
from parley.platforms.http.persons import Person
from parley.platforms.http.problems import problem

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

PLATFORM = "http"


def refusal(status: int, reason: Reason, detail: str) -> Rejected:
    """A refusal with a sentence for the author of the client."""
    return Rejected(status, reason, detail, problem(Rejected(status, reason), detail))


_NOT_STORED = Rejected(503, "unavailable")
_NOT_CHECKED = refusal(503, "unavailable", "The token cannot be checked now. Please connect again.")
_NOT_READABLE = refusal(503, "unavailable", "The conversation cannot be read now. Please open it again.")


class Known(msgspec.Struct, frozen=True):
    """A client whose token is valid until the Unix second `until`."""

    app: str
    person: Person
    until: int


class Service:
    """The engine for the apps with these names. `address` is that of this instance as a watcher."""

    def __init__(self, names: Collection[str], address: str, clock: Callable[[], float] = time.time) -> None:
        self._names, self.address, self._clock = frozenset(names), address, clock
        self._apps, self._key_sets = Apps(clock), KeySets(fetch, clock)
        table, keep_for = setting("TABLE"), float(setting("RETENTION_DAYS", "30")) * 86_400
        client: DynamoDBClient = dynamodb()
        self._watchers, self._mailbox = Watchers(client, table, keep_for), Mailbox(client, table, keep_for)

    # --- who it is

    def check(self, hello: Hello, source: str) -> Known | Rejected:
        """Whose token a client has that connects from the address `source`."""
        if hello.app not in self._names:
            return Rejected(404, "unknown_app")
        try:
            app = self._apps.get(PLATFORM, hello.app)
            found = self._person(hello, app, source)
            if isinstance(found, Rejected) and (changed := self._apps.reread(app)):
                found = self._person(hello, changed, source)
        except UnknownAppError:
            return Rejected(404, "unknown_app")
        except (AppsUnavailableError, KeySetUnavailableError) as error:
            return msgspec.structs.replace(_NOT_CHECKED, detail=str(error))
        return found

    def _person(self, hello: Hello, app: App, source: str) -> Known | Rejected:
        config: Config = app.config
        if not config.sockets:
            return Rejected(404, "unknown_app", "the app has no `sockets`")
        if config.callback_ips and config.other_ips == "refuse" and not is_listed(source, config.callback_ips):
            return Rejected(403, "other_address", f"{source} is not in callback_ips")
        request = Request("GET", Headers({"Authorization": f"Bearer {hello.token}"}), {}, b"")
        if wanted := persons.key_set(request, app):
            request = msgspec.structs.replace(request, key_set=self._key_sets.get(wanted))
        person = persons.person_of(request, app, self._clock())
        return person if isinstance(person, Rejected) else Known(app.name, person, person.until)

    # --- messages

    def store(self, name: str, person: Person, post: Post) -> str | Rejected:
        """Put a message of `person` into the queue. Returns its id once it is there."""
        try:
            message = sockets.message(post, self._apps.get(PLATFORM, name), person, self._clock())
            if isinstance(message, Rejected):
                return message
            queues.send_messages([message])
        except queues.TooLargeError:
            return Rejected(413, "too_large")
        except (AppsUnavailableError, UnknownAppError, *AwsError) as error:
            log.warning("message not stored", extra={"app": name, "error": error_code(error)})
            return _NOT_STORED
        log.info("message received", extra=telemetry.ids_of(message))
        if is_stop(message):
            request_stop(message, self._clock())
        return message.id

    # --- conversations

    def key(self, name: str, person: Person, room: str) -> str:
        """The key of a conversation of `person`, of the app with that name."""
        place = Conversation(platform=PLATFORM, app=name, room_id=persons.room_id(room), user_id=person.id)
        return place.key

    def open(self, name: str, person: Person, key: str, frame: Open) -> Opened | Rejected:
        """Where the replies begin that `person` gets of the conversation with that key. This instance watches it."""
        try:
            span = self._mailbox.begin(key, self._clock())
            after = int(frame.after) if frame.after is not None else self._acknowledged(name, person, key)
        except AwsError as error:
            return self._failed(error, key)
        cursor = span.last if after is None else min(max(after, span.first - 1), span.last)
        return Opened(room=frame.room, cursor=str(cursor), last=str(span.last))

    def acknowledge(self, name: str, person: Person, key: str, cursor: int) -> None:
        """`person` has handled the replies up to `cursor`. If it cannot be stored, they come again."""
        try:
            self._watchers.acknowledge(key, person_key(PLATFORM, name, person.id), cursor, self._clock())
        except AwsError as error:
            self._failed(error, key)

    def read(self, key: str, after: int) -> Page:
        """The replies after the number `after`. Raises AwsError."""
        span = self._mailbox.span(key)
        replies, _last = self._mailbox.numbered(key, span, after)
        return Page(replies, span.last)

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
            return refusal(503, "unavailable", "The conversation has too many watchers.")
        except AwsError as error:
            return self._failed(error, key)
        return None

    def forget(self, key: str, until: int) -> None:
        """Let this instance be notified no longer. If that fails, its entry expires."""
        try:
            self._watchers.forget(key, [Watcher(self.address, until)])
        except AwsError as error:
            self._failed(error, key)

    def _acknowledged(self, name: str, person: Person, key: str) -> int | None:
        """Raises AwsError."""
        return self._watchers.acknowledged(key, person_key(PLATFORM, name, person.id))

    def _failed(self, error: Exception, key: str) -> Rejected:
        log.warning("table not available", extra={"conversation": key, "error": error_code(error)})
        return _NOT_READABLE
