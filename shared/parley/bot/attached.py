"""The pictures and files of a message, as a language model gets them."""

from collections.abc import Iterator
from typing import Any

from parley.bot import talk
from parley.bot.turn import Turn
from parley.errors import DownloadError
from parley.model import File, Image
from parley.models.model import Picture

_MOST_TOKENS = 12_000
"""Of all text files of a message."""
_LONGEST_NAME = 100
_MOST = 4
"""Pictures, or files, of one message."""
_SIGNATURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}


def pictures(turn: Turn) -> Iterator[Picture]:
    """The pictures of the message, without those that cannot be read."""
    images = [part for part in turn.message.content.attachments if isinstance(part, Image)]
    for image in images[:_MOST]:
        try:
            data = turn.fetch(image)
        except DownloadError:
            continue
        mime = next((mime for start, mime in _SIGNATURES.items() if data.startswith(start)), "")
        if mime:
            yield Picture(data, mime)


def files(turn: Turn, tokens: int) -> list[str]:
    """The text files of the message, and the names of all other files and pictures. `tokens`: the most of all."""
    parts = turn.message.content.attachments
    found = talk.shared([_file(turn, part) for part in parts[:_MOST]], min(_MOST_TOKENS, tokens))
    more = len(parts) - len(found)
    return [*found, f"({more} more files are left out)"] if more else found


def _file(turn: Turn, part: Any) -> str:
    name = f"[{getattr(part, 'name', '')[:_LONGEST_NAME] or type(part).__name__.lower()}]"
    if not isinstance(part, File):
        return name
    try:
        return f"{name}\n{turn.fetch(part).decode()}"
    except DownloadError:
        return f"{name}\n(cannot be read)"
    except UnicodeDecodeError:
        return f"{name}\n(no text file)"
