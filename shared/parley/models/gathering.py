"""Gathers the pieces of an answer that comes as a stream."""

from typing import Any

from msgspec.structs import replace

from parley.models.model import MAX_TEXT, Answer, ModelError, Partial, ToolCall

_MOST_CALLS = 8
"""Calls of one answer that are read. Further ones are dropped."""


class Gathering:
    """An answer so far. `sent` and `received`: tokens, as the service counts them."""

    __slots__ = ("_bytes", "_calls", "_partial", "_text", "received", "sent")

    def __init__(self, partial: Partial) -> None:
        self.sent = self.received = 0
        self._partial = partial
        self._text = ""
        self._bytes = 0
        self._calls: dict[int, ToolCall] = {}

    def add_text(self, text: str) -> None:
        """Add a piece of the text, and pass on the text so far. Raises ModelError if it is too long."""
        if text:
            self._count(text)
            self._text += text
            self._partial(self._text)

    def add_call(self, index: int, piece: ToolCall) -> None:
        """Add a piece of the call with this number. Raises ModelError if it is too long."""
        if index not in self._calls and len(self._calls) >= _MOST_CALLS:
            return
        known = self._calls.get(index, ToolCall(id="", name="", arguments=""))
        self._count(piece.arguments + piece.name)
        self._calls[index] = ToolCall(
            id=known.id or piece.id[:64],
            name=known.name or piece.name[:64],
            arguments=known.arguments + piece.arguments,
        )

    def answer(self, stop: Any, refusal: str = "") -> Answer:
        """The whole answer. Each call has an id of its own."""
        ids: set[str] = set()
        calls: list[ToolCall] = []
        for number, call in sorted(self._calls.items()):
            id_ = call.id if call.id and call.id not in ids else f"call_{number}"
            ids.add(id_)
            calls.append(replace(call, id=id_, arguments=call.arguments or "{}"))
        return Answer(text=refusal or self._text, calls=tuple(calls), stop=stop, sent=self.sent, received=self.received)

    def _count(self, piece: str) -> None:
        self._bytes += len(piece.encode("utf-8", "surrogatepass"))
        if self._bytes > MAX_TEXT:
            raise ModelError(f"the answer is longer than {MAX_TEXT} bytes")
