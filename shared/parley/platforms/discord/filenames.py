"""The names under which files are sent. Discord shows a file as its extension says.

The table of the standard library is used without those of the operating system, so that each machine gives the same
name. The formats below are missing in it.
"""

import mimetypes

from parley.model import AnyMedia, Audio, File, Image, Video

_MORE = {
    ".webp": "image/webp",
    ".apng": "image/apng",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".wav": "audio/wav",
    ".mkv": "video/x-matroska",
    ".m4v": "video/mp4",
}
_EXTENSIONS: dict[type[AnyMedia], str] = {Image: ".png", Audio: ".ogg", Video: ".mp4", File: ""}
"""For a file without a MIME type."""


def _table() -> mimetypes.MimeTypes:
    table = mimetypes.MimeTypes(filenames=())
    for extension, type_ in _MORE.items():
        table.add_type(type_, extension)
    return table


_TABLE = _table()


def filename(media: AnyMedia) -> str:
    """The name under which `media` is sent: its own one with the extension of its type, or one made of its type."""
    name = media.name or type(media).__name__.lower()
    if _has_extension(name):
        return name
    found = _TABLE.guess_extension(media.mime.partition(";")[0].strip()) if media.mime else None
    if found:
        return f"{name}{found}"
    return name if "." in name else f"{name}{_EXTENSIONS[type(media)]}"


def _has_extension(name: str) -> bool:
    """Whether the extension of `name` stands for a type, or for a compression such as `.gz`."""
    return "." in name and any(_TABLE.guess_type(f"file.{name.rpartition('.')[2]}"))
