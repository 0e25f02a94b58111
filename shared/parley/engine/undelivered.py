"""An approval whose card is not delivered ends: nobody can decide it. Imported only after a failure."""

from parley.engine import queues
from parley.journal import timers
from parley.journal.outbox import Outbox
from parley.model import Card, Outgoing, Reply
from parley.model.agenda import APPROVAL, Failure, ending


def end_approval(out: Outgoing, outbox: Outbox, now: float) -> None:
    """Let the conversation that waits for the approval in `out` know that its card is not delivered; do nothing if
    there is no such card. Raises AwsError.

    Its time-out is the timer of that conversation. Without a timer the approval is decided, or its time is over.
    """
    place = _place_in(out.reply)
    timer = timers.find(outbox.client, outbox.table, place.partition(".")[0]) if place else None
    if timer is not None:
        failure = Failure(place=place, undelivered=True)
        queues.send_messages([ending(timer.message, out.id, failure, now)])


def _place_in(reply: Reply) -> str:
    """The place of the question in the first card of an approval, on which somebody decides; empty without one."""
    cards = (segment for segment in reply.segments if isinstance(segment, Card) and reply.op == "send")
    values = (button.value for card in cards for button in card.buttons if button.id == APPROVAL)
    return next((value.removesuffix(".0") for value in values if value.endswith(".0")), "")
