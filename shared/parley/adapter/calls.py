"""Outgoing: one API call, its answer, and the outcome that a platform reads from the answer."""

import math
from typing import Any, Literal

import msgspec

from parley.adapter.app import Headers
from parley.errors import RetryAfter
from parley.model import AnyMedia, Source
from parley.untrusted import decode_json, mapping


class Auth(msgspec.Struct, frozen=True):
    """Where the token goes in a call: `Auth("header", "Authorization", "Bearer ")`, `Auth("query", "access_token")`."""

    where: Literal["header", "query"]
    name: str
    prefix: str = ""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A multipart form with one file, refused beyond `limit` bytes: `content`, which the engine gets from
    `media.source`, or else `media.data`, or what it reads from `media.url`.
    """

    field: str
    media: AnyMedia
    limit: int
    fields: dict[str, str] = {}
    filename: str = "file"
    content: bytes | msgspec.UnsetType = msgspec.UNSET

    @property
    def source(self) -> Source | None:
        """Where the engine has to get the bytes first, if received media are passed on."""
        return None if self.media.data else self.media.source or None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One API call, without its token."""

    name: str
    """For logs and metrics: `send`, `upload`, `edit`."""
    method: str
    url: str
    auth: Auth | None = None
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    json: Any = None
    form: dict[str, str] = {}
    """The fields of a form, in place of `json`."""
    upload: Upload | None = None
    idempotent_for: float = 0
    """Seconds after the first attempt in which a repeat has no further effect: the validity of the platform's
    idempotency key, `IDEMPOTENT` for an upload or an edit, 0 without a key."""
    edits: bool = False
    """Whether the call writes a part of the reply over an earlier message. People see it, although the call can be
    repeated."""
    keeps: bool = False
    """Whether the reply is put into the mailbox of its conversation before the call (`parley.journal.mailbox`), once.
    With an empty `url`, that is all."""
    stored: str = ""
    """In place of `url`, for a download or a copy: the key of an object in the bucket of this deployment. The upload of
    a copy is its bytes alone, and no form."""
    notifies: bool = False
    """Whether clients that watch the conversation are notified before the call (`parley.adapter.SupportsNotices`): of
    the reply if it `keeps` it, else that the bot works on one. It is best effort."""
    timeout: float = 10
    """Seconds for the whole call."""
    note: str = ""
    """Passed from `deliver` to `outcome`, and not sent: what `outcome` needs to judge the answer."""

    @property
    def is_message(self) -> bool:
        """Whether people see what the call sends: not if it uploads a file, for example, or opens a thread."""
        return self.edits or self.idempotent_for != IDEMPOTENT


IDEMPOTENT = math.inf
"""`Call.idempotent_for` of a call that can be repeated at any time."""


class Answer(msgspec.Struct, frozen=True):
    """The HTTP response to a call."""

    status: int
    body: bytes = b""
    headers: Headers = msgspec.field(default_factory=Headers)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is not one, such as the HTML error page of a gateway."""
        try:
            return mapping(decode_json(self.body))
        except ValueError:
            return {}


class Sent(msgspec.Struct, frozen=True):
    """The call is done. `id` is the platform's id of the new object, `data` is for later calls of the same reply.

    `data["unreached"]`: the receivers that the message did not reach, if the platform names some. `NOTHING`: the call
    has shown nothing to anybody.
    """

    id: str = ""
    data: dict[str, str] = {}


NOTHING = {"nothing": "1"}
"""`Sent.data` of a call that has shown nothing to anybody, although it is done. In a later run, a call with which the
platform shows a message may take its place; that one is not done then."""


class TokenRejected(msgspec.Struct, frozen=True):
    """The token was refused and nothing was done. The engine repeats the call once with a new token."""

    reason: str = ""


Part = Literal["", "form", "quote", "thread", "private", "target", "mention", "buttons", "media"]
"""A part of a reply that it can do without. `form`: everything but its words. `target`: the message that it edits; the
reply is a new message without it. `media`: the media of the call's upload, or the pictures of cards."""


class Transient(msgspec.Struct, frozen=True):
    """The call failed, nothing was done, and a later attempt may succeed, in `after` seconds at the earliest.

    `part`: the part of the reply that the call failed for. After a minute of attempts, the reply goes out without it.
    """

    reason: str
    after: float = 0
    part: Part = ""


class Unknown(msgspec.Struct, frozen=True):
    """The outcome is unknown: the answer was lost, or a gateway answered instead of the platform."""

    reason: str


class Permanent(msgspec.Struct, frozen=True):
    """The call was refused for good.

    `part`: the part of the reply that was refused. The reply is retried without it, and keeps every other part
    (`parley.adapter.fallback`). If people already see a message of the reply, that is possible for `quote`, `thread`
    and `private` only, and a platform names these only if `deliver` yields the same calls without them, up to the
    refused one. The same holds for the calls before a refused edit (`target`). `reply_token`: the reply token of
    `out.to` was refused; the reply is retried as if the token had expired. `window_closed`: the API delivers no message
    to this person now, because they have not written lately or because it refuses every call of this app (IP address,
    credentials). The reply goes out with the passive reply to their next message (`SupportsPassiveReply`); otherwise it
    is retried.
    """

    reason: str
    part: Part = ""
    reply_token: bool = False
    window_closed: bool = False


Outcome = Sent | TokenRejected | RetryAfter | Transient | Unknown | Permanent
