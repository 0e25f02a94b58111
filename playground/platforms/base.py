"""The simulation of one platform's server.

It contains no web framework, no socket and no thread: requests and responses are values; the clock and the random
numbers are passed in. So the same simulation runs behind the chat page and, in the same process, in a test that
enumerates crashes. A lock makes every call atomic.
"""

from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar

from playground.platforms.directory import PRIVATE, A, Directory
from playground.platforms.errors import ApiError, NotFoundError
from playground.platforms.exchange import ConnectionDropped, Request, Response, ResponseTimeout
from playground.platforms.faults import Faults
from playground.platforms.masking import mask_fields, request_body, response_body
from playground.platforms.model import Appearance, Attempt, Call, Delivery, Message, NewMessage, Part, Press, Wire
from playground.platforms.routing import Route, Router

__all__ = ["PRIVATE", "ApiError", "NewMessage", "NotFoundError", "Platform", "Press"]

FORGERIES = ("signature", "stale", "plain", "truncated")
"""A wrong signature; a callback that is a day old; one without encryption or signature; half of the body."""


class Platform(Directory[A]):
    """One simulated platform: its data, its API, its callbacks. See `Directory` for the data.

    A platform has to define `name`, `appearance`, `add_app`, `send_message`, `parts` and `accept_response`. Its API
    needs `router` and `authenticate`; forged callbacks need `forged`. Everything else has a default.
    """

    appearance: ClassVar[Appearance]
    router: ClassVar[Router] = Router()
    secrets: ClassVar[frozenset[str]] = frozenset()
    """Names of JSON fields and query parameters that the record of calls masks."""
    unknown_path: ClassVar[Response] = Response(404, b"", {"content-type": "text/plain"})
    """The response to a call of a path that the API does not have."""

    def __init__(self, *, keep_calls: int | None = None, token_seconds: float = 7200, **options: Any) -> None:
        super().__init__(**options)
        self.token_seconds = token_seconds
        self.all_messages: set[str] = set()
        """The apps with the permission for the messages of a group that do not mention them, where there is one."""
        self.faults = Faults()
        self.calls: deque[Call] = deque(maxlen=keep_calls)
        self._call = Call(0, "", "", {}, None)

    # --- what persons do ----------------------------------------------------------------------------------------------

    @abstractmethod
    def send_message(self, app: str, room: str, sender: str, message: NewMessage) -> Message:
        """A person sends a message. The event for the app goes into the outbox. Raises NotFoundError."""

    def permit_all_messages(self, app: str, *, permitted: bool) -> None:
        """Give the app the permission for the messages of a group that do not mention it, or take it away. Raises
        NotFoundError.
        """
        raise NotFoundError(f"{self.name} has no such permission: {app} gets what mentions it ({permitted=})")

    def press(self, app: str, message_id: str, sender: str, press: Press) -> Delivery:
        """A person presses a button. Raises NotFoundError."""
        raise NotFoundError(f"{self.name} has no buttons: {app} {message_id} {sender} {press.button}")

    def emit_event(self, app: str, kind: str, details: Mapping[str, Any]) -> Delivery | None:
        """Another event, for example a recall or a reaction. None if the platform sends no event to the app. Raises
        NotFoundError for a `kind` that the platform does not have."""
        raise NotFoundError(f"{self.name} has no event {kind!r}: {app} {sorted(details)}")

    def commands(self, app: str) -> list[dict[str, Any]]:
        """The commands that the bot has registered with the platform, in its own form. Raises NotFoundError."""
        del app
        return []

    @abstractmethod
    def parts(self, message: Message) -> list[Part]:
        """The parts of `message` for the page."""

    def emoji(self, reaction: Mapping[str, Any]) -> str:
        """The emoji of a reaction (`Message.reactions`) for the page."""
        return str(reaction["emoji"])

    def is_of_bot(self, reaction: Mapping[str, Any]) -> bool:
        """Whether a bot has reacted, and not a person."""
        del reaction
        return True

    def installations(self, app: str) -> dict[str, Any] | None:
        """Of an app that organisations install, and of it in one of them: `{"app": its name, "tenants": [...]}`, each
        `{"id", "app", "is_installed", "persons"}` with the name of the app there. None for any other app.
        """
        del app
        return None

    def tick(self) -> None:
        """What the platform does by itself. It is called every few seconds."""

    # --- callbacks ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def accept_response(self, delivery: Delivery, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """Process the receiver's response. True if the event counts as delivered."""

    def challenge(self, app: str) -> Delivery:
        """The callback by which the platform's console verifies a URL. Raises NotFoundError."""
        raise NotFoundError(f"{self.name} does not verify callback URLs: {app}")

    def resume(self) -> None:
        """Somebody looks at the platform again, after a time in which nothing happened."""

    def record_attempt(
        self, delivery: Delivery, attempt: Attempt, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> float | None:
        """Record the result of an attempt. Returns the seconds until the next attempt; None if there is none."""
        with self.lock:
            delivery.attempts.append(attempt)
            failures = len(delivery.attempts)
            if attempt.status and self.accept_response(delivery, attempt.status, headers or {}, body):
                delivery.state, delay = "delivered", None
            elif failures > len(delivery.retry_delays):
                delivery.state, delay = "failed", None
            else:
                delivery.state, delay = "retrying", delivery.retry_delays[failures - 1]
        self.notify("delivery", delivery)
        return delay

    def forge(self, delivery: Delivery, how: str) -> Wire:
        """The callback as an attacker would send it; `how` is one of FORGERIES. Raises NotFoundError."""
        if how == "truncated":
            wire = delivery.wire
            return Wire(wire.method, wire.query, wire.headers, wire.body[: len(wire.body) // 2])
        forged = self.forged(delivery, how)
        if forged is None:
            raise NotFoundError(f"there is no forgery {how!r}: {', '.join(FORGERIES)}")
        return forged

    def forged(self, delivery: Delivery, how: str) -> Wire | None:
        """The forgeries `signature`, `stale` and `plain`; None for any other."""
        del delivery, how
        return None

    def tenant(self, app: str, room: str = "") -> str:
        """The id of the organisation in the callbacks of `app` about `room`; empty if they have none."""
        del app, room
        return ""

    # --- the API ------------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Carry out one API call, without faults."""
        found = self.router.find(request.method, request.path)
        if found is None:
            return self.unknown_path
        route, segments = found
        try:
            if not route.authenticated:
                return route.handler(self, request, *segments)
            return route.handler(self, self.authenticate(request, route), request, *segments)
        except ApiError as error:
            return self.error_response(error)

    def authenticate(self, request: Request, route: Route) -> A:
        """The account whose token the call has; also counts the call for rate limits. Raises ApiError."""
        raise NotImplementedError

    def error_response(self, error: ApiError) -> Response:
        """The response to a rejected call."""
        return error.response()

    def has_valid_token(self, request: Request) -> bool:
        """Whether the call has a valid token that can expire."""
        del request
        return False

    def expire_token(self, request: Request) -> None:
        """Revoke the token of the call."""

    def rate_limited(self, request: Request) -> Response:
        """The response to a call above the rate limit."""
        del request
        return Response(429)

    def forbidden(self, request: Request) -> Response:
        """The response to a call for which the app lacks the permission."""
        del request
        return Response(403)

    def recorded_path(self, request: Request) -> str:
        """The path of a call for the record, without secrets."""
        return request.path

    def note_call(self, **fields: str) -> None:
        """Add to the record of the call that is being handled: `app`, `room`, `message_id`, `key`."""
        for name, value in fields.items():
            setattr(self._call, name, value)

    def api(self, request: Request) -> Response:
        """Handle one API call, under the faults, and record it. Raises ResponseTimeout, ConnectionDropped."""
        with self.lock:
            started = self.clock()
            self._call = call = Call(
                at=started,
                method=request.method,
                path=self.recorded_path(request),
                query=mask_fields(dict(request.query), self.secrets),
                body=request_body(request, self.secrets),
            )
            call.fault = self.faults.pick(request, self.has_valid_token(request))
            response = self._respond(request, call.fault)
            call.ms = round((self.clock() - started) * 1000, 3)
            if response is not None:
                call.response = response_body(response, self.secrets)
            if call.fault not in ("timeout", "drop_response") and response is not None:
                call.status = response.status
            self.calls.append(call)
        self.notify("call", call)
        if response is None:
            raise ResponseTimeout
        if call.fault == "drop_response":
            raise ConnectionDropped
        return response

    def _respond(self, request: Request, fault: str | None) -> Response | None:
        if fault == "timeout":
            return None
        if fault == "http_500":
            return Response(500, b"internal server error", {"content-type": "text/plain"})
        if fault == "limited":
            return self.rate_limited(request)
        if fault == "forbidden":
            return self.forbidden(request)
        if fault == "token_expired":
            self.expire_token(request)
        return self.handle(request)
