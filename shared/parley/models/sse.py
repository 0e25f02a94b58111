"""Reads a stream of server-sent events whose data is JSON, as chat completions send them."""

from collections.abc import Iterable, Iterator
from typing import Any

from parley.models.model import ModelError
from parley.untrusted import decode_json, mapping

MAX_STREAM = 2_097_152
"""Bytes of a stream that are read at most. Each token comes in an object of its own, which is much longer."""
_DONE = b"[DONE]"


def objects(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The objects of the stream `chunks`, to its end or its end marker `[DONE]`, which some services leave out.

    Raises ModelError if the stream is longer than MAX_STREAM, or holds something else.
    """
    for line in _lines(chunks):
        if not line.startswith(b"data:"):
            continue  # a comment, an empty line, or a field that chat completions do not use
        data = line[5:].strip()
        if data == _DONE:
            return
        try:
            yield mapping(decode_json(data))
        except ValueError as error:
            raise ModelError("the stream is not JSON", again=True) from error


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    read, rest = 0, b""
    for chunk in chunks:
        read += len(chunk)
        if read > MAX_STREAM:
            raise ModelError(f"the stream is longer than {MAX_STREAM} bytes")
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.rstrip(b"\r") for line in lines)
    yield rest
