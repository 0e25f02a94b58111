"""Gathers the pieces of an answer that comes as a stream."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from parley.bot.once import StoppedError
from parley.models.model import MAX_TEXT, MOST_CALLS, Answer, ModelError, Partial, ToolCall
from parley.models.thoughts import WithoutThoughts


class Gathering:
    """An answer so far. `sent` and `received`: tokens, as the service counts them."""

    __slots__ = ("_calls", "_last", "_partial", "_size", "_text", "_written", "received", "sent")

    def __init__(self, partial: Partial) -> None:
        self.sent = self.received = 0
        self._partial = partial
        self._text = WithoutThoughts()
        self._written = 0
        """Bytes that the model has written, thoughts too."""
        self._size = 0
        """Bytes of the calls."""
        self._calls: dict[int, ToolCall] = {}
        self._last = -1
        """The number of the call that the last piece belongs to."""

    @contextmanager
    def counting(self) -> Generator[None]:
        """Inside the context, a ModelError or a StoppedError gets the tokens of what has been written."""
        try:
            yield
        except (ModelError, StoppedError) as error:
            error.sent, error.received = self.sent, self._received
            raise

    def add_text(self, text: str) -> None:
        """Add a piece of the text, and pass on the text so far. Raises ModelError if it is too long."""
        if text:
            self._text.add(text)
            self._count(text)
            self._partial(self._text.text)

    def add_thought(self, text: str) -> None:
        """Count a piece of what the model thinks. `partial` gets the unchanged text: a person may stop it."""
        if text:
            self._count(text)
            self._partial(self._text.text)

    def add_call(self, index: int | None, piece: ToolCall) -> None:
        """Add a piece of the call with this number, and pass on the unchanged text, as `add_thought` does. Raises
        ModelError if it is too long.

        Without a number, and where a server gives the same one to several calls, an id that is new begins another call.
        """
        number = self._number(index, piece)
        if number not in self._calls and len(self._calls) >= MOST_CALLS:
            return
        self._last = number
        known = self._calls.get(number, ToolCall(id="", name="", arguments=""))
        self._size += len((piece.arguments + piece.name).encode("utf-8", "surrogatepass"))
        self._count(piece.arguments + piece.name)
        self._calls[number] = ToolCall(
            id=known.id or piece.id[:64],
            name=known.name or piece.name[:64],
            arguments=known.arguments + piece.arguments,
        )
        self._partial(self._text.text)

    def answer(self, stop: Any, refusal: str = "") -> Answer:
        """The whole answer."""
        calls = tuple(call for _, call in sorted(self._calls.items()))
        text = refusal or self._text.end()
        return Answer(text=text, calls=calls, stop=stop, sent=self.sent, received=self._received)

    @property
    def _received(self) -> int:
        """The tokens of the answer; an estimate if the service has not counted them."""
        return self.received or -(-self._written // 3)

    def _number(self, index: int | None, piece: ToolCall) -> int:
        """The number of the call that a piece belongs to."""
        number = self._last if index is None else index
        known = self._calls.get(number)
        if known is None:
            return max(number, 0)
        is_other = bool(piece.id and known.id and piece.id[:64] != known.id)
        is_whole = index is None and bool(piece.name and known.name)
        if not (is_other or is_whole):
            return number
        same = (each for each, call in self._calls.items() if piece.id and call.id == piece.id[:64])
        return next(same, max(self._calls) + 1)

    def _count(self, piece: str) -> None:
        self._written += len(piece.encode("utf-8", "surrogatepass"))
        if self._size + len(self._text.text.encode("utf-8", "surrogatepass")) > MAX_TEXT:
            raise ModelError(f"the answer is longer than {MAX_TEXT} bytes")
