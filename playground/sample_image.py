"""A sample image, made without an image library."""

import struct
import zlib


def png(width: int = 240, height: int = 150) -> bytes:
    """A PNG of that size: a landscape with a sun."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes(_colour(x / width, y / height, width / height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _colour(x: float, y: float, ratio: float) -> tuple[int, int, int]:
    near = ((x - 0.7) * ratio) ** 2 + (y - 0.35) ** 2
    if near < 0.02:
        return 255, 244, 214
    if y > 0.72 + 0.08 * (1 - (2 * x - 0.6) ** 2):
        return 38, 70, 83
    glow = max(0.0, 0.5 - near)
    return int(90 + 150 * y + 60 * glow), int(140 + 60 * y + 40 * glow), int(190 - 40 * y)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
