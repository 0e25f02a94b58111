"""Names and departments of senders, for the bot: from this process, from the table, or from the platform.

A lookup never fails a message, and takes two seconds at most while AWS answers. A platform that refuses it is asked
again after an hour, one that does not answer after a minute. Logs and metrics hold no names.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from parley.adapter import Answer, Call, Permanent, Sent, SupportsNames, Transient
from parley.engine import telemetry
from parley.engine.apps import Apps
from parley.engine.aws import AwsError, dynamodb, error_code, setting
from parley.engine.batch import describe
from parley.engine.calls import CallContext, Calls, asking
from parley.engine.http import CallError, Http, client
from parley.engine.rate_limiter import RateLimiter
from parley.engine.telemetry import log
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.names import NOBODY, Person, load_person, store_person
from parley.model import Message
from parley.platforms import outbound

if TYPE_CHECKING:
    import httpx
    from types_boto3_dynamodb import DynamoDBClient

BUDGET = 2.0
"""Seconds of one lookup, with the token and the rate limits."""
KNOWN_FOR, UNKNOWN_FOR, UNANSWERED_FOR = 86_400.0, 3600.0, 60.0
"""Seconds for which a name is kept, the refusal of a platform, and in this process, that there was no answer."""
_MAX_CACHED = 10_000
"""Persons that a process remembers."""


class Budget(msgspec.Struct):
    """The time of the current lookup: it ends at `ends`, in the time of `time.monotonic`."""

    ends: float = 0

    def begin(self) -> None:
        """Begin a lookup."""
        self.ends = time.monotonic() + BUDGET

    def left(self) -> float:
        """The seconds that are left. Raises RetryAfter if there are none."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise RetryAfter(UNANSWERED_FOR, "the lookup takes too long")
        return left

    def sleep(self, seconds: float) -> None:
        """Sleep if there is time for it. Raises RetryAfter."""
        if seconds >= self.left():
            raise RetryAfter(UNANSWERED_FOR, "the lookup takes too long")
        time.sleep(seconds)


class BudgetedHttp(Http):
    """Ends every call within `budget`, also that for a token."""

    budget: Budget = msgspec.field(default_factory=Budget)

    def perform(self, call: Call, token: str = "") -> Answer:
        """Make `call`. Raises CallError."""
        try:
            left = self.budget.left()
        except RetryAfter as late:
            raise CallError(Transient(late.reason)) from late
        return Http.perform(self, replace(call, timeout=min(call.timeout, left)), token)


class Names(msgspec.Struct):
    """What platforms say of senders. `budget` is that of `calls`."""

    calls: Calls
    apps: Apps
    budget: Budget
    client: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time
    _held: OrderedDict[tuple[str, str, str], tuple[Person, float]] = msgspec.field(
        default_factory=OrderedDict[tuple[str, str, str], tuple[Person, float]]
    )

    def __call__(self, message: Message) -> Person:
        """The sender of `message`; NOBODY if nothing is known. Never raises."""
        key = (message.platform, message.app, message.sender.id)
        found = self._held.get(key)
        if found is None or self.clock() >= found[1]:
            found = self._found(message)
            self._held[key] = found
            self._held.move_to_end(key)
            if len(self._held) > _MAX_CACHED:
                self._held.popitem(last=False)
        if not found[0].name:
            telemetry.count("NamesUnknown", platform=message.platform)
        return found[0]

    def _found(self, message: Message) -> tuple[Person, float]:
        """The person, and the unix second until which they are not looked up again."""
        self.budget.begin()
        try:
            return load_person(self.client, self.table, message, self.clock()) or self._fetched(message)
        except Exception as error:  # noqa: BLE001  # the bot runs without the name
            log.warning("name not fetched", extra={**telemetry.ids_of(message), "reason": describe(error)})
            return NOBODY, self.clock() + UNANSWERED_FOR

    def _fetched(self, message: Message) -> tuple[Person, float]:
        """The platform's answer, which is stored. Raises RetryAfter if there is none."""
        context = asking(message, self.apps.get(message.platform, message.app), outbound(message.platform))
        platform = context.platform
        person = self._asked(context, platform, message) if isinstance(platform, SupportsNames) else NOBODY
        expires = self.clock() + (UNKNOWN_FOR if person == NOBODY else KNOWN_FOR)
        try:
            store_person(self.client, self.table, message, person, expires)
        except AwsError as error:
            log.warning("name not stored", extra={**telemetry.ids_of(message), "error": error_code(error)})
        return person, expires

    def _asked(self, context: CallContext, platform: SupportsNames, message: Message) -> Person:
        """What the platform answers; NOBODY if it refuses. Raises RetryAfter if it does not answer."""
        call = platform.name_call(message, context.app)
        if call is None:
            return NOBODY
        result = self.calls.ask(context, call)
        match result.outcome:
            case Sent() if result.answer is not None:
                return Person(platform.read_name(result.answer), platform.read_departments(result.answer))
            case Permanent(reason=reason, window_closed=False):
                log.warning("name refused", extra={"app": context.app.name, "reason": reason})
                return NOBODY
            case _:
                raise RetryAfter(UNANSWERED_FOR, type(result.outcome).__name__)


def names_with(http_client: "httpx.Client", clock: Callable[[], float] = time.time) -> Names:
    """Names that are fetched with `http_client`."""
    table, budget = setting("TABLE"), Budget()
    tokens = Tokens(dynamodb(), table, clock, budget.sleep)
    limiter = RateLimiter(dynamodb(), table, clock, budget.sleep)
    calls = Calls(BudgetedHttp(http_client, budget=budget), tokens, limiter, dynamodb(), table, clock)
    return Names(calls, Apps(), budget, dynamodb(), table, clock)


def names() -> Names:
    """The names of this process."""
    return names_with(client())
