"""One turn of a conversation, the argument of a handler."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from parley.bot.addressing import is_addressed
from parley.bot.replies import replies_of
from parley.errors import ParleyError
from parley.model import AnyMedia, AnySegment, Message, Reply

Download = Callable[[AnyMedia, Message], bytes]
Unseal = Callable[[Message], str]


def _no_download(_media: AnyMedia, _message: Message) -> bytes:
    raise RuntimeError("this turn cannot download; in a test, pass Turn(download=...)")


def _no_unseal(_message: Message) -> str:
    raise RuntimeError("this turn cannot read a credential; in a test, pass Turn(unseal=...)")


@dataclass(slots=True)
class Turn:
    """One message and its conversation.

    `state` is the state of the conversation: a dictionary of JSON values that the handler changes in place. It is
    stored in one transaction with the replies. `now` is the time in unix seconds.
    """

    message: Message
    state: dict[str, Any] = field(default_factory=dict[str, Any])
    now: float = 0
    download: Download = _no_download
    replies: list[Reply] = field(default_factory=list[Reply])
    unseal: Unseal = _no_unseal
    handler: str = ""
    """The handler that runs, for error messages: `order, bot.py:12`. The bot sets it."""

    @property
    def text(self) -> str:
        """The text of the message, without mentions of the bot."""
        return self.message.content.text

    @property
    def addressed(self) -> bool:
        """Whether the message is for the bot; see `parley.bot.addressing.is_addressed`."""
        return is_addressed(self.message)

    def say(self, what: str | AnySegment | Reply) -> None:
        """Add a reply before those that the handler returns. An empty string adds none."""
        self.replies.extend(replies_of(what))

    def fetch(self, media: AnyMedia) -> bytes:
        """The bytes of `media`, which is part of this message. At most 10 MiB. Raises `DownloadError`."""
        return self.download(media, self.message)

    def credential(self) -> str:
        """The credential that the platform sent with this message, in clear text: WeCom's `Token`, `AuthCode`,
        `WelcomeCode` or `ResponseCode`, Discord's interaction token. Raises `CredentialError`.

        Use it at once. Everything that Parley stores holds it encrypted, so do not put it into the state, a reply or a
        log.
        """
        context = self.message.context
        if not context.reply_token:
            raise CredentialError("this message came without a credential")
        if self.now >= context.reply_token_expires:
            raise CredentialError(f"the credential has expired {self.now - context.reply_token_expires:.0f} s ago")
        return self.unseal(self.message)


class CredentialError(ParleyError):
    """The message has no credential, or it has expired or cannot be read. The message says why, without the value."""


class DownloadError(ParleyError):
    """The bytes are not available. The message says why, and holds no text of the conversation."""
