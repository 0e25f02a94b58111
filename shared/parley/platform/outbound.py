"""The sending half of a platform: replies, tokens, limits, downloads."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from parley.model import AnyMedia, Message, Outgoing, Reply, Text, plain_text
from parley.platform.app import App
from parley.platform.calls import Answer, Call, Outcome, Sent
from parley.platform.limits import Bucket, Pause, Strike


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


@runtime_checkable
class Silent(Protocol):
    """What `outbound` has besides where a promise to answer stands in the room until it is kept or taken back."""

    def silence(self, message: Message, now: float) -> Reply | None:
        """What to do where the bot says nothing in the place of `message`; None where nothing was promised."""
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
