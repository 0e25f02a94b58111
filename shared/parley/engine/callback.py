"""The callback functions: verify ▸ decrypt ▸ normalise ▸ enqueue ▸ acknowledge, with one AWS request."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from parley.adapter import (
    Accepted,
    AcceptsUnsigned,
    App,
    DescribesRejections,
    Inbound,
    Reading,
    Rejected,
    Request,
    Response,
    SupportsInstantAnswers,
    SupportsPassiveReply,
    SupportsReading,
    SupportsUploads,
    UsesKeySets,
)
from parley.engine import queues, telemetry
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError, is_configured_name
from parley.engine.aws import AwsError, definitely_failed, dynamodb, error_code, setting
from parley.engine.batch import describe
from parley.engine.gateway import BadEventError, Event, arrived, is_listed, lambda_response, request_of, source
from parley.engine.instant import BUDGET, within
from parley.engine.snapshot import reseed_after_restore
from parley.engine.telemetry import log
from parley.journal.credentials import store_credentials
from parley.model import Message
from parley.model.instant import Instant
from parley.model.stop import is_stop
from parley.platforms import inbound

if TYPE_CHECKING:
    from parley.engine.admission import Admission
    from parley.engine.key_sets import KeySets
    from parley.engine.passive_replies import PassiveReplies
    from parley.engine.reading import Reader

_OLD_CONFIGURATION = ("forged", "other_address")
"""The reasons of a refusal that an operator may have mended since the configuration was read."""
_UNSIGNED_BURST = 10
"""Unsigned requests that a process handles at once; one a second after them."""


def rejection(rejected: Rejected) -> Response:
    """The response to a refused callback: a stable error code, and nothing that helps an attacker."""
    return rejected.response or Response(rejected.status, msgspec.json.encode({"error": rejected.reason}))


class Callback(msgspec.Struct):
    """The handler of one platform's callbacks, made once per process.

    `instantly`: the bot's instant function. `passive_replies`, `reader`, `key_sets`, `admission`: make the objects
    that wait for passive replies and read for clients, hold the keys of issuers, and check the requests of clients;
    those of this process by default.
    """

    platform: str
    inbound: Inbound
    apps: Apps
    clock: Callable[[], float] = time.time
    max_body: int = 262_144
    instantly: Callable[[Message], Instant | None] | None = None
    passive_replies: "Callable[[SupportsPassiveReply], PassiveReplies] | None" = None
    reader: "Callable[[], Reader] | None" = None
    key_sets: "KeySets | None" = None
    admission: "Admission | None" = None
    _unsigned_credit: float = _UNSIGNED_BURST
    _credited_at: float = 0

    def __call__(self, event: Event, _context: object) -> dict[str, Any]:
        """Handle one API Gateway event. Its id in the access log is in every line."""
        context: Mapping[str, Any] = event.get("requestContext") or {}
        with telemetry.about({"request": str(context.get("requestId", ""))}):
            return self._handled(event)

    def _handled(self, event: Event) -> dict[str, Any]:
        started = self.clock()
        parameters: Mapping[str, str] = event.get("pathParameters") or {}
        name = parameters.get("app", "")
        outcome = self._handle(event, name, started)
        if isinstance(outcome, Rejected):
            telemetry.count("CallbacksRejected", reason=outcome.reason)
            log.warning(
                "callback rejected",
                extra={"platform": self.platform, "app": name[:64], "reason": outcome.reason, "detail": outcome.detail},
            )
            return lambda_response(rejection(outcome))
        # The alarm on latency watches AcknowledgeTime: it ends before the deliberate wait for a passive reply.
        stored = finished = self.clock()
        telemetry.duration("AcknowledgeTime", stored - started)
        if isinstance(outcome, _AwaitsReply):
            replies = self._passive_replies(outcome.inbound)
            # The platform has been waiting since the request arrived, before a cold start.
            outcome = replies.respond(outcome.request, outcome.app, outcome.accepted, arrived(event, started))
            finished = self.clock()
        elif isinstance(outcome, _Reads):
            # `CallbackTime` does not include the wait that the client has asked for.
            outcome = self._read(outcome, arrived(event, started))
        telemetry.duration("CallbackTime", finished - arrived(event, started))
        return lambda_response(outcome)

    def _handle(self, event: Event, name: str, started: float) -> "Response | Rejected | _AwaitsReply | _Reads":
        request, app = Request(), None
        try:
            request = request_of(event)
            app = self._app(name)
            outcome = self._outcome(request, app, event, arrived(event, started))
        except BadEventError:
            outcome = Rejected(400, "malformed", "the body is not valid Base64")
        except UnknownAppError:
            outcome = Rejected(404, "unknown_app")
        except AppsUnavailableError as error:
            outcome = Rejected(503, "unavailable", str(error))
        return self.described(outcome, request, app) if isinstance(outcome, Rejected) else outcome

    def _outcome(
        self, request: Request, app: App, event: Event, at: float
    ) -> "Response | Rejected | _AwaitsReply | _Reads":
        """The outcome of a request to an app that exists, which arrived `at`. Raises AppsUnavailableError."""
        if len(request.body) > self.max_body:
            return Rejected(413, "too_large")
        accepted, app = self.receive(request, app, event)
        if isinstance(accepted, Rejected):
            return accepted
        instant = self._instant(accepted, app)
        if instant is not None:
            return instant
        if accepted.upload is not None and not setting("MEDIA_HOST", ""):
            return Rejected(404, "not_found", "there is no bucket: HttpMedia is false")
        stored = self.store(accepted, app, at)
        if stored is not None:
            return stored
        if accepted.upload is not None and isinstance(self.inbound, SupportsUploads):
            from parley.engine.objects import upload_address  # noqa: PLC0415  # few requests upload something

            return self.inbound.uploading(request, app, upload_address(accepted.upload))
        if accepted.reading is not None and isinstance(self.inbound, SupportsReading):
            return _Reads(self.inbound, request, app, accepted.reading, accepted.response)
        waits = accepted.polled is not None or (accepted.passive_reply_within and accepted.messages)
        if waits and isinstance(self.inbound, SupportsPassiveReply):
            return _AwaitsReply(self.inbound, request, app, accepted)
        return accepted.response

    def _app(self, name: str) -> App:
        """The app in the path: never one of an organisation, whose row this function may not read.

        Raises UnknownAppError, AppsUnavailableError.
        """
        if not is_configured_name(name):
            raise UnknownAppError(name)
        return self.apps.get(self.platform, name)

    def _passive_replies(self, inbound: SupportsPassiveReply) -> "PassiveReplies":
        if self.passive_replies is not None:
            return self.passive_replies(inbound)
        # Imported here, so that platforms without passive replies do not pay for it.
        from parley.engine.passive_replies import passive_replies  # noqa: PLC0415

        return passive_replies(inbound)

    def receive(self, request: Request, app: App, event: Event) -> tuple[Accepted | Rejected, App]:
        """What the platform makes of a request, and the app with the configuration that it belongs to: it is the one
        before, while a secret is rotated. If no known one fits, the configuration is read again.

        Raises AppsUnavailableError.
        """
        if isinstance(self.inbound, AcceptsUnsigned) and self.inbound.is_unsigned(request, app) and not self._credit():
            return Rejected(429, "too_many", "unsigned requests exceed their limit"), app
        outcome, used = self._checked(request, app, event), app
        others = self._other_configurations(app)
        while isinstance(outcome, Rejected) and outcome.reason in _OLD_CONFIGURATION and (other := next(others, None)):
            outcome, used = self._checked(request, other, event), other
        return outcome, used

    def _other_configurations(self, app: App) -> Iterator[App]:
        """`app` with the configuration before a rotation, and with those of now if they have changed."""
        if (earlier := app.config.earlier) is not None:
            yield replace(app, config=earlier)
        changed = self.apps.reread(app)
        if changed is not None:
            yield changed
            if (earlier := changed.config.earlier) is not None:
                yield replace(changed, config=earlier)

    def _checked(self, request: Request, app: App, event: Event) -> Accepted | Rejected:
        """The callback, if it comes from where it may come from."""
        listed = is_listed(event, app)
        if not listed and app.config.other_ips == "refuse":
            return Rejected(403, "other_address", f"{source(event)} is not in callback_ips")
        outcome = self.inbound.receive(self._with_keys(request, app), app, self.clock())
        if not listed and isinstance(outcome, Accepted):
            telemetry.count("CallbacksFromOtherAddresses")
            extra = {"platform": self.platform, "app": app.name, "address": source(event)}
            log.warning("callback from another address", extra=extra)
        return outcome

    def _with_keys(self, request: Request, app: App) -> Request:
        """`request` with the key set that its signature needs. Raises AppsUnavailableError if it is not readable."""
        wanted = self.inbound.key_set(request, app) if isinstance(self.inbound, UsesKeySets) else None
        if wanted is None:
            return request
        # Imported here, so that platforms without key sets do not pay for the HTTP client.
        from parley.engine.key_sets import KeySets, KeySetUnavailableError, fetch  # noqa: PLC0415

        self.key_sets = self.key_sets or KeySets(fetch, self.clock)
        try:
            return replace(request, key_set=self.key_sets.get(wanted))
        except KeySetUnavailableError as error:
            raise AppsUnavailableError(str(error)) from error

    def _read(self, reads: "_Reads", started: float) -> Response:
        """The response with what a client reads. Without it, a message that is stored is acknowledged all the same."""
        from parley.engine.reading import reader  # noqa: PLC0415  # few platforms are read

        try:
            found = (self.reader or reader)()(reads.reading, started)
        except AwsError as error:
            log.warning("replies not readable", extra={"app": reads.app.name, "error": error_code(error)})
            if reads.request.method == "POST":
                return reads.response
            return rejection(self.described(Rejected(503, "unavailable"), reads.request, reads.app))
        if setting("MEDIA_HOST", ""):
            from parley.engine.copies import with_addresses  # noqa: PLC0415  # few deployments have a bucket

            found = replace(found, replies=tuple(with_addresses(out, self.inbound) for out in found.replies))
        return reads.inbound.read(reads.request, reads.app, reads.reading, found)

    def described(self, rejected: Rejected, request: Request, app: App | None) -> Rejected:
        """`rejected`, with a response in the form that the platform defines, if it defines one."""
        if rejected.response is None and isinstance(self.inbound, DescribesRejections):
            return replace(rejected, response=self.inbound.rejection(rejected, request, app))
        return rejected

    def _admission(self) -> "Admission":
        # Imported here, so that platforms without clients of the team's own do not pay for it.
        from parley.engine.admission import admission  # noqa: PLC0415

        self.admission = self.admission or admission(self.clock)
        return self.admission

    def _credit(self) -> bool:
        """Whether this process may handle one more unsigned request now."""
        now = self.clock()
        self._unsigned_credit = min(_UNSIGNED_BURST, self._unsigned_credit + now - self._credited_at)
        self._credited_at = now
        if self._unsigned_credit < 1:
            return False
        self._unsigned_credit -= 1
        return True

    def _instant(self, accepted: Accepted, app: App) -> Response | None:
        """The response of one of the bot's instant functions; None if there is none, or it cannot be shown."""
        message = accepted.instant
        if message is None or self.instantly is None or not isinstance(self.inbound, SupportsInstantAnswers):
            return None
        result = within(BUDGET, self.instantly, message)
        if result is None:
            return None
        try:
            return self.inbound.instant(message, result, app)
        except ValueError as error:
            log.error("instant answer cannot be shown", extra={**telemetry.ids_of(message), "error": describe(error)})
            telemetry.count("InstantAnswersInvalid")
            return None

    def store(self, accepted: Accepted, app: App, arrived: float | None = None) -> Rejected | None:
        """Store credentials and messages before the acknowledgement. If that fails, the platform has to retry.
        `arrived`: the unix second at which the callback arrived.

        If it definitely failed and the platform never retries, the response asks the person to try again. If a message
        may be stored, it does not: the bot may reply as well.
        """
        try:
            if accepted.limits or accepted.fingerprint:
                refused = self._admission().refuse(accepted)
                if refused is not None:
                    return refused
            if accepted.credentials:
                store_credentials(
                    dynamodb(), setting("TABLE"), app, accepted.credentials, accepted.credentials_issued_at
                )
            queues.send_messages([_marked(message, accepted, app) for message in accepted.messages], arrived=arrived)
        except AwsError as error:
            response = accepted.refused if definitely_failed(error) else None
            return Rejected(503, "unavailable", f"not stored: {error_code(error)}", response)
        except queues.TooLargeError:
            detail = "the normalised message is larger than the queue's limit"
            return Rejected(413, "too_large", detail, accepted.refused)
        if not accepted.is_known:
            telemetry.count("CommandsUnknown")  # the name is in the log only: a dimension has to be bounded
            names = [message.event[:64] for message in accepted.messages]
            log.warning("command unknown", extra={"platform": app.platform, "app": app.name, "events": names})
        for message in accepted.messages:
            telemetry.tell(telemetry.ids_of(message))
            log.info("message received")
            if is_stop(message):
                self._stop(message)
        return None

    def _stop(self, message: Message) -> None:
        """Stop what runs in the conversation. The message is in the queue already: the person gets an answer anyway."""
        from parley.engine.stops import request_stop  # noqa: PLC0415  # few messages stop something

        request_stop(message, self.clock())


class _AwaitsReply(msgspec.Struct, frozen=True):
    """A callback whose response is a passive reply of the bot. Its message is stored, or it is a poll for the reply."""

    inbound: SupportsPassiveReply
    request: Request
    app: App
    accepted: Accepted


class _Reads(msgspec.Struct, frozen=True):
    """A request that reads replies, after its message is stored if it has one. `response`: that without any replies."""

    inbound: SupportsReading
    request: Request
    app: App
    reading: Reading
    response: Response


def _marked(message: Message, accepted: Accepted, app: App) -> Message:
    """`message`, marked if its callback waits for a passive reply, and if the name of its sender is to be fetched."""
    waits, sender = bool(accepted.passive_reply_within) or message.context.awaits_reply, message.sender
    unnamed = app.config.fetches_names and sender.kind == "user" and bool(sender.id) and not sender.name
    if not waits and not unnamed:
        return message
    return replace(message, context=replace(message.context, awaits_reply=waits, wants_name=unnamed or UNSET))


def callback_handler(platform: str, instantly: Callable[[Message], Instant | None] | None = None) -> Callback:
    """The `lambda_handler` of the callback function of `platform`. `instantly`: the bot's instant function."""
    reseed_after_restore()
    max_body = int(setting("MAX_BODY", "262144"))
    return Callback(platform, inbound(platform), Apps(), max_body=max_body, instantly=instantly)
