"""Where a world meets its platforms: their API, behind whoever decides what breaks, and Parley's HTTP client."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import httpx

from parley.adapter import Answer, Call, Permanent
from parley.engine.attempt import CallSequence
from parley.engine.calls import CallContext
from parley.engine.delivery import Deliverer
from parley.engine.http import Http
from parley.errors import RetryAfter
from parley.journal.passive import Part, Passive
from parley.model import Message
from parley.platforms import outbound
from playground.platforms.base import Platform
from playground.platforms.http import Dropped, Held, Request, Response
from tools.faults.trouble import Fault

if TYPE_CHECKING:
    from tools.faults.world import World

_OWN_WORD = (None, Fault.STALL, Fault.EXPIRED)
"""What does not keep a platform from saying by itself that it refuses a call for good: also after a worker stood still,
and where there was no token to end.
"""


class TroubledApi:
    """A platform's API, behind the decider."""

    def __init__(self, world: "World", platform: Platform) -> None:
        self._world = world
        self._platform = platform

    def api(self, request: Request) -> Response:
        """Answer one call, or break it. Raises Held, Dropped, Crash."""
        world, platform = self._world, self._platform
        fault = world.meet(f"{request.method} {request.path}", platform=True)
        match fault:
            case Fault.HELD:
                raise Held
            case Fault.REFUSED:
                return Response(500, b"internal server error")
            case Fault.LIMITED:
                return platform.limited(request)
            case Fault.EXPIRED if platform.bears_token(request):
                platform.expire_token(request)
            case _:
                pass
        response = platform.api(request)
        if fault is not None:
            world.outlive(fault)
        if fault is Fault.LOST:
            raise Dropped
        return response


class NotingHttp(Http):
    """The engine's HTTP, keeping a record of what was called for which reply."""

    def __init__(self, world: "World") -> None:
        Http.__init__(self, httpx.Client(transport=world.transport))
        self._world = world

    def perform(self, call: Call, token: str = "") -> Answer:
        """Make `call`. Raises CallError."""
        ledger = self._world.ledger
        ledger.calls += 1
        answer = Http.perform(self, call, token)
        # "Not there yet", which a 404 says, is waited for like a limit and is none.
        outcome = self._judge(call, answer)
        limited = answer.status != 404 and isinstance(outcome, RetryAfter)
        if self._world.last_fault in _OWN_WORD and isinstance(outcome, Permanent):
            ledger.refused.add(self._world.reply)
        if self._world.last_fault is None and limited:
            ledger.over_limit.append(f"{call.name} {call.url}")
        return answer

    def _judge(self, call: Call, answer: Answer) -> object:
        for subject in self._world.subjects.values():
            if call.url.startswith(subject.address):
                return outbound(subject.name).outcome(call, answer)
        return None


class NotingDeliverer(Deliverer):
    """The engine's deliverer, saying which reply it makes calls for: also one that is owed and goes before the one in
    the record.
    """

    world: "World"

    def _deliver(self, context: CallContext, sequence: CallSequence, blocked_by: str = "") -> bool:
        before, self.world.reply = self.world.reply, context.out.id
        try:
            return Deliverer._deliver(self, context, sequence, blocked_by)  # noqa: SLF001  # its own
        finally:
            self.world.reply = before


class NotingPassive(Passive):
    """The journal of answers within callbacks, keeping a record of which replies each of them says."""

    world: "World"

    def commit(self, message: Message, parts: Sequence[Part], owner: str, answer: str, now: float) -> None:
        """Note what is about to be recorded, and record it."""
        carried = {part.out.id for part in parts if part.said or part.body}
        self.world.ledger.carried[message.id, answer] = carried
        Passive.commit(self, message, parts, owner, answer, now)
