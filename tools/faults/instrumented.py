"""Instrumented parts: the platforms' API behind the fault injector, and engine classes that record what they do."""

from collections.abc import Iterable, Sequence

from parley.adapter import Answer, Call, Permanent
from parley.engine.attempt import CallSequence
from parley.engine.calls import CallContext
from parley.engine.delivery import Deliverer, Prepared
from parley.engine.http import Http
from parley.errors import RetryAfter
from parley.journal.passive import Callbacks, Part
from parley.journal.states import Lease
from parley.model import Message
from parley.platforms import outbound
from playground.platforms.base import Platform
from playground.platforms.exchange import ConnectionDropped, Request, Response, ResponseTimeout
from tools.faults.injector import FaultInjector
from tools.faults.ledger import Ledger
from tools.faults.policies import Fault
from tools.faults.targets import Target

_OWN_DECISION = (None, Fault.STALL, Fault.TOKEN_EXPIRED)
"""Faults that leave the platform's permanent rejection of a call its own decision: also after a stall, and if the call
carried no token that could expire.
"""


class FaultyApi:
    """A platform's API behind the fault injector."""

    def __init__(self, injector: FaultInjector, platform: Platform) -> None:
        self._injector = injector
        self._platform = platform

    def api(self, request: Request) -> Response:
        """Answer one call, or make it fail. Raises ResponseTimeout, ConnectionDropped, Crash."""
        injector, platform = self._injector, self._platform
        fault = injector.before(f"{request.method} {request.path}", platform=True)
        match fault:
            case Fault.TIMEOUT:
                raise ResponseTimeout
            case Fault.ERROR:
                return Response(500, b"internal server error")
            case Fault.RATE_LIMITED:
                return platform.rate_limited(request)
            case Fault.TOKEN_EXPIRED if platform.has_valid_token(request):
                platform.expire_token(request)
            case _:
                pass
        response = platform.api(request)
        if fault is not None:
            injector.after(fault)
        if fault is Fault.RESPONSE_LOST:
            raise ConnectionDropped
        return response


class RecordingHttp(Http, kw_only=True):
    """The engine's HTTP client. It records the calls that platforms reject or limit by their own decision."""

    injector: FaultInjector
    targets: Iterable[Target]

    def perform(self, call: Call, token: str = "") -> Answer:
        """Make `call`. Raises CallError."""
        injector, ledger = self.injector, self.injector.ledger
        ledger.api_calls += 1
        answer = Http.perform(self, call, token)
        outcome = self._outcome(call, answer)
        # A 404 means "not there yet". It is retried like a rate limit, and is none.
        limited = answer.status != 404 and isinstance(outcome, RetryAfter)
        if injector.last_fault in _OWN_DECISION and isinstance(outcome, Permanent):
            ledger.rejected.add(injector.current.reply)
        if injector.last_fault is None and limited:
            ledger.over_limit.append(f"{call.name} {call.url}")
        return answer

    def _outcome(self, call: Call, answer: Answer) -> object:
        for target in self.targets:
            if call.url.startswith(target.address):
                return outbound(target.name).outcome(call, answer)
        return None


class RecordingDeliverer(Deliverer):
    """The engine's deliverer. It tells the injector which reply its calls belong to, also for a deferred reply that
    precedes the one in the queue record.
    """

    injector: FaultInjector

    def _deliver(self, context: CallContext, sequence: CallSequence, blocked_by: str = "") -> bool:
        current = self.injector.current
        before, current.reply = current.reply, context.out.id
        try:
            return Deliverer._deliver(self, context, sequence, blocked_by)  # noqa: SLF001  # its own
        finally:
            current.reply = before

    def prepare(self, context: CallContext) -> Prepared | None:
        """Prepare the delivery. The calls that follow, the commit included, belong to this reply."""
        self.injector.current.reply = context.out.id
        prepared = Deliverer.prepare(self, context)
        if prepared is None:
            self.injector.current.reply = ""
        return prepared

    def deliver_prepared(self, prepared: Prepared, lease: Lease) -> None:
        """Deliver the reply. Raises RetryAfter."""
        try:
            Deliverer.deliver_prepared(self, prepared, lease)
        finally:
            self.injector.current.reply = ""


class RecordingCallbacks(Callbacks, kw_only=True):
    """The journal of passive replies. It records which replies each response to a callback contains."""

    ledger: Ledger

    def commit(self, message: Message, parts: Sequence[Part], owner: str, response: str, now: float) -> None:
        """Record the replies in `parts`, and commit them."""
        contained = {part.out.id for part in parts if part.carried or part.body}
        self.ledger.passive_replies[message.id, response] = contained
        Callbacks.commit(self, message, parts, owner, response, now)
