"""Images and files that a simulated platform stores."""

from dataclasses import dataclass

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\0\0\1\0", "image/vnd.microsoft.icon"),
)


@dataclass(frozen=True, slots=True)
class Blob:
    """An uploaded file. `kind`: the platform's own type of media."""

    key: str
    kind: str
    data: bytes
    mime: str
    name: str = ""
    app: str = ""
    """The app that uploaded it; empty if a person sent it."""
    expires: float = float("inf")


def image_type(data: bytes) -> str:
    """The content type of an image, from its first bytes; empty if it is not an image."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _MAGIC if data.startswith(magic)), "")
