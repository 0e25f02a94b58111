"""The requests of platforms to callbacks, and what a platform does after each response."""

import base64
from collections.abc import Mapping

from playground.platforms.base import Platform
from playground.platforms.model import Attempt, Delivery
from tools.faults.injector import Execution, FaultInjector
from tools.faults.policies import Crash, Fault
from tools.faults.processes import Processes
from tools.faults.scheduler import Scheduler
from tools.faults.targets import Target

RESPONSE = "Response"
"""The injector's name for the response to a callback: it may get lost, or its process may crash around it."""
_BAD_GATEWAY = 502


class Exchanges:
    """Makes the requests of the platforms of a simulation."""

    def __init__(
        self,
        platforms: Mapping[str, Platform],
        targets: Mapping[str, Target],
        processes: Processes,
        injector: FaultInjector,
        scheduler: Scheduler,
    ) -> None:
        self.platforms = platforms
        self.targets = targets
        self.processes = processes
        self.injector = injector
        self.scheduler = scheduler
        self.open: set[str] = set()
        """Ids of the deliveries whose response a platform waits for."""

    def begin(self, platform: str, delivery: Delivery) -> None:
        """Have `platform` deliver an event. It retries a failed delivery as its real counterpart does."""
        exchange = _Exchange(self, platform, delivery)
        exchange.await_response()
        execution = Execution("callback", delivery.journal_id)
        target = self.targets[platform]
        # Where a platform polls, neither a message nor a poll waits for replies.
        if target.replies_passively or (target.polls and delivery.kind != "message"):
            self.processes.start(execution, exchange.perform)
        else:
            self.processes.run(execution, exchange.perform)


class _Exchange:
    """One request and its response. The platform ignores the response if it already has one, if it waits for none, or
    if the response comes too late. A request that the platform does not wait for is a copy.
    """

    def __init__(self, exchanges: Exchanges, platform: str, delivery: Delivery) -> None:
        self._all = exchanges
        self._platform = platform
        self._delivery = delivery
        self._open = delivery.state != "delivered" and delivery.id not in exchanges.open
        self._wire = delivery.wire

    def await_response(self) -> None:
        """Let the platform wait for the response until its deadline."""
        if self._open:
            scheduler = self._all.scheduler
            self._all.open.add(self._delivery.id)
            scheduler.at(scheduler.clock() + self._delivery.deadline, self._time_out)

    def perform(self) -> None:
        """Call the callback function, and hand its response to the platform unless a fault prevents that."""
        injector = self._all.injector
        status, body = 0, b""
        try:
            status, body = self._call_function()
            fault = injector.before(RESPONSE)
            if fault is Fault.ERROR:
                status, body = _BAD_GATEWAY, b""
            elif fault is Fault.RESPONSE_LOST:
                status, body = 0, b""
            if fault is not None and fault is not Fault.ERROR:
                self._end(status, body)
                injector.after(fault)
        except Crash:
            self._all.processes.restart()
        self._end(status, body)

    def _call_function(self) -> tuple[int, bytes]:
        wire = self._wire
        event = {
            "httpMethod": wire.method,
            "pathParameters": {"app": self._delivery.endpoint, **self._delivery.parameters},
            "queryStringParameters": dict(wire.query),
            "headers": dict(wire.headers),
            "body": base64.b64encode(wire.body).decode(),
            "isBase64Encoded": True,
        }
        response = self._all.processes.current.callbacks[self._platform](event, None)
        return response["statusCode"], response["body"].encode()

    def _time_out(self) -> None:
        if self._open:
            self._all.injector.ledger.disrupted.add(self._delivery.journal_id)
            self._end(0, b"")

    def _end(self, status: int, body: bytes) -> None:
        exchanges, delivery = self._all, self._delivery
        if not self._open:
            return
        self._open = False
        exchanges.open.discard(delivery.id)
        now = exchanges.scheduler.clock()
        retry_after = exchanges.platforms[self._platform].record_attempt(delivery, Attempt(now, 0, status), {}, body)
        if retry_after is not None:
            exchanges.scheduler.at(now + retry_after, lambda: exchanges.begin(self._platform, delivery))
