"""What comes in: a callback as raw bytes, and what a platform makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from parley.model import Message, Reply
from parley.platform.app import App, Headers

if TYPE_CHECKING:
    from parley.model.instant import Instant


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
    says which setting to look at, and never holds a secret or a text. `response` is given in place of the status where
    the platform has a form for that (`Accepted.refused`).
    """

    status: int
    reason: Reason
    detail: str = ""
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A callback that is believed.

    `messages` go to the queue before `response` is given. `kept` are credentials that the platform pushes (a ticket):
    they go to the state table, encrypted, and never into a queue; one pushed earlier than `kept_at` (unix seconds, as
    the platform stamped it) never replaces a later one. `answer_within`: seconds that the callback may wait for the
    bot's replies to the first message and answer with them (`Answering.answer`); 0 answers at once. `instant`: a
    message that a declared, pure and fast function of the bot may answer within the callback. Where it does,
    `Instantly.instant` makes the response of its result and nothing is queued; otherwise the rest of this holds.
    `refused`: what is said where the one message is surely not stored, on a platform that does not try again and has a
    form for telling the person. Where that is None, or storing may have been done, the platform is told of a failure
    (503): it tries again, or takes back what the message came with, so that the answer does not depend on it.
    """

    response: Response = field(default_factory=Response)
    messages: tuple[Message, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict[str, str])
    kept_at: float = 0
    answer_within: float = 0
    instant: Message | None = None
    refused: Response | None = None


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
class Answering(Protocol):
    """What `inbound` has besides where replies can be given within the callback (`Accepted.answer_within`)."""

    def answer(self, request: Request, app: App, message: Message, replies: tuple[Reply, ...], now: float) -> Answered:
        """The response to `request` that says as many of `replies` to `message` as fit, in order.

        With none, or where the first cannot be said this way, it is the platform's "nothing to say".
        """
        ...
