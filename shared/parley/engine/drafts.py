"""An answer while it grows: people see its text before it is decided.

What is shown is best effort. With one exception it is no part of the journal: the first calls may make something that
the final answer has to replace, such as a card. Its ids are recorded before they are used. So the next worker finds it
and goes on there, and one message remains.
"""

import math
import time
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from parley.adapter import Call, Permanent, Sent, Steps, SupportsDrafts, SupportsRenewal, SupportsTyping
from parley.engine import telemetry
from parley.engine.batch import describe
from parley.engine.calls import CallContext, Calls
from parley.engine.telemetry import log
from parley.errors import RetryAfter
from parley.model import Outgoing, Reply

FIRST = 0.5
"""Seconds from the first text until one is shown: a short answer is complete by then."""
_PAUSE = 5.0
"""Seconds until the next attempt after a call that failed."""

Ids = tuple[str, ...]
"""See `Outgoing.draft`."""
Write = Callable[[], Reply]
"""Returns the answer so far."""


class Draft(msgspec.Struct):
    """The growing answer `context.out`, whose platform is `platform`. `keep` records its ids. `ids`: those that an
    earlier run has recorded. `is_late`: whether another worker may be at the message. `restore` shows its answer again,
    if there is one.
    """

    context: CallContext
    platform: SupportsDrafts
    calls: Calls
    keep: Callable[[Ids], None]
    ids: Ids = ()
    is_late: Callable[[], bool] = lambda: False
    restore: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.time
    _next: float | None = None
    """The time of the next text; None before the first one."""
    _shown: Reply | None = None
    _is_open: bool = False
    _renewed: float = -math.inf
    """When the platform was last told that the text grows, as far as this run knows."""
    _is_over: bool = False

    def show(self, write: Write | None) -> None:
        """Show the answer so far, which `write` returns, unless another one was shown just now. None shows nothing.

        A failure of the platform is none of the handler. Raises what `keep` raises.
        """
        if write is None:
            return
        now = self.clock()
        if self._next is None:
            self._next = now + FIRST
        if self._is_over or now < self._next or self.is_late():
            return
        self._next = now + self.platform.DRAFT_INTERVAL
        try:
            self._show(write(), now)
        except Exception as error:  # noqa: BLE001  # the answer itself does not depend on it
            self._is_over = True
            log.warning("draft not shown", extra={**telemetry.ids_of_reply(self.context.out), "error": describe(error)})

    def _show(self, reply: Reply, now: float) -> None:
        if reply == self._shown:
            return
        self._shown = reply
        out = replace(self.context.out, reply=reply, draft=self.ids)
        if self._is_open:
            self._grow(out, now)
        else:
            self._open(out, self.platform.open_draft(out, self.context.app, now))

    def _grow(self, out: Outgoing, now: float) -> None:
        platform, app = self.platform, self.context.app
        if isinstance(platform, SupportsRenewal) and now - self._renewed > platform.DRAFT_LASTS:
            if self._make(platform.renew_draft(out, app, now)) is None:
                return
            self._renewed = now
        self._make(self.platform.grow_draft(out, app, now))

    def _open(self, out: Outgoing, steps: Steps) -> None:
        """Make the calls of `steps` that no earlier run has made."""
        call = next(steps, None)
        if call is not None and not out.draft_ids:
            self._renewed = self.clock()
        for id_ in out.draft_ids:
            call = _following(steps, Sent(id_)) if call is not None else None
        self._is_over = call is None
        while call is not None:
            receipt = self._make(call)
            if receipt is None:
                return
            self.ids += (receipt.id,) if receipt.id else ()
            call = _following(steps, receipt)
            if call is not None:
                self.keep(self.ids)
        self._is_open = not self._is_over

    def _make(self, call: Call) -> Sent | None:
        """The receipt of `call`. None if it failed."""
        outcome = self.calls.make(self.context, call)
        if self.is_late() and not isinstance(outcome, Permanent):
            # The process stood still before the call: the text may have replaced the answer of another worker.
            self._is_over = True
            self.restore()
        if isinstance(outcome, Sent):
            return outcome
        if isinstance(outcome, Permanent):
            self._is_over = True
        seconds = outcome.seconds if isinstance(outcome, RetryAfter) else 0
        self._next = self.clock() + max(seconds, _PAUSE)
        return None


class Typing(msgspec.Struct):
    """The sign that the answer `context.out` is being written, on a platform that shows no text before the end. The
    fields are those of `Draft`.
    """

    context: CallContext
    platform: SupportsTyping
    calls: Calls
    is_late: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.time
    ids: Ids = ()
    """There is nothing to replace."""
    _next: float | None = None
    """The time of the next sign; None before the first one."""

    def show(self, write: Write | None) -> None:
        """Show the sign, unless people still see the last one. With a `write`, the answer may be complete at once, and
        the first sign waits for `FIRST`.

        A failure of the platform or of a rate limit is none of the handler.
        """
        now = self.clock()
        if self._next is None:
            self._next = now if write is None else now + FIRST
        if now < self._next or self.is_late():
            return
        self._next = now + self.platform.TYPING_LASTS
        try:
            self._show()
        except Exception as error:  # noqa: BLE001  # the answer itself does not depend on it
            log.warning(
                "typing not shown", extra={**telemetry.ids_of_reply(self.context.out), "error": describe(error)}
            )

    def _show(self) -> None:
        out, app = self.context.out, self.context.app
        self.calls.make(self.context, self.platform.typing(out, app))


def _following(steps: Steps, receipt: Sent) -> Call | None:
    try:
        return steps.send(receipt)
    except StopIteration:
        return None
