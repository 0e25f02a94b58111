"""The part of a reply that people do not see yet, after some of its messages were sent."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile, zip_longest

import msgspec
from msgspec.structs import replace

from parley.adapter import NOTHING, Call, Sent
from parley.engine.calls import CallContext
from parley.model import AnySegment, Card, Markdown, Media, Outgoing, Text

_Segments = tuple[AnySegment, ...]


def unsent(context: CallContext, receipts: Sequence[Sent], now: float) -> Outgoing | None:
    """The reply with what is in none of its sent messages: the last segments, or the end of a text and the segments
    after it. `receipts`: those of the calls made.

    None if no message is sent, if the platform does not allow it (`Profile.continues`), or if a segment that is no text
    is in both a sent message and an unsent one.
    """
    out = context.out
    if not context.platform.PROFILE.continues or out.reply.op in ("recall", "react"):
        return None
    sent = _messages(islice(_calls(context, out, receipts, now), len(receipts)), receipts)
    segments = _Beginning(context, receipts, now, sent).rest() if sent else None
    if segments is None:
        return None
    rest = replace(out.reply, op="send", target="", segments=segments, quote=False)
    return replace(out, reply=rest, dropped=(*out.dropped, "sent"))


class _Beginning(msgspec.Struct, frozen=True):
    """Finds the beginning of a reply that is in the messages `sent`. The platform's code is run for each candidate: for
    the right one it makes exactly these messages.
    """

    context: CallContext
    receipts: Sequence[Sent]
    now: float
    sent: Sequence[Call]

    def rest(self) -> _Segments | None:
        """The segments after the beginning; None if no cut gives the messages."""
        segments = self.context.out.reply.segments
        for count in range(len(segments) - 1, 0, -1):
            before, rest = segments[:count], segments[count:]
            if self.sent in (self._messages(before), self._messages((*before, *_emptied(rest)))):
                return rest
        for count, segment in enumerate(segments):
            before, after = segments[:count], segments[count + 1 :]
            if isinstance(segment, Text | Markdown):
                cut = self._cut(before, segment, ()) or self._cut(before, segment, _emptied(after))
                if cut:
                    return (replace(segment, text=segment.text[cut:].lstrip()), *after)
        return None

    def _cut(self, before: _Segments, segment: Text | Markdown, after: _Segments) -> int:
        """How many characters of `segment` are sent; 0 if no cut gives the messages. A longer text makes longer
        messages, so the place is found by halving.
        """

        def messages(length: int) -> list[Call]:
            return self._messages((*before, replace(segment, text=segment.text[:length]), *after))

        most, low, high = _size(self.sent), 0, len(segment.text) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if _size(messages(middle)) <= most else (low, middle - 1)
        return low if messages(low) == self.sent else 0

    def _messages(self, segments: _Segments) -> list[Call]:
        """The messages for a reply of these segments."""
        out = self.context.out
        beginning = replace(out, reply=replace(out.reply, segments=segments))
        return _messages(_calls(self.context, beginning, self.receipts, self.now), self.receipts)


def _emptied(segments: _Segments) -> _Segments:
    """The texts before the first card or file of `segments`, without their words. Whether one of them is markdown may
    decide the kind of the messages before them.
    """
    run = takewhile(lambda segment: not isinstance(segment, Card | Media), segments)
    return tuple(replace(segment, text="") for segment in run if isinstance(segment, Text | Markdown))


def _size(messages: Sequence[Call]) -> tuple[int, int]:
    """The number of messages, and the bytes of the last one."""
    return len(messages), len(msgspec.json.encode(messages[-1])) if messages else 0


def _messages(calls: Iterable[Call], receipts: Sequence[Sent]) -> list[Call]:
    """The calls whose messages people see, or would see after the next call. `receipts`: those of the first calls."""
    made = zip_longest(calls, receipts, fillvalue=None)
    return [call for call, receipt in made if call and call.is_message and not (receipt and receipt.data == NOTHING)]


def _calls(context: CallContext, out: Outgoing, receipts: Sequence[Sent], now: float) -> Iterator[Call]:
    """The calls that deliver `out`, given the receipts of the first ones, and the next call. Nothing is called."""
    try:
        steps = context.platform.deliver(out, context.app, now)
        call = next(steps)
        for receipt in receipts:
            yield call
            call = steps.send(receipt)
        yield call
    except Exception:  # noqa: BLE001  # the end; or a beginning without a message, which the platform refuses
        return
