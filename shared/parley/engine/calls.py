"""API calls with their tokens: what both the deliverer and a bot's downloads need."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parley.engine import telemetry
from parley.engine.aws import AwsError, error_code
from parley.engine.batch import Later, describe
from parley.engine.http import CallFailed, Http
from parley.engine.pacing import Pacing
from parley.engine.telemetry import log
from parley.engine.tokens import Held, Tokens
from parley.journal.kept import kept
from parley.model import Outgoing
from parley.platform import (
    Answer,
    App,
    Call,
    Learning,
    Limited,
    Outbound,
    Outcome,
    Token,
    TokenRejected,
    TokenUnavailable,
    Transient,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


_FIRST_RETRY, _LAST_RETRY = 1.0, 120.0


@dataclass(frozen=True, slots=True)
class Line:
    """Whom a call speaks for: a reply (or the message that a download belongs to), its app and platform."""

    out: Outgoing
    app: App
    platform: Outbound

    @property
    def token_name(self) -> str | None:
        """The name under which all instances share the token; None where no call needs one."""
        key = self.platform.token_key(self.out, self.app)
        return None if key is None else f"{self.app.platform}#{self.app.name}#{key}"


@dataclass(slots=True)
class Calls:
    """Makes calls, fetches the tokens for them, and heeds what the answers tell about limits. `client` and `table` hold
    what platforms have pushed.
    """

    http: Http
    tokens: Tokens
    pacing: Pacing
    client: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time

    def make(self, line: Line, call: Call) -> Outcome:
        """The outcome of `call`, after one new token where the first is refused."""
        outcome, held = self._attempt(line, call)
        if isinstance(outcome, TokenRejected) and held is not None:
            self._reject(line, held)
            outcome, _ = self._attempt(line, call)
        telemetry.count("ApiCalls", platform=line.app.platform, call=call.name, outcome=type(outcome).__name__)
        return outcome

    def token(self, line: Line) -> Held | None:
        """The token for `line`. Raises Later, TokenUnavailable."""
        name = line.token_name
        return None if name is None else self.tokens.get(name, lambda: self._fetch(line))

    def _attempt(self, line: Line, call: Call) -> tuple[Outcome, Held | None]:
        held: Held | None = None
        if call.auth is not None:
            token = self._held(line)
            if isinstance(token, Limited | Transient):
                return token, None
            held = token
        started = self.clock()
        try:
            answer = self.http.perform(call, held.value if held else "")
        except CallFailed as error:
            return error.outcome, held
        telemetry.duration("ApiTime", self.clock() - started, platform=line.app.platform, call=call.name)
        self._learn(line, call, answer)
        return line.platform.outcome(call, answer), held

    def _held(self, line: Line) -> Held | None | Limited | Transient:
        """The token for `line`, or what its absence means for a call: whatever the trouble, the call has not left."""
        try:
            return self.token(line)
        except TokenUnavailable as error:
            log.error("no token", extra={"app": line.app.name, "platform": line.app.platform, "reason": str(error)})
            return Transient(str(error)) if error.after is None else Limited(error.after, str(error))
        except Later as later:
            return Limited(later.after, str(later))
        except Exception as error:  # noqa: BLE001
            return Transient(f"token: {describe(error)}")

    def _reject(self, line: Line, held: Held) -> None:
        try:
            self.tokens.reject(line.token_name or "", held)
        except AwsError as error:
            # What the platform has said about the call must not get lost over it; the next rejection tries again.
            log.warning("rejected token not dropped", extra={"app": line.app.name, "error": error_code(error)})

    def _learn(self, line: Line, call: Call, answer: Answer) -> None:
        if not isinstance(line.platform, Learning):
            return
        try:
            self.pacing.learn(line.platform.learned(call, answer, line.out, line.app))
        except Exception as error:  # noqa: BLE001  # the call may be done: nothing may hide its outcome
            log.warning("limits not learned", extra={"app": line.app.name, "error": describe(error)})

    def _fetch(self, line: Line) -> Token:
        """Run the platform's token steps. Raises TokenUnavailable."""
        names = line.platform.PROFILE.kept
        values = kept(self.client, self.table, line.app, names) if names else {}
        steps = line.platform.token(line.out, line.app, values, self.clock())
        try:
            call = next(steps)
            while True:
                call = steps.send(self.http.perform(call))
        except CallFailed as error:
            raise TokenUnavailable(f"token call: {error.outcome.reason}", 2) from error
        except StopIteration as end:
            return end.value


def backoff(attempts: int) -> float:
    """Seconds before the next attempt: exponential, spread by the attempt's number."""
    return min(_LAST_RETRY, _FIRST_RETRY * 2 ** min(attempts - 1, 10)) * (0.75 + attempts * 0.37 % 0.5)
