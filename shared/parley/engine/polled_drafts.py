"""An answer while it grows, on a platform that polls for it: the row of the message's callbacks holds it.

It is best effort. The journal's replies take its place in the answer to a later poll, so one message remains.
"""

import time
from collections.abc import Callable

import msgspec

from parley.adapter import SupportsGrowingReply
from parley.engine import telemetry
from parley.engine.aws import dynamodb, setting
from parley.engine.batch import describe
from parley.engine.drafts import Ids, Write
from parley.engine.telemetry import log
from parley.journal.passive import Callbacks
from parley.model import Message
from parley.platforms import inbound

_INTERVAL = 1.0
"""Least seconds between two texts. WeCom polls about as often."""


class PolledDraft(msgspec.Struct):
    """The growing answer to `message`. `is_late`: whether another worker may be at the message."""

    message: Message
    callbacks: Callbacks
    is_late: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.time
    _next: float = 0
    """The time of the next text."""

    @property
    def ids(self) -> Ids:
        """None: it is no message that the final answer has to replace."""
        return ()

    def show(self, write: Write | None) -> None:
        """Show the answer so far, which `write` returns, unless another one was shown just now. Without `write`, do
        nothing: WeCom shows by itself that the bot is at work.

        A failure is none of the handler.
        """
        now = self.clock()
        if write is None or now < self._next or self.is_late():
            return
        self._next = now + _INTERVAL
        try:
            self.callbacks.grow(self.message, write(), now)
        except Exception as error:  # noqa: BLE001  # the answer itself does not depend on it
            log.warning("draft not shown", extra={**telemetry.ids_of(self.message), "error": describe(error)})


def polled_draft(message: Message, is_late: Callable[[], bool], clock: Callable[[], float]) -> PolledDraft | None:
    """The growing answer to `message`, whose callback waits for replies. None if nobody can see it grow."""
    if message.kind != "message" or not isinstance(inbound(message.platform), SupportsGrowingReply):
        return None
    keep_for = float(setting("RETENTION_DAYS", "30")) * 86_400
    return PolledDraft(message, Callbacks(dynamodb(), setting("TABLE"), keep_for), is_late, clock)
