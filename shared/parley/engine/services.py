"""What a handler can ask for: files, credentials, quoted texts, and the name of the sender. Each is made when it is
first used: most bots need none, and the HTTP client would slow down every cold start.
"""

from functools import cache
from typing import TYPE_CHECKING

from parley.bot.turn import Unseal
from parley.model import AnyMedia, Message

if TYPE_CHECKING:
    from parley.engine.download import Downloads
    from parley.engine.names import Names
    from parley.engine.quotes import Quotes
    from parley.engine.user_tokens import UserTokens
    from parley.journal.names import Person


def download(media: AnyMedia, message: Message) -> bytes:
    """The bytes of `media` in `message`. Raises DownloadError."""
    return _downloads()(media, message)


def unseal(message: Message) -> str:
    """The credential that came with `message`. Raises CredentialError."""
    return _credentials()(message)


def quote(message_id: str, message: Message) -> str:
    """The text of a message that `message` quotes or forwards; empty if it cannot be read."""
    return _quotes()(message_id, message)


def person(message: Message) -> "Person":
    """What the platform says of the sender of `message`."""
    return _names()(message)


@cache
def users() -> "UserTokens":
    """The persons who have logged in."""
    from parley.engine.user_tokens import user_tokens  # noqa: PLC0415

    return user_tokens()


@cache
def _downloads() -> "Downloads":
    from parley.engine.download import downloads  # noqa: PLC0415

    return downloads()


@cache
def _credentials() -> Unseal:
    from parley.engine.credentials import credentials  # noqa: PLC0415

    return credentials()


@cache
def _quotes() -> "Quotes":
    from parley.engine.quotes import Quotes  # noqa: PLC0415

    return Quotes(_downloads().calls, _downloads().apps)


@cache
def _names() -> "Names":
    from parley.engine.names import names  # noqa: PLC0415

    return names()
