"""The part of a reply that people do not see yet, after some of its messages were sent."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from parley.adapter import IDEMPOTENT, Call, Sent
from parley.engine.calls import CallContext
from parley.model import Outgoing


def unsent(context: CallContext, receipts: Sequence[Sent], now: float) -> Outgoing | None:
    """The reply with the segments that are in none of its sent messages. `receipts`: those of the calls made.

    None if the platform does not allow it (`Profile.continues`), or if a segment is in both a sent message and an
    unsent one. The platform's code is run for each beginning of the reply: it makes the same messages for the segments
    that are sent.
    """
    out = context.out
    if not context.platform.PROFILE.continues or out.reply.op != "send":
        return None
    made = list(_calls(context, out, receipts, now))[: len(receipts)]
    uploads = [receipt for call, receipt in zip(made, receipts, strict=False) if call.idempotent_for == IDEMPOTENT]
    sent = _messages(made)
    for count in range(len(out.reply.segments) - 1, 0, -1):
        beginning = replace(out, reply=replace(out.reply, segments=out.reply.segments[:count]))
        if _messages(_calls(context, beginning, uploads, now)) == sent:
            rest = replace(out.reply, segments=out.reply.segments[count:], quote=False)
            return replace(out, reply=rest, dropped=(*out.dropped, "sent"))
    return None


def _messages(calls: Iterator[Call] | list[Call]) -> list[Call]:
    return [call for call in calls if call.idempotent_for != IDEMPOTENT]


def _calls(context: CallContext, out: Outgoing, receipts: Sequence[Sent], now: float) -> Iterator[Call]:
    """The calls that deliver `out`, given the receipts of the first ones. Nothing is called."""
    given = iter(receipts)
    try:
        steps = context.platform.deliver(out, context.app, now)
        call = next(steps)
        while True:
            yield call
            call = steps.send(next(given, Sent()))
    except Exception:  # noqa: BLE001  # the beginning of a reply may have no message, which the platform refuses
        return
