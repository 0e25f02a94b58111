"""Pictures and files at Feishu. Facts: Feishu docs, Images › Upload; Files › Upload; Messages › Get resource."""

from dataclasses import dataclass, field
from typing import Literal

from playground.platforms.feishu.errors import Refused

IMAGE_BYTES = 10 * 1024 * 1024
FILE_BYTES = 30 * 1024 * 1024
RESOURCE_BYTES = 100 * 1024 * 1024
FILE_TYPES = frozenset("opus mp4 pdf doc xls ppt stream".split())
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
    """Something uploaded. `app` is empty where a person sent it."""

    key: str
    kind: Literal["image", "file"]
    data: bytes
    mime: str
    name: str = ""
    app: str = ""


@dataclass(slots=True)
class Store:
    """All that was uploaded, by key."""

    blobs: dict[str, Blob] = field(default_factory=dict[str, Blob])

    def put(self, blob: Blob) -> Blob:
        """Keep `blob`."""
        self.blobs[blob.key] = blob
        return blob

    def of_app(self, key: str, app: str) -> bool:
        """Whether `app` uploaded `key`."""
        blob = self.blobs.get(key)
        return blob is not None and blob.app == app


def picture_type(data: bytes) -> str:
    """The content type of a picture; empty where it is none."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _MAGIC if data.startswith(magic)), "")


def check_size(data: bytes, limit: int) -> None:
    """Refuse what is empty or beyond `limit` bytes. Raises Refused."""
    if not data:
        raise Refused(234010, "File's size can't be 0.")
    if len(data) > limit:
        raise Refused(234006, "The file size exceed the max value.")


def check_picture(data: bytes) -> str:
    """The content type of an uploaded picture. Raises Refused."""
    check_size(data, IMAGE_BYTES)
    mime = picture_type(data)
    if not mime:
        raise Refused(234011, "Can't regonize the image format.")
    return mime
