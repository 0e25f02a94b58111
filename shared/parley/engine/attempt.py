"""An attempt at a reply, and the ways in which it ends."""

from dataclasses import dataclass

import msgspec

from parley.engine.calls import Line
from parley.journal.states import ReplyState
from parley.model import Outgoing
from parley.platform import Permanent, Sent, fallback


class Ended(Exception):
    """The reply has reached a final state."""

    def __init__(self, state: ReplyState, reason: str = "") -> None:
        super().__init__(reason)
        self.state = state


class Again(Exception):
    """The reply has to be tried again after `wait` seconds."""

    def __init__(self, wait: float, reason: str) -> None:
        super().__init__(reason)
        self.wait = wait


class Owed(Exception):
    """The person cannot be written to; it may go with the answer to their next message."""


class Otherwise(Exception):
    """Refused as it is; said otherwise, as `out`, it may go through. `receipts`: what is already done of that."""

    def __init__(self, out: Outgoing, receipts: tuple[Sent, ...], reason: str) -> None:
        super().__init__(reason)
        self.out = out
        self.receipts = receipts


@dataclass(slots=True)
class Job:
    """A reply in this worker's hands. `unclear_since`: when a call may have left whose outcome is not known.
    `tried_since`: when it was first taken. `stored`: its body in the journal. `said`: a call is done that cannot be
    made again unseen.
    """

    line: Line
    owner: str
    attempts: int
    receipts: tuple[Sent, ...]
    unclear_since: float | None
    tried_since: float
    stored: str
    said: bool = False

    @property
    def out(self) -> Outgoing:
        """The reply itself."""
        return self.line.out


def not_said(job: Job) -> ReplyState:
    """The final state of a reply that nobody says any more."""
    return ReplyState.FAILED if job.unclear_since is None else ReplyState.UNKNOWN


def otherwise(job: Job, refused: Permanent) -> Otherwise | None:
    """The reply as it may still go through: without its grant, or as plain text. None where nothing of it was refused
    that it could do without, or a part of it is already said.
    """
    out = job.out
    doubtful = job.unclear_since is not None and out.reply.op == "send"
    if refused.grant and doubtful and job.line.app.config.on_unknown == "report":
        return None  # an earlier attempt may have said it with the grant: said otherwise, it would be there twice
    if refused.grant and out.to.grant_until:
        # Over, not gone: what was promised with it (that the person alone sees the answer) still holds.
        bare = msgspec.structs.replace(out.to, grant_until=0)
        return Otherwise(msgspec.structs.replace(out, to=bare), job.receipts, refused.reason)
    plain = fallback(out.reply) if refused.form and out.form == "rich" and not job.said else None
    if plain is None:
        return None
    # Receipts of harmless calls, such as uploads, belong to the form that was refused.
    return Otherwise(msgspec.structs.replace(out, reply=plain, form="plain"), (), refused.reason)
