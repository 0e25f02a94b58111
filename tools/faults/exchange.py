"""One request of a platform's to a callback, and what becomes of the answer."""

import base64
from typing import TYPE_CHECKING

from playground.platforms.model import Attempt, Delivery
from tools.faults.tasks import Task
from tools.faults.trouble import Crash, Fault

if TYPE_CHECKING:
    from tools.faults.world import World

ANSWER = "Answer"
"""The kind of call that an answer on its way to the platform is: it may get lost, or its process die around it."""
_BAD_GATEWAY = 502


class Exchange:
    """One of them. The platform looks at the answer only if it has none yet, waits for none, and it comes in time; it
    may be a copy, which nobody on the platform's side waits for.
    """

    def __init__(self, world: "World", platform: str, delivery: Delivery) -> None:
        self._world = world
        self._platform = platform
        self._delivery = delivery
        self._open = delivery.state != "delivered" and delivery.id not in world.open
        self._wire = delivery.wire

    def begin(self) -> None:
        """Make the request."""
        world = self._world
        if self._open:
            world.open.add(self._delivery.id)
            world.at(world.clock() + self._delivery.deadline, self._cut)
        if world.replies_passively(self._platform):
            world.run(Task(self._work))
        else:
            world.apart(self._work)

    def _work(self) -> None:
        world = self._world
        world.stage, world.delivery = "callback", self._delivery.journal_id
        status, body = 0, b""
        try:
            status, body = self._called()
            fault = world.meet(ANSWER)
            if fault is Fault.REFUSED:
                status, body = _BAD_GATEWAY, b""
            elif fault is Fault.LOST:
                status, body = 0, b""
            if fault is not None and fault is not Fault.REFUSED:
                self._end(status, body)
                world.outlive(fault)
        except Crash:
            world.restart()
        self._end(status, body)

    def _called(self) -> tuple[int, bytes]:
        wire = self._wire
        event = {
            "httpMethod": wire.method,
            "pathParameters": {"app": self._delivery.app},
            "queryStringParameters": dict(wire.query),
            "headers": dict(wire.headers),
            "body": base64.b64encode(wire.body).decode(),
            "isBase64Encoded": True,
        }
        answer = self._world.callback(self._platform)(event, None)
        return answer["statusCode"], answer["body"].encode()

    def _cut(self) -> None:
        """The platform waits no longer."""
        if self._open:
            self._world.ledger.disturbed.add(self._delivery.journal_id)
            self._end(0, b"")

    def _end(self, status: int, body: bytes) -> None:
        world, delivery = self._world, self._delivery
        if not self._open:
            return
        self._open = False
        world.open.discard(delivery.id)
        attempt = Attempt(world.clock(), 0, status)
        again = world.platforms[self._platform].attempted(delivery, attempt, {}, body)
        if again is not None:
            world.at(world.clock() + again, lambda: world.call_back(self._platform, delivery))
