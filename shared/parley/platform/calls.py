"""What goes out: one API call, its answer, and what the answer means."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from parley.model import AnyMedia
from parley.platform.app import Headers


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
