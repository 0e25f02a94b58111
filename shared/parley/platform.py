"""The interface between a platform and the engine.

A platform is a package `parley.platforms.<name>` of pure functions in three modules:

* `config`: `Config`, a struct with the field names of the platform's own console.
* `inbound`: what `Inbound` lists. All that a callback function imports.
* `outbound`: what `Outbound` lists. Used by the deliverer only.

It reads no clock, opens no socket and calls no AWS: the engine does, and tells it the results. Where one exchange
depends on the answer of another (upload, then send; ticket, then token), the function is a generator that yields
`Call`s and is sent the results, so that it reads like the protocol and runs anywhere.
"""

import math
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

import msgspec

from parley.model import AnyMedia, Message, Outgoing, Reply, Text, plain_text

if TYPE_CHECKING:
    from parley.model.instant import Instant

# --- configuration ----------------------------------------------------------------------------------------------------


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What every platform's configuration has. One SSM SecureString per app, JSON, unknown fields refused."""

    on_unknown: Literal["report", "resend"] = "report"
    """What to do with a reply of which nobody can know whether it arrived: report it as UNKNOWN, or send it again."""


@dataclass(frozen=True, slots=True)
class App:
    """One bot account on one platform, by name. `config` is the platform's own `Config`."""

    platform: str
    name: str
    config: Any


# --- inbound ----------------------------------------------------------------------------------------------------------


class Headers(Mapping[str, str]):
    """HTTP headers, looked up without regard to case. Of a repeated header the last value counts."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = {name.lower(): value for name, value in (values or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class Request:
    """A callback as it came: the raw bytes, nothing parsed. `query` is percent-decoded once."""

    method: str = "POST"
    headers: Headers = field(default_factory=Headers)
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What the platform is told."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"


Reason = Literal["forged", "stale", "malformed", "too_large", "unknown_app", "not_allowed", "unavailable"]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A callback that is not believed. `reason` is the metric and the stable error code; `detail` goes to the log only,
    says which setting to look at, and never holds a secret or a text.
    """

    status: int
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A callback that is believed.

    `messages` go to the queue before `response` is given. `kept` are credentials that the platform pushes (a ticket):
    they go to the state table, encrypted, and never into a queue; one pushed earlier than `kept_at` (unix seconds, as
    the platform stamped it) never replaces a later one. `answer_within`: seconds that the callback may wait for the
    bot's replies to the first message and answer with them (`Answering.answer`); 0 answers at once. `instant`: a
    message that a declared, pure and fast function of the bot may answer within the callback. Where it does,
    `Instantly.instant` makes the response of its result and nothing is queued; otherwise the rest of this holds.
    """

    response: Response = field(default_factory=Response)
    messages: tuple[Message, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict[str, str])
    kept_at: float = 0
    answer_within: float = 0
    instant: Message | None = None


class Inbound(Protocol):
    """The functions of `parley.platforms.<name>.inbound`."""

    def receive(self, request: Request, app: App, now: float) -> Accepted | Rejected:
        """Verify, decrypt and normalise one callback. Believes nothing before its signature holds.

        Never raises on any input: what cannot be read is `Rejected`.
        """
        ...


@runtime_checkable
class Instantly(Protocol):
    """What `inbound` has besides where a platform wants an answer that cannot wait: completions, a form to open."""

    def instant(self, message: Message, result: "Instant", app: App) -> Response:
        """The response that shows `result`, the bot's instant answer to `message` (`Accepted.instant`).

        Raises ValueError where the platform has no way to show it there.
        """
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer within the callback, and how much of the replies is in it.

    `said` replies, counted from the first, are said in full. Of the next one only the beginning is said where `rest`
    holds what remains of it. Whatever is neither has to go another way.
    """

    response: Response
    said: int = 0
    rest: Reply | None = None


@runtime_checkable
@runtime_checkable
class Answering(Protocol):
    """What `inbound` has besides where replies can be given within the callback (`Accepted.answer_within`)."""

    def answer(self, request: Request, app: App, message: Message, replies: tuple[Reply, ...], now: float) -> Answered:
        """The response to `request` that says as many of `replies` to `message` as fit, in order.

        With none, or where the first cannot be said this way, it is the platform's "nothing to say".
        """
        ...


# --- outbound ---------------------------------------------------------------------------------------------------------


class Auth(msgspec.Struct, frozen=True):
    """Where the token goes in a call: `Auth("header", "Authorization", "Bearer ")`, `Auth("query", "access_token")`."""

    where: Literal["header", "query"]
    name: str
    prefix: str = ""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A multipart form with one file, streamed from `media.url` or `media.data`, refused beyond `limit` bytes."""

    field: str
    media: AnyMedia
    limit: int
    fields: dict[str, str] = {}
    filename: str = "file"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One API call, without its token.

    `covered`: for how many seconds after its first attempt a repetition cannot say it twice: the validity of the
    platform's idempotency key, infinite where repeating is harmless (an upload, an edit), 0 where nothing covers it.
    """

    name: str
    """For logs and metrics: `send`, `upload`, `edit`."""
    method: str
    url: str
    auth: Auth | None = None
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    json: Any = None
    upload: Upload | None = None
    covered: float = 0
    timeout: float = 10
    """Seconds for the whole call."""
    note: str = ""
    """From `deliver` to `outcome`: what it takes to judge the answer and the platform is not told."""


HARMLESS = math.inf
"""`Call.covered` of a call that may be repeated at any time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a call."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=Headers)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none (an HTML error page of a gateway)."""
        try:
            value = msgspec.json.decode(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


class Sent(msgspec.Struct, frozen=True):
    """Done. `id` is the platform's id of what was made; `data` what later calls of the same reply need."""

    id: str = ""
    data: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class TokenRejected:
    """The token was refused: nothing was done; get a new one and try once more."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Limited:
    """Refused for its rate: nothing was done; try again after `after` seconds."""

    after: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Transient:
    """Failed for now, and surely nothing was done."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody can tell whether it was done: the answer got lost, or a gateway answered in the platform's place."""

    reason: str


@dataclass(frozen=True, slots=True)
class Permanent:
    """Refused for good. `form`: it is the form that was refused, so that plain text may still go through. `grant`: it
    is the grant of `out.to` that is refused, so that the reply may still go out as after its end. `closed`: the person
    cannot be written to before they write again; what is said may still go with the answer to that (`Answering`).
    """

    reason: str
    form: bool = False
    grant: bool = False
    closed: bool = False


Outcome = Sent | TokenRejected | Limited | Transient | Unclear | Permanent


class Bucket(NamedTuple):
    """At most `limit` calls in any `period` seconds, counted over all instances under `key`."""

    key: str
    limit: int
    period: float
    burst: int | None = None
    """At most so many at once: a second, shorter limit of the platform in the same bucket. None: a twentieth."""


class Pause(NamedTuple):
    """An answer has told that `bucket` is empty: no call draws from it for `seconds`, on any instance."""

    bucket: Bucket
    seconds: float


class Strike(NamedTuple):
    """An answer of the kind that a platform bans for in numbers: it draws one from `bucket`, and where that is empty,
    `pauses` are paused until it is not.
    """

    bucket: Bucket
    pauses: tuple[Bucket, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the unix second of its end."""

    value: str
    expires: float


class TokenUnavailable(Exception):
    """A token cannot be had now: a ticket has not come yet, or the credentials are refused. The message says which
    setting to look at. `after`: seconds until it makes sense to try again; None: not before somebody changes something.
    """

    def __init__(self, reason: str, after: float | None) -> None:
        super().__init__(reason)
        self.after = after


class Profile(NamedTuple):
    """Constants of a platform."""

    retry_for: float
    """Seconds after a reply was decided during which transient failures are retried; then it is FAILED."""
    kept: tuple[str, ...] = ()
    """Names of the pushed credentials (`Accepted.kept`) that `Outbound.token` wants to see."""


Steps = Generator[Call, Sent, None]
"""The calls that deliver one reply. Deterministic: after a crash it is run again and fed the recorded receipts."""
TokenSteps = Generator[Call, Answer, Token]
"""The calls that get a token; raises `TokenUnavailable`."""


class Outbound(Protocol):
    """The functions of `parley.platforms.<name>.outbound`."""

    @property
    def PROFILE(self) -> Profile:  # noqa: N802
        """The platform's constants."""
        ...

    def deliver(self, out: Outgoing, app: App, now: float) -> Steps:
        """The calls that say `out.reply` at `out.to`, with fallbacks where the platform lacks a form.

        `now` only for stamps and for whether a grant is still alive: a later run yields the same calls. Raises
        `Undeliverable` where nothing can say it (a recall on a platform that has none).
        """
        ...

    def outcome(self, call: Call, answer: Answer) -> Outcome:
        """What `answer` means for `call`."""
        ...

    def token_key(self, out: Outgoing, app: App) -> str | None:
        """The name under which the token for `out` is shared, within the app; None where no call needs a token."""
        ...

    def token(self, out: Outgoing, app: App, kept: Mapping[str, str], now: float) -> TokenSteps:
        """Get that token. `kept`: what `Accepted.kept` stored for this app."""
        ...

    def limits(self, call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
        """The limits that `call` counts against, from the platform's published tables and the app's configuration."""
        ...

    def download(self, media: AnyMedia, message_id: str, app: App) -> Call:
        """The call that fetches the bytes of `media`, which came with the message `message_id`."""
        ...


@runtime_checkable
class Learning(Protocol):
    """What `outbound` has besides where a platform tells its limits in its answers."""

    def learned(self, call: Call, answer: Answer, out: Outgoing, app: App) -> tuple[Pause | Strike, ...]:
        """What `answer` to `call` says about the buckets of `limits`. Asked of every answer, whatever its outcome."""
        ...


class NotYet(Exception):
    """Raised by `Outbound.deliver`: until the unix second `until` the reply may still be given within the callback."""

    def __init__(self, until: float) -> None:
        super().__init__("the callback may still answer")
        self.until = until


class Undeliverable(Exception):
    """A reply that this platform has no way to say. The message is for the bot's author."""


def fallback(reply: Reply) -> Reply | None:
    """The plain-text form of `reply` for when its rich form is refused; None where that would be the same or empty."""
    text = plain_text(reply.segments)
    if not text or all(isinstance(segment, Text) for segment in reply.segments):
        return None
    return msgspec.structs.replace(reply, segments=(Text(text=text),))
