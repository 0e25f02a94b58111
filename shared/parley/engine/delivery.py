"""The deliverer: pace ▸ take ▸ token ▸ call ▸ record, for each call of a reply, so that it is said once.

A reply is taken (SENDING, a lease) just before the first call leaves, and each call that is done leaves its receipt in
the row before the next one begins. Whoever comes later, after a crash or a lost answer, is told by the row how far it
went, and by the call whether repeating it could say it twice.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn
from uuid import uuid4

from parley.engine import queues, telemetry
from parley.engine.apps import Apps, AppsUnavailable, UnknownApp
from parley.engine.attempt import Again, Ended, Job, Otherwise, Owed, not_said, otherwise
from parley.engine.aws import dynamodb, setting
from parley.engine.batch import Later, Record, describe, received, run
from parley.engine.calls import Calls, Line, backoff
from parley.engine.http import Http, client
from parley.engine.pacing import Pacing
from parley.engine.telemetry import log
from parley.engine.tokens import Tokens
from parley.journal.outbox import LeaseLost, Outbox
from parley.journal.passive import Passive, TooMuchOwed
from parley.journal.rows import rewritten
from parley.journal.states import Busy, Finished, ReplyState, Row, outlived, repeatable
from parley.model import Outgoing
from parley.model.codec import decode_outgoing
from parley.platform import (
    HARMLESS,
    Call,
    Limited,
    NotYet,
    Outcome,
    Permanent,
    Sent,
    Steps,
    TokenRejected,
    Transient,
    Unclear,
    Undeliverable,
)
from parley.platforms import outbound

_UNTIL_HEARD = 20.0
"""Seconds after which somebody who could not be written to may have written themselves."""
_GONE_FOR = 86_400.0
"""Seconds after which nobody is expected to restore an app that is gone: its replies end."""
NotSent = Limited | Permanent | TokenRejected | Transient | Unclear


@dataclass(slots=True)
class Deliverer:
    """Delivers what is in the outbound queue."""

    outbox: Outbox
    owed: Passive
    calls: Calls
    pacing: Pacing
    apps: Apps
    clock: Callable[[], float] = time.time

    def __call__(self, record: Record) -> None:
        """Deliver the reply in one record. Raises Later where it has to wait."""
        out = decode_outgoing(record["body"])
        if queues.is_swept(record) and self.outbox.is_finished(out.id):
            return  # before it takes a turn: behind a limit, the copies would take half of all turns
        try:
            app = self.apps.get(out.to.platform, out.to.app)
        except UnknownApp as error:
            self._gone(out, f"no app {out.to.platform}/{out.to.app}", error)
            return
        except AppsUnavailable as error:
            # Ever longer: SSM may be away for hours, and a record is handed out a thousand times, not more.
            raise Later(min(300, 10 * received(record)), str(error)) from error
        self.deliver(Line(out, app, outbound(out.to.platform)))

    def _gone(self, out: Outgoing, reason: str, error: UnknownApp) -> None:
        """End a reply whose app has been gone for long. Raises Later while somebody may be about to restore it."""
        if self.clock() - out.created < _GONE_FOR:
            raise Later(300, reason) from error
        owner = uuid4().hex
        row = self.outbox.take(out.id, owner, self.clock())
        if isinstance(row, Busy):
            raise Later(row.after, reason) from error
        if isinstance(row, Row):
            state = ReplyState.FAILED if row.unclear_since is None else ReplyState.UNKNOWN
            self._record(row.out, owner, row.receipts, state, reason)

    def deliver(self, line: Line) -> None:
        """Deliver one reply and record how it ended. What its conversation is owed from before goes first; where it
        cannot be said yet, neither can this one.
        """
        owed = self.owed.owed_before(line.out) if line.app.config.answers_within else []
        if owed:
            self._first_call(line)  # raises Later while a callback may still say both
        for row in owed:
            if not self._deliver(Line(row.out, line.app, line.platform)):
                self._deliver(line, "something is owed from before")
                return
            self.owed.forget(row.out, self.clock())
        self._deliver(line)

    def _deliver(self, line: Line, behind: str = "") -> bool:
        """Deliver one reply; False if it is owed. `behind`: why it may not be begun, if it may not."""
        call = None if behind else self._first_call(line)
        if call is not None:
            # Before the reply is taken: what waits for its turn costs no write, and no crash here leaves doubt.
            self._fetch_token(line, call)
            self.pacing.wait(line.platform.limits(call, line.out, line.app))
        owner = uuid4().hex
        row = self.outbox.take(line.out.id, owner, self.clock())
        match row:
            case Finished():
                return True
            case Busy(after=after):
                raise Later(after, "another worker is sending it")
            case Row():
                # The row and not the queue has the last word: the form may have changed since.
                line = Line(row.out, line.app, line.platform)
                tried_since = row.tried_since or self.clock()
                job = Job(line, owner, row.attempts + 1, row.receipts, row.unclear_since, tried_since, row.stored)
        try:
            if self._kills(row, line):
                self._end(job, ReplyState.UNKNOWN, f"gave up: {row.attempts} attempts, and the last ones died of it")
                return True
            if behind and _can_be_owed(job):
                return self._owe(job, behind)
            return self._run(job)
        except LeaseLost as error:
            telemetry.count("LeasesLost", platform=line.app.platform)
            log.warning("lease lost", extra=_ids(job.out))
            # Whoever has it may not be done yet, and what stands behind it must not go first.
            raise Later(1, "another worker has taken it over") from error

    def _kills(self, row: Row, line: Line) -> bool:
        """Whether workers have died over this reply for as long as it may be tried: nobody else ever ends it then."""
        died_since = row.unclear_since if row.state is ReplyState.SENDING else None
        return died_since is not None and self.clock() - died_since >= line.platform.PROFILE.retry_for

    def _fetch_token(self, line: Line, call: Call) -> None:
        """Have the token at hand. Raises Later where another worker is fetching it; what else fails, fails again in the
        attempt itself, which records it.
        """
        try:
            if call.auth is not None:
                self.calls.token(line)
        except Later:
            raise
        except Exception as error:  # noqa: BLE001
            log.warning("token not at hand", extra={**_ids(line.out), "error": describe(error)})

    def _first_call(self, line: Line) -> Call | None:
        """The first call of the reply; None where there is none, or finding out fails: `_walk` finds out again.

        Raises Later while the callback may still answer.
        """
        try:
            return next(line.platform.deliver(line.out, line.app, self.clock()))
        except NotYet as early:
            raise Later(early.until - self.clock(), str(early)) from early
        except Exception:  # noqa: BLE001
            return None

    def _run(self, job: Job) -> bool:
        try:
            self._walk(job)
        except Ended as ended:
            self._end(job, ended.state, str(ended))
            return True
        except Owed as closed:
            return self._owe(job, str(closed))
        except Otherwise as other:
            telemetry.count("RepliesFallenBack", platform=job.line.app.platform)
            self.outbox.release(
                other.out,
                job.owner,
                other.receipts,
                self.clock(),
                wait=0,
                reason=str(other),
                unclear_since=None,
                body=rewritten(job.stored, other.out),
            )
            raise Later(0, f"refused, otherwise next: {other}") from other
        except Again as again:
            self.outbox.release(
                job.out,
                job.owner,
                job.receipts,
                self.clock(),
                wait=again.wait,
                reason=str(again),
                unclear_since=job.unclear_since,
            )
            raise Later(again.wait, str(again)) from again

    def _owe(self, job: Job, reason: str) -> bool:
        """Keep it for the person's next message. False, unless that failed for good."""
        try:
            self.owed.owe(job.out, job.owner, reason, self.clock())
        except TooMuchOwed as full:
            self._end(job, ReplyState.FAILED, f"{reason}; {full}")
            return True
        telemetry.count("RepliesOwed", platform=job.line.app.platform)
        return False

    def _walk(self, job: Job) -> NoReturn:
        """Make the calls one by one. Ends in one of the exceptions above, or in what AWS or the journal raise."""
        steps = job.line.platform.deliver(job.out, job.line.app, self.clock())
        call = self._next(job, steps, None)
        for receipt in job.receipts:
            job.said = job.said or call.covered != HARMLESS
            call = self._next(job, steps, receipt)
        while True:
            sent = self._make(job, call)
            job.receipts = (*job.receipts, sent)
            job.said = job.said or call.covered != HARMLESS
            call = self._next(job, steps, sent)
            self.outbox.progress(job.out, job.owner, job.receipts, self.clock())
            try:
                self.pacing.wait(job.line.platform.limits(call, job.out, job.line.app))
            except Later as later:
                raise Again(later.after, str(later)) from later

    def _next(self, job: Job, steps: Steps, receipt: Sent | None) -> Call:
        try:
            return next(steps) if receipt is None else steps.send(receipt)
        except StopIteration as end:
            raise Ended(ReplyState.SENT) from end
        except Undeliverable as error:
            raise Ended(ReplyState.FAILED, str(error)) from error
        except Exception as error:
            # A fault of ours: time to mend it, then a final state that is counted, so that nobody waits behind it.
            raise self._retry(job, describe(error)) from error

    def _make(self, job: Job, call: Call) -> Sent:
        """Make `call` and act on its outcome. `job.unclear_since` says afterwards what is not known."""
        started = self.clock()
        safe = repeatable(call, job.unclear_since, started) and not outlived(job.out, job.unclear_since, started)
        if not safe and job.line.app.config.on_unknown == "report":
            raise Ended(ReplyState.UNKNOWN, "an earlier attempt may have been delivered")
        earlier, job.unclear_since = job.unclear_since, job.unclear_since or started
        outcome = self._outcome(job, call)
        if not isinstance(outcome, Unclear):
            job.unclear_since = earlier
        if isinstance(outcome, Sent):
            job.unclear_since = None
            return outcome
        if isinstance(outcome, Permanent) and safe and not outcome.grant:
            job.unclear_since = None  # had the earlier attempt been done, this one would have been a known repetition
        raise self._consequence(job, call, outcome)

    def _consequence(self, job: Job, call: Call, outcome: NotSent) -> Exception:
        """What becomes of a reply whose `call` was not done, or may not have been."""
        match outcome:
            case Limited(after=after, reason=reason):
                return Again(max(after, 0.1), reason or "limited by the platform")
            case Permanent(reason=reason, closed=True):
                return self._closed(job, reason)
            case Permanent(reason=reason):
                return otherwise(job, outcome) or Ended(not_said(job), reason)
            case TokenRejected(reason=reason):
                return self._retry(job, f"token refused twice: {reason}")
            case Transient(reason=reason):
                return self._retry(job, reason)
            case Unclear(reason=reason):
                if call.covered or job.line.app.config.on_unknown == "resend":
                    return self._retry(job, reason)
                return Ended(ReplyState.UNKNOWN, reason)

    def _closed(self, job: Job, reason: str) -> Exception:
        """The person cannot be written to until they write. Where callbacks are answered, it goes with that answer."""
        if job.line.app.config.answers_within and _can_be_owed(job):
            return Owed(reason)
        again = self._retry(job, reason)
        return Again(_UNTIL_HEARD, reason) if isinstance(again, Again) else again

    def _outcome(self, job: Job, call: Call) -> Outcome:
        try:
            return self.calls.make(job.line, call)
        except Exception as error:  # noqa: BLE001
            return Unclear(describe(error))

    def _retry(self, job: Job, reason: str) -> Exception:
        """Another attempt, later and later, until the platform's deadline."""
        if self.clock() - job.tried_since < job.line.platform.PROFILE.retry_for:
            return Again(backoff(job.attempts), reason)
        return Ended(not_said(job), f"gave up after {job.attempts} attempts: {reason}")

    def _end(self, job: Job, state: ReplyState, reason: str) -> None:
        self._record(job.out, job.owner, job.receipts, state, reason)

    def _record(self, out: Outgoing, owner: str, receipts: tuple[Sent, ...], state: ReplyState, reason: str) -> None:
        now = self.clock()
        self.outbox.finish(out, owner, state, receipts, reason, now)
        platform = out.to.platform
        telemetry.count(_METRICS[state], platform=platform)
        if state is ReplyState.SENT:
            telemetry.duration("DeliveryTime", now - out.created, platform=platform)
        level = log.info if state is ReplyState.SENT else log.error
        level("reply finished", extra={**_ids(out), "state": str(state), "reason": reason})


def _can_be_owed(job: Job) -> bool:
    """Whether an answer within a callback could say it: whole, and not a change of what is there."""
    return not job.receipts and job.unclear_since is None and job.out.reply.op == "send"


_METRICS = {
    ReplyState.SENT: "RepliesSent",
    ReplyState.FAILED: "RepliesFailed",
    ReplyState.UNKNOWN: "RepliesUnknown",
}


def _ids(out: Outgoing) -> dict[str, str]:
    return {"platform": out.to.platform, "app": out.to.app, "reply_id": out.id, "key": out.message_key}


@cache
def _deliverer() -> Deliverer:
    table = setting("TABLE")
    pacing = Pacing(dynamodb(), table)
    return Deliverer(
        outbox=Outbox(dynamodb(), table, float(setting("LEASE_SECONDS", "26"))),
        owed=Passive(dynamodb(), table, float(setting("RETENTION_DAYS", "30")) * 86_400),
        calls=Calls(Http(client()), Tokens(dynamodb(), table), pacing, dynamodb(), table),
        pacing=pacing,
        apps=Apps(),
    )


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """The `lambda_handler` of the deliverer. `context`: Lambda's."""
    deliverer = _deliverer()
    deliverer.calls.http.ends_in(context.get_remaining_time_in_millis() / 1000)
    return run(event, setting("OUTBOUND_URL"), deliverer)
