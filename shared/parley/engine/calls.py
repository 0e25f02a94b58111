"""API calls with their tokens and rate limits, for the deliverer and for what the bot asks the platforms."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from parley.adapter import (
    Answer,
    App,
    Call,
    Outbound,
    Outcome,
    Permanent,
    Sent,
    SupportsLimitFeedback,
    SupportsNotices,
    Token,
    TokenRejected,
    TokenUnavailableError,
    Transient,
)
from parley.engine import telemetry
from parley.engine.aws import AwsError, error_code, setting
from parley.engine.batch import describe
from parley.engine.http import CallError, Http
from parley.engine.rate_limiter import RateLimiter, Reserved
from parley.engine.telemetry import log
from parley.engine.tokens import CachedToken, Tokens
from parley.errors import RetryAfter
from parley.journal.credentials import load_credentials
from parley.model import Destination, Message, Outgoing, Reply, message_key

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from parley.engine.notices import Notices


_FIRST_RETRY, _LAST_RETRY = 1.0, 120.0
_NOTHING = Reserved()


class CallContext(msgspec.Struct, frozen=True):
    """The reply that a call belongs to (or the message of a download), its app and platform."""

    out: Outgoing
    app: App
    platform: Outbound

    @property
    def token_name(self) -> str | None:
        """The name under which all instances share the token; None if no call needs one."""
        key = self.platform.token_key(self.out, self.app)
        return None if key is None else f"{self.app.platform}#{self.app.name}#{key}"


def asking(message: Message, app: App, platform: Outbound) -> CallContext:
    """The context of a call that asks the platform for something about `message`, and sends nothing. Its reply is a
    placeholder: tokens are shared by app and tenant, which it names.
    """
    return asking_at(Destination.answering(message), app, platform, message_key(message))


def asking_at(to: Destination, app: App, platform: Outbound, key: str = "") -> CallContext:
    """The same for a call about something else at `to`. `key`: the journal key of a message, if it is about one."""
    return CallContext(Outgoing(id="", message_key=key, ordinal=0, to=to, reply=Reply(), created=0), app, platform)


class Result(msgspec.Struct, frozen=True):
    """The outcome of a call, its token, and its answer. None: it needs no token; there is no answer."""

    outcome: Outcome
    held: CachedToken | None = None
    answer: Answer | None = None


class Calls(msgspec.Struct):
    """Makes calls: fetches their tokens, waits for their rate limits, and applies what the answers say about these.

    `client` and `table`: where the pushed credentials are stored.
    """

    http: Http
    tokens: Tokens
    rate_limiter: RateLimiter
    client: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time
    notices: "Notices | None" = None

    def make(self, context: CallContext, call: Call, reserved: Reserved = _NOTHING) -> Outcome:
        """The outcome of `call`, after a second try with a new token if the first token is refused. `reserved`: what it
        has reserved in its rate limits.
        """
        return self.ask(context, call, reserved).outcome

    def ask(self, context: CallContext, call: Call, reserved: Reserved = _NOTHING) -> "Result":
        """The same, with the answer."""
        result = self._attempt(context, call, reserved)
        if isinstance(result.outcome, TokenRejected) and result.held and not context.platform.PROFILE.fixed_token:
            self._reject(context, result.held)
            result = self._attempt(context, call, _NOTHING)
        name = type(result.outcome).__name__
        telemetry.count("ApiCalls", platform=context.app.platform, call=call.name, outcome=name)
        return result

    def token(self, context: CallContext) -> CachedToken | None:
        """The token for `context`. Raises RetryAfter, TokenUnavailableError."""
        if context.platform.PROFILE.fixed_token:
            token = self._fetch(context)
            return CachedToken(token.value, token.expires, token.expires, 0)
        name = context.token_name
        return None if name is None else self.tokens.get(name, lambda: self._fetch(context))

    def reserve(self, context: CallContext, call: Call, reserved: Reserved = _NOTHING) -> Reserved | Transient:
        """Wait for the rate limits of `call`, unless `reserved` is still good for it: the token, or the bytes of an
        upload, can have taken too long. A Transient outcome if the platform's code raises.

        Raises RetryAfter and AwsError. The call has not left then.
        """
        try:
            buckets = context.platform.limits(call, context.out, context.app)
        except Exception as error:  # noqa: BLE001  # it becomes the outcome of the call
            return Transient(describe(error))
        return reserved if reserved.covers(buckets, self.clock()) else self.rate_limiter.wait(buckets)

    def _attempt(self, context: CallContext, call: Call, reserved: Reserved) -> "Result":
        held: CachedToken | None = None
        if call.auth is not None:
            token = self.token_or_outcome(context)
            if isinstance(token, RetryAfter | Transient | Permanent):
                return Result(token)
            held = token
        try:
            due = self.reserve(context, call, reserved)
        except RetryAfter as limited:
            return Result(limited, held)
        except AwsError as error:
            return Result(Transient(f"rate limits: {error_code(error)}"), held)
        if isinstance(due, Transient):
            return Result(due, held)
        number = self._keep(context.out) if call.keeps else None
        if call.notifies and (number is not None or not call.keeps):
            self._notify(context, number)
        if not call.url:
            return Result(Sent(id=call.note))
        started = self.clock()
        try:
            answer = self.http.perform(call, held.value if held else "")
        except CallError as error:
            return Result(error.outcome, held)
        telemetry.duration("ApiTime", self.clock() - started, platform=context.app.platform, call=call.name)
        self._apply_feedback(context, call, answer)
        return Result(context.platform.outcome(call, answer), held, answer)

    def token_or_outcome(self, context: CallContext) -> CachedToken | None | RetryAfter | Transient | Permanent:
        """The token for `context`, or the outcome of a call without it. The call has not left then.

        A token that is refused for good is the decision of `TokenUnavailableError.retry_after`, on every platform: no
        call of this app can be made until somebody changes the configuration.
        """
        try:
            return self.token(context)
        except TokenUnavailableError as error:
            log.error(
                "no token", extra={"app": context.app.name, "platform": context.app.platform, "reason": str(error)}
            )
            if error.retry_after is None:
                return Permanent(str(error), window_closed=True)
            return Transient(str(error), error.retry_after)
        except RetryAfter as later:
            return RetryAfter(later.seconds, str(later))
        except Exception as error:  # noqa: BLE001
            return Transient(f"token: {describe(error)}")

    def _keep(self, out: Outgoing) -> int | None:
        """Put `out` into the mailbox of its conversation, once. Raises AwsError, MailboxBusyError."""
        from parley.journal.mailbox import Mailbox  # noqa: PLC0415  # few platforms have mailboxes

        keep_for = float(setting("RETENTION_DAYS", "30")) * 86_400
        return Mailbox(self.client, self.table, keep_for).put(out, self.clock())

    def _notify(self, context: CallContext, number: int | None) -> None:
        """Notify the clients that watch the conversation. A failure is none of the call."""
        from parley.engine.notices import notices  # noqa: PLC0415  # few platforms have connections

        try:
            if isinstance(context.platform, SupportsNotices):
                self.notices = self.notices or notices(self.clock)
                self.notices.send(context.platform, context.out, number)
        except Exception as error:  # noqa: BLE001  # the reply is in its mailbox
            telemetry.count("NoticesFailed")
            log.warning("notices not sent", extra={**telemetry.ids_of_reply(context.out), "error": describe(error)})

    def _reject(self, context: CallContext, held: CachedToken) -> None:
        try:
            self.tokens.reject(context.token_name or "", held)
        except AwsError as error:
            # The outcome of the call must not be lost because of it; the next rejection tries again.
            log.warning("rejected token not dropped", extra={"app": context.app.name, "error": error_code(error)})

    def _apply_feedback(self, context: CallContext, call: Call, answer: Answer) -> None:
        if not isinstance(context.platform, SupportsLimitFeedback):
            return
        try:
            self.rate_limiter.apply(context.platform.limit_feedback(call, answer, context.out, context.app))
        except Exception as error:  # noqa: BLE001  # the call may be done, and its outcome must not be lost
            log.warning("limit feedback not applied", extra={"app": context.app.name, "error": describe(error)})

    def _fetch(self, context: CallContext) -> Token:
        """Make the calls that fetch a token. Raises TokenUnavailableError, RetryAfter."""
        if context.app.provider is not None:
            from parley.engine.tenants import fetch_token  # noqa: PLC0415  # few apps have tenants

            return fetch_token(self, context)
        names = context.platform.PROFILE.pushed_credentials
        values = load_credentials(self.client, self.table, context.app, names) if names else {}
        steps = context.platform.token(context.out, context.app, values, self.clock())
        try:
            call = next(steps)
            while True:
                call = steps.send(self.http.perform(call))
        except CallError as error:
            raise TokenUnavailableError(f"token call: {error.outcome.reason}", 2) from error
        except StopIteration as end:
            return end.value


def backoff(attempts: int) -> float:
    """Seconds before the next attempt: exponential, with a spread that depends on the number of the attempt."""
    return min(_LAST_RETRY, _FIRST_RETRY * 2 ** min(attempts - 1, 10)) * (0.75 + attempts * 0.37 % 0.5)
