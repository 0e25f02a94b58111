"""A parser of multipart/form-data. It keeps binary content exact."""

import re
from dataclasses import dataclass

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(r'[; ]name="([^"]*)"', re.IGNORECASE)
_FILENAME = re.compile(r'filename="([^"]*)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FormPart:
    """One field of a form. `filename` is empty if the field is not a file."""

    name: str
    data: bytes
    filename: str = ""

    @property
    def text(self) -> str:
        """The value as text."""
        return self.data.decode("utf-8", "replace")


def parse_multipart(content_type: str, body: bytes) -> list[FormPart] | None:
    """The fields of a form; None if `body` is not a complete form of that type."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        return None
    mark = b"\r\n--" + match[1].encode()
    pieces = (b"\r\n" + body).split(mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        return None
    return [part for piece in pieces[1:-1] if (part := _part(piece)) is not None]


def _part(piece: bytes) -> FormPart | None:
    head, found, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    name = _NAME.search(head.decode("utf-8", "replace"))
    if not found or name is None:
        return None
    filename = _FILENAME.search(head.decode("utf-8", "replace"))
    return FormPart(name[1], data, filename[1] if filename else "")
