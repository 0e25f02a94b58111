"""Incoming: a callback as raw bytes, and the result that a platform makes of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

import msgspec

from parley.adapter.app import App, Headers
from parley.adapter.limits import Bucket
from parley.model import Message, Outgoing, Reply, Source, person_key

if TYPE_CHECKING:
    from parley.model.instant import Instant


class Request(msgspec.Struct, frozen=True):
    """A callback as it was received: raw bytes, nothing parsed. `query` is percent-decoded once."""

    method: str = "POST"
    headers: Headers = msgspec.field(default_factory=Headers)
    query: Mapping[str, str] = {}
    body: bytes = b""
    parameters: Mapping[str, str] = {}
    """The parts of the path that the template names in braces: `{"app": "demo"}`."""
    route: str = ""
    """The path as the template writes it: `/v1/{app}/media`."""
    key_set: Any = None
    """The JSON Web Key Set that `UsesKeySets.key_set` has asked for, decoded."""


class Response(msgspec.Struct, frozen=True):
    """The HTTP response to a callback."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


Reason = Literal[
    "forged",
    "stale",
    "malformed",
    "too_large",
    "too_many",
    "unknown_app",
    "not_allowed",
    "not_found",
    "other_address",
    "key_reused",
    "unavailable",
]


class Rejected(msgspec.Struct, frozen=True):
    """A callback that is refused.

    `reason` is the metric's dimension and the error code in the response. `detail` goes to the log only: it names the
    setting to check, and holds no secret and no text of a person. `response` replaces the status and the error code if
    the platform defines a form for it (`Accepted.refused`).
    """

    status: int
    reason: Reason
    detail: str = ""
    response: Response | None = None
    retry_after: float = 0
    """Seconds after which the same request can succeed; 0 if they are not known."""


class Client(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who has a connection or a ticket. `rooms`: the names of the rooms that they may use. `until`: the Unix second
    until which that holds.
    """

    platform: str
    app: str
    person: str
    name: str
    rooms: frozenset[str]
    until: int

    @property
    def key(self) -> str:
        """The key of the person; see `parley.model.person_key`."""
        return person_key(self.platform, self.app, self.person)


class Reading(msgspec.Struct, frozen=True):
    """What a client reads of the journal: the replies to its message `message` if it names one, else those of the
    conversation with the key `conversation` after the cursor `after` (None: the last ones).

    `person`: who reads. `wait`: seconds to wait for all replies to the message, or for the first one after the cursor.
    """

    person: str
    conversation: str = ""
    message: Message | None = None
    after: int | None = None
    wait: float = 0


class Read(msgspec.Struct, frozen=True):
    """What is there to read, in order. `done`: every reply to the message is there or has failed, so none follows.
    `cursor`: the place in the conversation after the last of them.
    """

    replies: tuple[Outgoing, ...] = ()
    done: bool = False
    cursor: int = 0


class NewMedia(msgspec.Struct, frozen=True):
    """Media that a client wants to upload: the key of the object, its media type, and its size in bytes."""

    key: str
    mime: str
    size: int


class UploadAddress(NamedTuple):
    """Where a client uploads media by PUT with these headers, and the seconds for which that is possible."""

    url: str
    headers: dict[str, str]
    expires_in: int


class KeySet(NamedTuple):
    """A JSON Web Key Set: its address, and the id of the key that is needed; empty if it is not known."""

    url: str
    kid: str


class Accepted(msgspec.Struct, frozen=True):
    """A callback that is authentic. Each callback makes one; a frozen dataclass would take ten times as long."""

    response: Response = Response()
    """Given after `messages` are in the queue."""
    messages: tuple[Message, ...] = ()
    credentials: Mapping[str, str] = {}
    """Credentials that the platform pushes (a ticket), by name. They are stored in the state table, encrypted at rest,
    and are in no queue."""
    credentials_issued_at: float = 0
    """The platform's time stamp of `credentials`, in unix seconds. Older credentials never replace newer ones."""
    passive_reply_within: float = 0
    """Seconds that the callback may wait for the replies to the first message and return them
    (`SupportsPassiveReply.passive_reply`). 0: the response is given at once. For a poll: seconds after the first one in
    which the replies have to be decided, before the polls end."""
    comes_once: bool = False
    """Whether the platform does not deliver the callback again. If there is no passive reply in time, it gets
    `response`, and not an error for the sake of another delivery."""
    polled: Message | None = None
    """The message whose replies the platform asks for with this callback, if it polls for them. Only its id, its sender
    and its conversation are known. The response is that of `SupportsPassiveReply.passive_reply`, or `response` while
    there are no replies."""
    instant: Message | None = None
    """A message that an instant function of the bot may answer within the callback. If it does, nothing is queued and
    `SupportsInstantAnswers.instant` makes the response."""
    limits: tuple[Bucket, ...] = ()
    """The rate limits of the client. If one is reached, the request is refused with 429, and nothing is stored."""
    fingerprint: str = ""
    """That of the request, if its client names the only message itself. A request with the same message id and another
    fingerprint is refused with 422."""
    reading: Reading | None = None
    """What the request reads, after `messages` are in the queue (`SupportsReading`)."""
    upload: NewMedia | None = None
    """What the client wants to upload. The response is that of `SupportsUploads.uploading`."""
    client: Client | None = None
    """Who asks for a connection (`parley.adapter.sockets`)."""
    is_known: bool = True
    """Whether the platform's documentation has this kind of callback. Others are stored as well, and counted."""
    refused: Response | None = None
    """The response if the message is definitely not stored, for a platform that does not retry: it tells the person to
    try again. If storing may have succeeded, the platform gets 503 instead."""


class Inbound(Protocol):
    """The functions of `parley.platforms.<name>.inbound`."""

    def receive(self, request: Request, app: App, now: float) -> Accepted | Rejected:
        """Verify, decrypt and normalise one callback. The signature is checked before anything else is read.

        Never raises, on any input.
        """
        ...


@runtime_checkable
class AcceptsUnsigned(Protocol):
    """An `inbound` module of a platform that sends some requests without a signature, such as an encrypted URL check.

    They are rare, so the engine limits them: each one is decrypted before its sender is known.
    """

    def is_unsigned(self, request: Request, app: App) -> bool:
        """Whether `request` has no signature although `app` expects one."""
        ...


@runtime_checkable
class UsesKeySets(Protocol):
    """An `inbound` module of a platform whose requests are signed with keys that their issuer publishes."""

    def key_set(self, request: Request, app: App) -> KeySet | None:
        """The key set that `receive` needs as `Request.key_set`; None if it needs none. Nothing is verified yet."""
        ...


@runtime_checkable
class DescribesRejections(Protocol):
    """An `inbound` module of a platform that expects its own form of a rejection, also of those by the engine."""

    def rejection(self, rejected: Rejected, request: Request, app: App | None) -> Response:
        """The response to a refused request. `app`: None if it is not known."""
        ...


@runtime_checkable
class SupportsReading(Protocol):
    """An `inbound` module of a platform whose clients read the replies (`Accepted.reading`)."""

    def read(self, request: Request, app: App, reading: Reading, found: Read) -> Response:
        """The response with what was `found`."""
        ...


@runtime_checkable
class SupportsStoredMedia(Protocol):
    """A module of a platform whose clients load media from the bucket of this deployment."""

    def stored(self, source: Source) -> str:
        """The key of the object with the media of that source; empty if they are not in the bucket."""
        ...


@runtime_checkable
class SupportsUploads(SupportsStoredMedia, Protocol):
    """An `inbound` module of a platform whose clients upload media to that bucket."""

    def uploading(self, request: Request, app: App, address: UploadAddress) -> Response:
        """The response to a request for an upload (`Accepted.upload`)."""
        ...

    def uploads_of(self, person: str, app: str) -> str:
        """The beginning of the keys of all objects of the person with that id, and of no other object."""
        ...


@runtime_checkable
class SupportsCredentials(Protocol):
    """An `inbound` module of a platform whose messages may come with a credential (`Context.reply_token`)."""

    def credential(self, message: Message, app: App) -> str:
        """The credential of `message` in clear text, for the bot.

        Raises ValueError if it was sealed with another secret than that of `app`.
        """
        ...


@runtime_checkable
class SupportsInstantAnswers(Protocol):
    """An `inbound` module of a platform that expects some answers at once: completions, a form to open."""

    def instant(self, message: Message, result: "Instant", app: App) -> Response:
        """The response that shows `result`, the bot's instant answer to `message` (`Accepted.instant`).

        Raises ValueError if the platform cannot show it there.
        """
        ...


class PassiveReply(msgspec.Struct, frozen=True):
    """A response that carries replies.

    The first `sent` replies are carried in full. Of the next reply only the beginning is carried if `rest` holds its
    remainder. All other replies have to be delivered through the API.
    """

    response: Response
    sent: int = 0
    rest: Reply | None = None

    @property
    def carries_nothing(self) -> bool:
        """Whether the response has neither a whole reply nor the beginning of one."""
        return self.sent == 0 and self.rest is None


@runtime_checkable
class SupportsPassiveReply(Protocol):
    """An `inbound` module of a platform that accepts replies in the response to the callback."""

    def passive_reply(
        self, request: Request, app: App, message: Message, replies: tuple[Outgoing, ...], now: float
    ) -> PassiveReply:
        """The response to `request` with as many of `replies` to `message` as fit, in order.

        It is the platform's empty response if `replies` is empty or its first reply cannot be carried.
        """
        ...


@runtime_checkable
class SupportsGrowingReply(Protocol):
    """An `inbound` module of a platform that polls for the replies to messages, and shows an answer while it grows."""

    def growing_reply(self, request: Request, app: App, message: Message, reply: Reply, now: float) -> Response:
        """The response to the poll `request` that shows `reply`, the beginning of the answer to `message`."""
        ...
