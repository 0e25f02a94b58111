"""API calls with their tokens: what both the deliverer and a bot's downloads need."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parley.engine import telemetry
from parley.engine.batch import Later
from parley.engine.http import CallFailed, Http
from parley.engine.pacing import Pacing
from parley.engine.telemetry import log
from parley.engine.tokens import Held, Tokens
from parley.journal.kept import kept
from parley.model import Outgoing
from parley.platform import (
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
            self.tokens.reject(line.token_name or "", held)
            outcome, _ = self._attempt(line, call)
        telemetry.count("ApiCalls", platform=line.app.platform, call=call.name, outcome=type(outcome).__name__)
        return outcome

    def token(self, line: Line) -> Held | None:
        """The token for `line`. Raises Later, TokenUnavailable."""
        name = line.token_name
        return None if name is None else self.tokens.get(name, lambda: self._fetch(line))

    def _attempt(self, line: Line, call: Call) -> tuple[Outcome, Held | None]:
        held: Held | None = None
        try:
            if call.auth is not None:
                held = self.token(line)
            started = self.clock()
            answer = self.http.perform(call, held.value if held else "")
            telemetry.duration("ApiTime", self.clock() - started, platform=line.app.platform, call=call.name)
        except CallFailed as error:
            return error.outcome, held
        except TokenUnavailable as error:
            log.error("no token", extra={"app": line.app.name, "platform": line.app.platform, "reason": str(error)})
            return (Transient(str(error)) if error.after is None else Limited(error.after, str(error))), None
        except Later as later:
            return Limited(later.after, str(later)), None
        if isinstance(line.platform, Learning):
            self.pacing.learn(line.platform.learned(call, answer, line.out, line.app))
        return line.platform.outcome(call, answer), held

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
