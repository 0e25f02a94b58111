"""The sending half of a platform: replies, tokens, limits, downloads."""

from collections.abc import Generator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from parley.adapter.app import App
from parley.adapter.calls import Answer, Call, Outcome, Part, Sent
from parley.adapter.inbound import SupportsStoredMedia
from parley.adapter.limits import BreakerFailure, Bucket, Pause
from parley.errors import ParleyError
from parley.model import AnyMedia, Message, Outgoing, Reply, Source


class Token(msgspec.Struct, frozen=True):
    """An access token and the unix second of its end."""

    value: str
    expires: float


class TokenUnavailableError(ParleyError):
    """No token is available: the ticket has not been pushed yet, or the credentials are refused.

    The message names the setting to check. `retry_after` is in seconds; None if only a changed configuration helps.
    """

    def __init__(self, reason: str, retry_after: float | None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Profile(NamedTuple):
    """Constants of a platform."""

    retry_for: float
    """Seconds after a reply was decided during which transient failures are retried; then it is FAILED."""
    pushed_credentials: tuple[str, ...] = ()
    """Names of the pushed credentials (`Accepted.credentials`) that `Outbound.token` needs."""
    continues: bool = False
    """Whether the rest of a reply can be sent as a reply of its own, whose messages are new ones (`Outgoing.dropped`
    names `sent` then). No upload may stand between two messages. Then a refused part of a later message does not cost
    the words of that message."""
    reacts: bool = False
    """Whether it has reactions to messages. Where it has none, `deliver` gets none, and nobody sees anything."""
    resends: bool = False
    """Whether an app can send media by the handle with which it has received them (`Media.key`)."""
    fixed_token: bool = False
    """Whether the token is a part of the configuration and never expires. It is not stored anywhere else then."""


Steps = Generator[Call, Sent, None]
"""The calls that deliver one reply. Deterministic: after a crash it is run again and sent the recorded receipts."""
TokenSteps = Generator[Call, Answer, Token]
"""The calls that fetch a token. Raises `TokenUnavailableError`."""


class Outbound(Protocol):
    """The functions of `parley.platforms.<name>.outbound`."""

    @property
    def PROFILE(self) -> Profile:  # noqa: N802
        """The platform's constants."""
        ...

    def deliver(self, out: Outgoing, app: App, now: float) -> Steps:
        """The calls that deliver `out.reply` to `out.to`, with fallbacks if the platform lacks a form.

        `now` is used for time stamps and for the expiry of the reply token only: a later run yields the same calls.
        Raises `UndeliverableError` if the platform has no way to do it (a recall on a platform without recalls), and
        `RetryAfter` while the callback that `out` answers may still carry it.
        """
        ...

    def outcome(self, call: Call, answer: Answer) -> Outcome:
        """The outcome of `call`, read from `answer`."""
        ...

    def token_key(self, out: Outgoing, app: App) -> str | None:
        """The name of the token for `out` within the app, shared by all calls with it. None if no call needs one."""
        ...

    def token(self, out: Outgoing, app: App, pushed: Mapping[str, str], now: float) -> TokenSteps:
        """Fetch that token. `pushed`: the credentials that the platform has pushed for this app, by name."""
        ...

    def limits(self, call: Call, out: Outgoing, app: App) -> tuple[Bucket, ...]:
        """The limits that `call` counts against, from the platform's published tables and the app's configuration."""
        ...

    def download(self, media: AnyMedia, message_id: str, app: App) -> Call:
        """The call that fetches the bytes of `media`, which was part of the message `message_id`."""
        ...


@runtime_checkable
class SupportsLimitFeedback(Protocol):
    """An `outbound` module of a platform whose answers report its limits."""

    def limit_feedback(self, call: Call, answer: Answer, out: Outgoing, app: App) -> tuple[Pause | BreakerFailure, ...]:
        """How `answer` changes the buckets of `limits`. Called for every answer, also that of a failed call."""
        ...


@runtime_checkable
class SupportsTyping(Protocol):
    """An `outbound` module of a platform that cannot show a reply while it grows, but that it is being written."""

    @property
    def TYPING_LASTS(self) -> float:  # noqa: N802
        """Seconds for which people see the sign."""
        ...

    def typing(self, out: Outgoing, app: App) -> Call:
        """The call that shows the sign where `out` goes."""
        ...


@runtime_checkable
class SupportsDrafts(Protocol):
    """An `outbound` module of a platform that can show a reply while it grows.

    `deliver` replaces what `Outgoing.draft` shows. If the platform refuses that (`target`), it removes it, and sends
    the reply as a new message. A recall without a target removes it.
    """

    @property
    def DRAFT_INTERVAL(self) -> float:  # noqa: N802
        """Least seconds between two texts."""
        ...

    def open_draft(self, out: Outgoing, app: App, now: float) -> Steps:
        """The calls that show `out`, the beginning of a reply. None if it cannot be shown.

        `Outgoing.draft` becomes the ids in the receipts of these calls, without those of the last one if its answer
        gets lost. After a crash it is run again, and sent the ids that were recorded.
        """
        ...

    def grow_draft(self, out: Outgoing, app: App, now: float) -> Call:
        """The call that shows `out` in place of an earlier text."""
        ...


@runtime_checkable
class SupportsRenewal(Protocol):
    """An `outbound` module with `SupportsDrafts` whose drafts stop taking texts after a time."""

    @property
    def DRAFT_LASTS(self) -> float:  # noqa: N802
        """Seconds after which a draft is renewed: it takes texts for longer than that."""
        ...

    def renew_draft(self, out: Outgoing, app: App, now: float) -> Call:
        """The call after which the draft takes texts for another while, also if its time is over. A call of
        `grow_draft` may follow at the same time.
        """
        ...


@runtime_checkable
class SupportsJoining(Protocol):
    """An `outbound` module of a platform that has room for few messages after some of the messages that it delivers."""

    def joined(self, message: Message, replies: Sequence[Reply], now: float) -> list[Reply]:
        """The `replies` to `message`, decided `now`, with texts in one reply that would need a message each. It has the
        place of the first of them, and no reply follows it that had a place of its own.
        """
        ...


@runtime_checkable
class SupportsSilence(Protocol):
    """An `outbound` module of a platform that shows a placeholder ("thinking...") until the bot replies."""

    def silence(self, message: Message, now: float) -> Reply | None:
        """The reply that removes the placeholder if the bot does not reply to `message`; None if there is none."""
        ...


@runtime_checkable
class SupportsDeferral(Protocol):
    """An `outbound` module of a platform whose passive replies carry what the API refuses (`SupportsPassiveReply`)."""

    def passive_form(self, out: Outgoing, app: App, receipts: Sequence[Sent]) -> Outgoing | None:
        """`out` in the form that a passive reply to the person's next message can carry: media as uploaded, words for
        what only the API can send. None if no passive reply can carry it.

        `receipts`: those of the calls that were made for `out`. Nothing of it was sent yet.
        """
        ...


@runtime_checkable
class SupportsNames(Protocol):
    """An `outbound` module of a platform whose callbacks lack the sender's name and departments, and whose API returns
    them."""

    def name_call(self, message: Message, app: App) -> Call | None:
        """The call that fetches the name of the sender of `message`; None if the API does not know that person."""
        ...

    def read_name(self, answer: Answer) -> str:
        """The name in the `answer` to that call. Empty if it has none."""
        ...

    def read_departments(self, answer: Answer) -> tuple[str, ...]:
        """The ids of the departments in the `answer` to that call."""
        ...


@runtime_checkable
class SupportsQuotes(Protocol):
    """An `outbound` module of a platform whose callbacks lack the texts of quoted messages, and whose API has them."""

    def quote_call(self, message_id: str, app: App) -> Call:
        """The call that fetches a message, or what it forwards."""
        ...

    def read_quote(self, answer: Answer) -> str:
        """The text in the `answer` to that call. Empty if there is none, or if the message was recalled."""
        ...


@runtime_checkable
class SupportsEncryptedMedia(Protocol):
    """An `outbound` module of a platform that encrypts the media of messages."""

    def decrypted(self, data: bytes, app: App) -> bytes:
        """The bytes of a file, of which `download` has fetched `data`. Raises ValueError."""
        ...


@runtime_checkable
class SupportsCopies(SupportsStoredMedia, Protocol):
    """An `outbound` module of a platform whose clients cannot load media that another platform has: the engine copies
    them to the bucket of this deployment.
    """

    def copy_of(self, out: Outgoing, number: int) -> Source:
        """Where the copy of media of `out` is, which have that number among all of its media."""
        ...


class Grant(NamedTuple):
    """An organisation has installed the app: its id, and the code that gives access tokens for it. `code` is secret."""

    tenant: str
    code: str


class Authorisation(NamedTuple):
    """What an organisation allows the app: the app's id there, and the authorised scope as JSON, without persons."""

    agent: str
    scope: str


@runtime_checkable
class SupportsTenants(Protocol):
    """An `outbound` module of a platform whose apps organisations can install (`Config.has_tenants`).

    The calls need the token of the provider's app, which `token` fetches for an app without a tenant. `code`: that of
    the organisation, in clear text.
    """

    def exchange_call(self, code: str, app: App) -> Call:
        """The call that exchanges the code of a new authorisation, which is good once."""
        ...

    def read_grant(self, answer: Answer) -> Grant | None:
        """What that call has answered; None if the code is used, has expired or is wrong.

        Raises RetryAfter if the platform has refused the call for another reason, and the code is still good.
        """
        ...

    def authorisation_call(self, tenant: str, code: str, app: App) -> Call:
        """The call that asks what the organisation `tenant` allows."""
        ...

    def read_authorisation(self, answer: Answer) -> Authorisation | None:
        """What that call has answered; None if it names no app."""
        ...

    def tenant_token_call(self, code: str, app: App) -> Call:
        """The call that fetches the access token of `app`, the app in one organisation."""
        ...

    def read_tenant_token(self, answer: Answer, now: float) -> Token:
        """The token in the `answer` to that call. Raises TokenUnavailableError."""
        ...

    def has_left(self, answer: Answer) -> bool:
        """Whether `answer` says that the organisation has removed the app."""
        ...


class UndeliverableError(ParleyError):
    """The platform has no way to deliver this reply. The message is for the bot's author.

    `part`: the part of the reply that the platform cannot deliver. The reply is retried without it, as after a refusal
    (`Permanent.part`).
    """

    def __init__(self, reason: str, part: Part = "") -> None:
        super().__init__(reason)
        self.part: Part = part
