"""The function of WebSockets: handshakes, tickets, frames, and ends of connections.

API Gateway holds the connections. It calls the function for the handshake, for each frame and for the end, at the same
time for several frames of one connection. The journal has what is known of a connection.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from parley.adapter import (
    Accepted,
    Acknowledge,
    App,
    Client,
    Rejected,
    Request,
    Store,
    SupportsSockets,
    Tell,
    Watch,
)
from parley.engine import telemetry
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.aws import AwsError, dynamodb, error_code, pushes, setting
from parley.engine.batch import describe
from parley.engine.callback import Callback, rejection
from parley.engine.copies import with_addresses
from parley.engine.floods import Floods
from parley.engine.gateway import BadEventError, Event, lambda_response, request_of
from parley.engine.notices import Pushes
from parley.engine.snapshot import reseed_after_restore
from parley.engine.telemetry import log
from parley.journal.watchers import LIFE, Connection, TooManyWatchersError, Watchers
from parley.platforms import inbound, sockets

if TYPE_CHECKING:
    from parley.engine.resuming import Resuming

TICKET_LASTS = 60
"""Seconds for which a ticket is good."""
_FRAME_SECONDS = 5.0
"""Seconds for one frame of an answer."""
_DONE: dict[str, Any] = {"statusCode": 200}
"""The result of a frame. API Gateway does not send it to the client."""


class Connections(msgspec.Struct):
    """The handler of one platform's connections, made once per process.

    `url`: where clients connect, with https. `resuming`: makes what reads the replies that a client has missed.
    `floods`: the limits of frames in this process.
    """

    platform: str
    sockets: SupportsSockets
    callback: Callback
    watchers: Watchers
    pushes: Callable[[], Pushes]
    resuming: "Callable[[Watchers], Resuming]"
    url: str
    floods: Floods
    clock: Callable[[], float] = time.time
    ticket: Callable[[], str] = secrets.token_urlsafe

    def __call__(self, event: Event, _context: object) -> dict[str, Any]:
        """Handle one event of the WebSocket API, or a request for a ticket of the REST API."""
        context: Mapping[str, Any] = event.get("requestContext") or {}
        # Not the name of the route: a client can name it in a frame.
        match context.get("eventType"):
            case "CONNECT":
                return self._connect(event, context["connectionId"])
            case "MESSAGE":
                self._frame(str(event.get("body") or ""), context["connectionId"])
            case "DISCONNECT":
                self.watchers.disconnect(context["connectionId"])
            case _:
                return self._issue(event)
        return _DONE

    # --- handshakes and tickets

    def _connect(self, event: Event, connection: str) -> dict[str, Any]:
        request = request_of(event)
        found = self._client(request, event, request.query.get("app", ""), self._by_ticket_or_token)
        if isinstance(found, Rejected):
            return self._refused(found)
        client, _app = found
        now = self.clock()
        until = min(client.until, int(now + LIFE))
        try:
            self.watchers.connect(connection, replace(client, until=until), now)
        except AwsError as error:
            return self._refused(Rejected(503, "unavailable", f"not stored: {error_code(error)}"))
        log.info("connected", extra={"platform": self.platform, "app": client.app})
        response = self.sockets.connected(request)
        return {"statusCode": response.status, "headers": dict(response.headers)}

    def _issue(self, event: Event) -> dict[str, Any]:
        parameters: Mapping[str, str] = event.get("pathParameters") or {}
        try:
            request = request_of(event)
        except BadEventError:
            return self._answered(Rejected(400, "malformed", "the body is not valid Base64"), Request(), None)
        if request.method == "OPTIONS":
            return self.callback(event, None)
        found = self._client(request, event, parameters.get("app", ""), self._by_token)
        if isinstance(found, Rejected):
            return self._answered(found, request, None)
        client, app = found
        ticket = self.ticket()
        try:
            self.watchers.add_ticket(ticket, client, int(self.clock()) + TICKET_LASTS)
        except AwsError as error:
            return self._answered(Rejected(503, "unavailable", f"not stored: {error_code(error)}"), request, app)
        address = f"{self.url.replace('http', 'ws', 1)}?app={app.name}&ticket={ticket}"
        return lambda_response(self.sockets.ticket_response(request, app, ticket, TICKET_LASTS, address))

    def _client(
        self,
        request: Request,
        event: Event,
        name: str,
        check: Callable[[Request, App, Event], Accepted | Rejected],
    ) -> tuple[Client, App] | Rejected:
        """Whose request it is, and the app. A rejection has its response."""
        app = None
        try:
            app = self.callback.apps.get(self.platform, name)
            accepted = check(request, app, event)
            # No message is stored: this checks the rate limits of the client.
            refused = accepted if isinstance(accepted, Rejected) else self.callback.store(accepted, app)
        except UnknownAppError:
            accepted = refused = Rejected(404, "unknown_app")
        except (AppsUnavailableError, *AwsError) as error:
            accepted = refused = Rejected(503, "unavailable", describe(error))
        if not isinstance(accepted, Rejected) and accepted.client is not None and app is not None and refused is None:
            return accepted.client, app
        return self.callback.described(refused or Rejected(403, "not_allowed"), request, app)

    def _by_token(self, request: Request, app: App, event: Event) -> Accepted | Rejected:
        return self.callback.receive(self.sockets.connecting(request)[1], app, event)[0]

    def _by_ticket_or_token(self, request: Request, app: App, event: Event) -> Accepted | Rejected:
        ticket = self.sockets.connecting(request)[0]
        if not ticket:
            return self._by_token(request, app, event)
        client = self.watchers.take_ticket(ticket, self.clock())
        if client is None or (client.platform, client.app) != (app.platform, app.name):
            return Rejected(401, "forged", "no such ticket: it was used, it has expired, or it is for another app")
        return Accepted(client=client)

    def _refused(self, rejected: Rejected) -> dict[str, Any]:
        """The result of a handshake that is refused. A client sees the status at most."""
        self._log(rejected)
        return {"statusCode": rejected.status, "headers": dict(rejection(rejected).headers)}

    def _answered(self, rejected: Rejected, request: Request, app: App | None) -> dict[str, Any]:
        self._log(rejected)
        return lambda_response(rejection(self.callback.described(rejected, request, app)))

    def _log(self, rejected: Rejected) -> None:
        telemetry.count("ConnectionsRejected", reason=rejected.reason)
        extra = {"platform": self.platform, "reason": rejected.reason, "detail": rejected.detail}
        log.warning("connection rejected", extra=extra)

    # --- frames

    def _frame(self, data: str, id_: str) -> None:
        connection = self.watchers.connection(id_)
        if connection is None:
            # Its row has expired, or its person was forgotten.
            self.pushes().end(id_)
            return
        client = connection.client
        try:
            app = self.callback.apps.get(self.platform, client.app)
        except UnknownAppError:
            self._tell(connection, replace(self.sockets.refused(Rejected(404, "unknown_app")), closes=True))
            return
        except AppsUnavailableError as error:
            self._tell(connection, self.sockets.refused(Rejected(503, "unavailable", str(error))))
            return
        now = self.clock()
        action = self.floods.checked(self.sockets.action(data, client, app, now), client.key, now)
        if isinstance(action, Tell):
            self._tell(connection, action)
            return
        try:
            refused = self._do(connection, action, app)
        except AwsError as error:
            refused = Rejected(503, "unavailable", error_code(error))
        if refused is not None:
            self._log(refused)
            self._tell(connection, self.sockets.refused(refused, action))

    def _do(self, connection: Connection, action: Store | Watch | Acknowledge, app: App) -> Rejected | None:
        """Carry out what a frame asks for. Raises AwsError."""
        match action:
            case Store():
                refused = self.callback.store(action.accepted, app)
                if refused is None:
                    self._tell(connection, Tell(action.done))
                return refused
            case Watch():
                return self._watch(connection, action)
            case Acknowledge():
                person, now = connection.client.key, self.clock()
                if not self.resuming(self.watchers).acknowledge(action.conversation, person, action.cursor, now):
                    return Rejected(400, "malformed", "the cursor is not that of a reply")
                return None

    def _watch(self, connection: Connection, watch: Watch) -> Rejected | None:
        """Watch a conversation first, then read what the client has missed: so no reply is between the two."""
        now, resuming = self.clock(), self.resuming(self.watchers)
        try:
            self.watchers.open(connection, watch.conversation, now)
        except TooManyWatchersError as error:
            return Rejected(503, "unavailable", str(error))
        position = resuming.position(watch.conversation, connection.client.key, watch.after, now)
        if not self._tell(connection, Tell(self.sockets.opened(watch, position))):
            return None
        for number, found in resuming.replies(watch.conversation, position):
            out = with_addresses(found, self.callback.inbound) if found is not None else None
            if not self._tell(connection, Tell(self.sockets.reply(watch.room, number, out, connection.client))):
                return None
        return None

    def _tell(self, connection: Connection, tell: Tell) -> bool:
        """Send one frame. False if the connection has ended."""
        pushes = self.pushes()
        sent = pushes.push(connection.id, tell.data, self.clock() + _FRAME_SECONDS)
        if sent and tell.closes:
            pushes.end(connection.id)
        return sent


def connection_handler(platform: str) -> Callable[[Event, object], dict[str, Any]]:
    """The `lambda_handler` of the connections of `platform`."""
    reseed_after_restore()
    callback = Callback(platform, inbound(platform), Apps())
    module = sockets(platform)
    handler: Connections | None = None

    def handle(event: Event, context: object) -> dict[str, Any]:
        nonlocal handler
        if handler is None:
            keep_for = float(setting("RETENTION_DAYS", "30")) * 86_400
            watchers = Watchers(dynamodb(), setting("TABLE"), keep_for)
            url = setting("SOCKETS_URL")
            handler = Connections(platform, module, callback, watchers, _pushes, _resuming, url, Floods(module))
        return handler(event, context)

    return handle


def _pushes() -> Pushes:
    return Pushes(pushes())


def _resuming(watchers: Watchers) -> "Resuming":
    # Imported here, so that a function whose clients watch nothing does not pay for it.
    from parley.engine.resuming import Resuming  # noqa: PLC0415
    from parley.journal.mailbox import Mailbox  # noqa: PLC0415

    return Resuming(watchers, Mailbox(watchers.client, watchers.table, watchers.keep_for))
