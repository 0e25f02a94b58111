"""Frames in a stream of bytes: four bytes with the length (big endian, without a sign), then so many bytes of JSON."""

HEADER = 4
"""Bytes before each frame."""
MAX_FIRST = 16_384
"""Bytes of the first frame. A token has at most 8,192, and nobody is known yet who may use more memory."""


class TooLongError(ValueError):
    """The length before a frame is above the limit. No byte after it can be read as a frame."""


class Framer:
    """Cuts a stream into frames, however its bytes arrive. It holds one half frame and what was fed with it."""

    __slots__ = ("_bytes", "limit")

    def __init__(self, limit: int = MAX_FIRST) -> None:
        self.limit = limit
        """Bytes of the next frame."""
        self._bytes = bytearray()

    @property
    def held(self) -> int:
        """Bytes that are held."""
        return len(self._bytes)

    def feed(self, data: bytes) -> None:
        """Add bytes that have arrived."""
        self._bytes += data

    def next(self) -> bytes | None:
        """The next frame; None until it is there as a whole. Raises TooLongError as soon as its length is there."""
        if len(self._bytes) < HEADER:
            return None
        length = int.from_bytes(self._bytes[:HEADER])
        if length > self.limit:
            raise TooLongError(f"{length} bytes")
        if len(self._bytes) < HEADER + length:
            return None
        frame = bytes(self._bytes[HEADER : HEADER + length])
        del self._bytes[: HEADER + length]
        if not self._bytes:
            self._bytes = bytearray()  # frees the memory of a long frame
        return frame


def framed(frame: bytes) -> bytes:
    """`frame` as it is sent."""
    return len(frame).to_bytes(HEADER) + frame
