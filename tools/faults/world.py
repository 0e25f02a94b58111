"""One world: the platforms, AWS and the workers of Parley in this process, one step at a time, with a clock of its own.

Nothing waits and nothing runs beside anything else, so a seed tells all. What does run side by side in reality, a
worker that stalls while another takes its place, is made by stepping on from inside the call at which it stalls.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from random import Random
from typing import Any

from msgspec.json import encode

from parley.adapter import SupportsPassiveReply
from parley.bot import Bot
from parley.engine import telemetry
from parley.engine.apps import Apps
from parley.engine.aws import dynamodb
from parley.engine.batch import run
from parley.engine.callback import Callback
from parley.engine.calls import Calls
from parley.engine.passive_replies import LEASE as CALLBACK_LEASE
from parley.engine.passive_replies import PassiveReplies
from parley.engine.processor import Processor
from parley.engine.rate_limiter import RateLimiter
from parley.engine.sweeper import Sweeper
from parley.engine.tokens import Tokens
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.model.codec import decode_outgoing
from parley.platforms import inbound
from playground.platforms.base import Platform
from playground.platforms.model import Delivery
from playground.transport import ImitationTransport
from tools.faults.dynamodb import DynamoDB
from tools.faults.edges import NotingDeliverer, NotingHttp, NotingPassive, TroubledApi
from tools.faults.exchange import Exchange
from tools.faults.ledger import START, Clock, Ledger
from tools.faults.sqs import Message, NotInFlight, Queue
from tools.faults.subjects import Subject
from tools.faults.tasks import Task
from tools.faults.trouble import Crash, Decider, Fault
from tools.faults.wire import Aws

TABLE = "parley"
KEEP_FOR = 30 * 86_400.0
INBOUND_VISIBILITY, OUTBOUND_VISIBILITY = 70.0, 30.0
LEASE = 26.0
MAX_RECEIVES, MAX_SENDS = 1000, 1000
"""All as template.yaml has them; `tests/faults/test_world.py` compares."""
SWEEP_EVERY = 60.0
_GIVE_UP = 3 * 86_400.0


class Stuck(Exception):
    """The world does not come to rest."""


class World:
    """A deployment with `subjects` as its platforms. `decider` breaks calls; `bot` answers."""

    def __init__(
        self,
        subjects: tuple[Subject, ...],
        decider: Decider,
        bot: Bot,
        random: Random,
        *,
        inbox: type[Inbox] = Inbox,
        direct: bool = True,
    ) -> None:
        self.clock = Clock()
        self.random = random
        self.decider = decider
        self.bot = bot
        self.inbox = inbox
        self.ledger = Ledger()
        self.dead = {name: Queue(f"{name}-dead.fifo", self.clock, 30) for name in ("inbound", "outbound")}
        self.inbound = Queue("inbound.fifo", self.clock, INBOUND_VISIBILITY, MAX_RECEIVES, self.dead["inbound"])
        self.outbound = Queue("outbound.fifo", self.clock, OUTBOUND_VISIBILITY, MAX_SENDS, self.dead["outbound"])
        queues = (self.inbound, self.outbound, *self.dead.values())
        by_url = {queue.url: queue for queue in queues}
        self.aws = Aws(DynamoDB(TABLE), by_url, self.meet, self.outlive, self.clock.sleep, direct=direct)
        self.subjects = {subject.name: subject for subject in subjects}
        self.platforms = {subject.name: self._platform(subject) for subject in subjects}
        self.transport = ImitationTransport(
            {subject.address: TroubledApi(self, self.platforms[subject.name]) for subject in subjects}
        )
        self.schedule: list[tuple[float, int, Callable[[], None]]] = []
        self.open: set[str] = set()
        """Deliveries that a platform waits for the answer to."""
        self.finished: Callable[[Message], bool] = lambda _record: True
        """Whether the event source mapping manages to delete a record that is done; else it is handed out again."""
        self.last_fault: Fault | None = None
        self.stage, self.delivery, self.reply = "sweeper", "", ""
        """Which function makes the calls just now; for which delivery, if it is a callback, or which reply."""
        self._events = 0
        self._stalled = 0
        self._task: Task | None = None
        self._next_sweep = START + SWEEP_EVERY
        self.enter()

    def _platform(self, subject: Subject) -> Platform:
        """The imitation of a platform, with its apps."""
        platform = subject.imitation(clock=self.clock, random=Random(self.random.random()), keep_calls=1)
        for app, config in subject.apps.items():
            platform.add_app(app, config)
            self.configure(subject.name, app, config)
        return platform

    def enter(self) -> None:
        """Be the world of this process from now on."""
        telemetry.log.setLevel("CRITICAL")
        telemetry._emit = _nothing  # noqa: SLF001
        os.environ.update(
            PARLEY_STAGE="faults",
            PARLEY_TABLE=TABLE,
            PARLEY_INBOUND_URL=self.inbound.url,
            PARLEY_INBOUND_DEAD_URL=self.dead["inbound"].url,
            PARLEY_OUTBOUND_URL=self.outbound.url,
            POWERTOOLS_METRICS_NAMESPACE="Parley",
            POWERTOOLS_SERVICE_NAME="faults",
        )
        self.aws.install()
        self.restart()

    def restart(self) -> None:
        """New processes: whatever the old ones had in memory is gone."""
        client, clock, sleep = dynamodb(), self.clock, self.clock.sleep
        self.rate_limiter = rate_limiter = RateLimiter(client, TABLE, clock, sleep, self.random.random)
        tokens = Tokens(client, TABLE, clock, sleep, self.random.random)
        http = NotingHttp(self)
        inbox = self.inbox(client, TABLE, KEEP_FOR)
        passive = NotingPassive(client, TABLE, keep_for=KEEP_FOR)
        passive.world = self

        def answers(answering: SupportsPassiveReply) -> PassiveReplies:
            return PassiveReplies(answering, inbox, Outbox(client, TABLE, CALLBACK_LEASE), passive, clock, self._wait)

        self._callbacks = {
            name: Callback(name, inbound(name), Apps(clock), clock, answers=answers) for name in self.subjects
        }
        self._processor = Processor(self.bot, inbox, clock=clock)
        self._deliverer = NotingDeliverer(
            Outbox(client, TABLE, LEASE),
            passive,
            Calls(http, tokens, rate_limiter, client, TABLE, clock),
            rate_limiter,
            Apps(clock),
            clock,
        )
        self._deliverer.world = self
        self._sweeper = Sweeper(Outbox(client, TABLE, lease=0), clock)

    def configure(self, platform: str, app: str, config: Any) -> None:
        """Store the configuration of an app."""
        self.aws.parameters[f"/parley/faults/{platform}/{app}"] = encode(config).decode()

    # --- calls and their faults ---------------------------------------------------------------------------------------

    def meet(self, kind: str, *, platform: bool = False) -> Fault | None:
        """A call is about to be carried out: what happens to it. Raises Crash."""
        fault = self.decider.decide(kind, platform=platform)
        if platform:
            self.last_fault = fault
        if fault is None:
            return None
        if self.reply and fault not in (Fault.LIMITED, Fault.EXPIRED):
            self.ledger.doubtful.add(self.reply)
        if self.delivery:
            self.ledger.disturbed.add(self.delivery)
        if fault is Fault.CRASH_BEFORE:
            raise Crash(kind)
        if fault is Fault.STALL:
            self._stall()
            return None
        return fault

    def outlive(self, fault: Fault) -> None:
        """A call with that fault was carried out. Raises Crash."""
        if fault is Fault.CRASH_AFTER:
            raise Crash

    def _stall(self) -> None:
        """This worker stands still while the world goes on without it, in other processes."""
        if self._stalled:
            return
        self._stalled += 1
        with self._aside():
            self.settle(until=self.clock.now + INBOUND_VISIBILITY + LEASE)
        self._stalled -= 1

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Other processes at work, with troubles of their own, until this one goes on."""
        mine = self._callbacks, self._processor, self._deliverer, self._sweeper
        with self._hands():
            self.restart()
            try:
                yield
            finally:
                self._callbacks, self._processor, self._deliverer, self._sweeper = mine

    @contextmanager
    def _hands(self) -> Iterator[None]:
        """Somebody else is at work for a while."""
        mine = self.stage, self.delivery, self.reply, self._task
        self.delivery = self.reply = ""
        try:
            yield
        finally:
            self.stage, self.delivery, self.reply, self._task = mine

    def apart(self, work: Callable[[], None]) -> None:
        """Do `work`, of another process."""
        with self._hands():
            work()

    def run(self, task: Task) -> None:
        """Let `task` go on until it waits or ends."""
        with self._hands():
            self._task = task
            task.resume()

    def _wait(self, seconds: float) -> None:
        """The task that is at work waits while the world goes on."""
        task = self._task
        if task is None:
            raise Stuck("only a task can wait")
        with self._hands():
            self.at(self.clock() + seconds, lambda: self.run(task))
            task.wait()

    # --- steps --------------------------------------------------------------------------------------------------------

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Have `what` happen at the moment `when`."""
        self._events += 1
        heappush(self.schedule, (when, self._events, what))

    def call_back(self, platform: str, delivery: Delivery) -> None:
        """The platform delivers an event; where that fails it tries again, as it would."""
        Exchange(self, platform, delivery).begin()

    def callback(self, platform: str) -> Callback:
        """The function that takes the callbacks of `platform`."""
        return self._callbacks[platform]

    def replies_passively(self, platform: str) -> bool:
        """Whether replies are given within the callbacks of `platform`, as it is configured here."""
        return self.subjects[platform].replies_passively

    def step(self, queue: Queue) -> bool:
        """Hand one record of `queue` to its worker; False where there is none."""
        message = queue.receive(self.random)
        if message is None:
            return False
        receipt = message.receipt
        mapped = self._processor if queue is self.inbound else self._deliverer
        with self._hands():
            self.stage = "processor" if queue is self.inbound else "deliverer"
            self.reply = "" if queue is self.inbound else _reply_id(message)
            try:
                answer = run({"Records": [_record(message)]}, queue.url, mapped)
                if not answer["batchItemFailures"] and self.finished(message):
                    queue.delete(receipt)
            except Crash:
                self.restart()
            except NotInFlight:
                pass  # it took longer than the queue waits, and the record is somebody else's by now
        return True

    def sweep(self) -> None:
        """The sweeper's minute."""
        with self._hands():
            self.stage = "sweeper"
            try:
                self._sweeper()
            except Crash:
                self.restart()
            except Exception:  # noqa: BLE001  # a failed run is followed by the next one, a minute later
                return

    def redrive(self) -> list[str]:
        """The operator sends all dead letters back; their bodies."""
        sent: list[str] = []
        for queue, dead in ((self.inbound, self.dead["inbound"]), (self.outbound, self.dead["outbound"])):
            while (message := dead.receive(self.random)) is not None:
                self._events += 1
                queue.send(message.body, message.group, f"redrive-{self._events}")
                dead.delete(message.receipt)
                sent.append(message.body)
        return sent

    def settle(self, until: float = float("inf")) -> None:
        """Go on until nothing is left to do, or until that moment. Raises Stuck."""
        end = min(until, self.clock() + _GIVE_UP)
        while self.clock() < end:
            self._due()
            queues = [self.inbound, self.outbound]
            self.random.shuffle(queues)
            if any(self.step(queue) for queue in queues):
                continue
            following = self._following()
            if following is None:
                return
            self.clock.now = min(end, max(self.clock(), following))
        if until == float("inf"):
            raise Stuck(f"{len(self.inbound)} messages and {len(self.outbound)} replies do not come to rest")

    def _due(self) -> None:
        while self.schedule and self.schedule[0][0] <= self.clock():
            heappop(self.schedule)[2]()
        for platform in self.platforms.values():
            for delivery in platform.take():
                self.call_back(platform.name, delivery)
        if self.clock() >= self._next_sweep:
            self._next_sweep = self.clock() + SWEEP_EVERY
            self.sweep()

    def _following(self) -> float | None:
        """When something happens next; None where nothing will."""
        moments = [queue.next_change() for queue in (self.inbound, self.outbound)]
        moments += [self.schedule[0][0]] if self.schedule else []
        moments += [self._next_sweep] if self.aws.dynamodb.waiting else []
        return min((moment for moment in moments if moment is not None), default=None)


def _nothing(*_: object) -> None:
    """What is counted here is counted at the platforms."""


def _record(message: Message) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": {"MessageGroupId": message.group, "ApproximateReceiveCount": str(message.receives)},
    }


def _reply_id(message: Message) -> str:
    return decode_outgoing(message.body).id
