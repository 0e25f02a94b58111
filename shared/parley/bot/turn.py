"""What a handler of the bot is given: one turn of a conversation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from parley.model import AnyMedia, AnySegment, Message, Reply

Download = Callable[[AnyMedia, Message], bytes]


def _no_download(_media: AnyMedia, _message: Message) -> bytes:
    raise RuntimeError("this turn has no way to download; in a test, give Turn(download=...)")


@dataclass(slots=True)
class Turn:
    """One message and the conversation it belongs to.

    `state` is the conversation's memory: a dictionary of JSON values that the handler changes in place; it is stored
    together with the replies, or not at all. `now` is in unix seconds; it is the only clock a handler needs.
    """

    message: Message
    state: dict[str, Any] = field(default_factory=dict[str, Any])
    now: float = 0
    download: Download = _no_download
    said: list[Reply] = field(default_factory=list[Reply])

    @property
    def text(self) -> str:
        """The words of the message, without the mention of the bot."""
        return self.message.content.text

    def say(self, what: str | AnySegment | Reply) -> None:
        """Add a reply before the ones that the handler returns."""
        self.said.append(Reply.of(what))

    def fetch(self, media: AnyMedia) -> bytes:
        """The bytes of `media`, which came with this message. At most 10 MiB; raises `DownloadError`."""
        return self.download(media, self.message)


class DownloadError(Exception):
    """The bytes cannot be had. The message says why, and holds no text of the conversation."""
