"""A simulation: imitated platforms, fake AWS services and the real Lambda functions in one process, on a virtual clock.

Everything runs one step at a time and nothing waits in real time, so a seed determines a whole run. Two processes that
run at the same time in reality, such as a stalled worker and its successor, are simulated: the other one runs inside
the call at which the worker stalls.
"""

import os
from collections.abc import Callable
from math import ceil
from random import Random
from typing import Any

from msgspec.json import encode

from parley.bot import Bot, exchange
from parley.engine import sweeper, telemetry
from parley.engine.batch import run
from parley.journal.inbox import Inbox
from parley.journal.table import DUE_SHARDS, TIMER_SHARD
from parley.model.codec import decode_outgoing
from parley.models.retries import Waits
from playground.platforms.base import Platform
from playground.platforms.model import Delivery
from playground.transport import PlatformTransport
from tools.faults.aws import Aws
from tools.faults.bot import PayingBot
from tools.faults.dynamodb import DynamoDB
from tools.faults.exchange import Exchanges
from tools.faults.gateway import Gateway
from tools.faults.injector import Execution, FaultInjector
from tools.faults.instrumented import FaultyApi
from tools.faults.ledger import Ledger
from tools.faults.policies import Crash, Policy
from tools.faults.processes import TABLE, Processes
from tools.faults.requested import Requested
from tools.faults.scheduler import START, Scheduler
from tools.faults.sockets import Clients
from tools.faults.sqs import Message, NotInFlightError, Queue
from tools.faults.targets import Target

BOT_SECONDS = 30.0
TO_RECORD, TO_RETURN = 10.0, 15.0
"""Seconds by which the timeout of the processor, and the visibility timeout of its queue, are longer."""
OUTBOUND_VISIBILITY = 25.0
MAX_RECEIVES, MAX_SENDS = 1000, 1000
"""These are the values of template.yaml; `tests/faults/test_simulation.py` compares."""
SWEEP_EVERY = 60.0
_FAR = 7 * 86_400.0
"""Seconds: a simulation does not wait for a reminder that is later."""
_GIVE_UP = 3 * 86_400.0
"""Virtual seconds after which a simulation that still has work is stuck."""


class StuckError(Exception):
    """The simulation still has work after three virtual days."""


class Simulation:
    """A deployment with `targets` as its platforms. `policy` chooses the faults, and `bot` replies.

    `direct`: see `tools.faults.aws`. `at_once`: the share of processes that deliver replies at once
    (`parley.engine.direct`), as during a deployment that switches it on. `PARLEY_DELIVER_AT_ONCE=false` sets it to 0.
    `bot_seconds`: the parameter `BotSeconds` of the template.
    """

    def __init__(
        self,
        targets: tuple[Target, ...],
        policy: Policy,
        bot: Bot,
        random: Random,
        *,
        inbox: type[Inbox] = Inbox,
        direct: bool = True,
        at_once: float = 1,
        bot_seconds: float = BOT_SECONDS,
    ) -> None:
        self.bot = bot
        self.bot_seconds = bot_seconds
        self.scheduler = scheduler = Scheduler()
        self.clock = clock = scheduler.clock
        self.random = random
        self.ledger = Ledger()
        self.injector = injector = FaultInjector(policy, self.ledger, clock, self._stall)
        self.dead = {name: Queue(f"{name}-dead.fifo", clock, 30) for name in ("inbound", "outbound")}
        self.inbound = Queue("inbound.fifo", clock, bot_seconds + TO_RETURN, MAX_RECEIVES, self.dead["inbound"])
        self.outbound = Queue("outbound.fifo", clock, OUTBOUND_VISIBILITY, MAX_SENDS, self.dead["outbound"])
        by_url = {queue.url: queue for queue in (self.inbound, self.outbound, *self.dead.values())}
        self.aws = Aws(DynamoDB(TABLE), by_url, injector.before, injector.after, clock.sleep, direct=direct)
        self.targets = {target.name: target for target in targets}
        self.platforms = {target.name: self._platform(target) for target in targets}
        transport = PlatformTransport(
            {target.address: FaultyApi(injector, self.platforms[target.name]) for target in targets}
        )
        self.finished: Callable[[Message], bool] = lambda _record: True
        """Whether the event source mapping deletes a record that is done. Otherwise SQS delivers it again."""
        self._redriven = 0
        self._died: dict[str, float] = {}
        """When a worker has died over a record, by the record's id."""
        self._stalled = False
        self._next_sweep = START + SWEEP_EVERY
        self._next_reminders = 0.0
        if isinstance(bot, PayingBot):
            bot.model.before, bot.model.after = injector.before, injector.after
        self._install()
        self.processes = Processes(bot, self.targets, inbox, transport, injector, scheduler, random, at_once)
        self.processes.gateway = gateway = Gateway(injector, scheduler, random)
        self.clients = {
            target.name: Clients(self.platforms[target.name], gateway, self.processes, self.aws)
            for target in targets
            if target.connected
        }
        if isinstance(bot, PayingBot):
            bot.work = self.spend
        self.requested = Requested(bot, self.processes, injector, scheduler, random)
        self._exchanges = Exchanges(self.platforms, self.targets, self.processes, injector, scheduler)

    def _platform(self, target: Target) -> Platform:
        """The imitation of a platform, with its apps."""
        platform = target.imitation(clock=self.clock, random=Random(self.random.random()), keep_calls=1)
        for app, config in target.apps.items():
            platform.add_app(app, config)
            self.configure(target.name, app, config)
        return platform

    def _install(self) -> None:
        """Make this simulation's AWS, environment and telemetry those of the process."""
        telemetry.log.setLevel("CRITICAL")
        telemetry._emit = _no_metric  # noqa: SLF001
        exchange._waits = Waits(self.clock.sleep, self.random.random)  # noqa: SLF001
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

    def configure(self, platform: str, app: str, config: Any) -> None:
        """Store the configuration of an app."""
        self.aws.parameters[f"/parley/faults/{platform}/{app}"] = encode(config).decode()

    def replies_passively(self, platform: str) -> bool:
        """Whether the apps of `platform` use passive replies."""
        return self.targets[platform].replies_passively

    def _stall(self, execution: Execution) -> None:
        """Run the simulation without the current process for a random time, up to twice the rest of its invocation.

        Lambda ends an invocation at its timeout: a process that stalls longer never makes the call. Raises Crash then.
        A process does not stall while another one does.
        """
        if self._stalled:
            return
        wakes = self.clock() + self.random.uniform(0, 2) * (execution.ends - self.clock())
        self._stalled = True
        with self.injector.executing(Execution()), self.processes.replaced():
            end = min(wakes, execution.ends)
            self.settle(until=end)
            self.clock.now = max(self.clock(), end)
        self._stalled = False
        if wakes >= execution.ends:
            raise Crash("the invocation has timed out")

    def spend(self, seconds: float) -> None:
        """Let the handler that runs spend `seconds`. What its process repeats beside it, and all other processes, go
        on meanwhile.
        """
        threads, end = self.processes.current.threads, self.clock() + seconds
        while self.clock() < end:
            following = min(end, threads.next_time())
            with self.injector.executing(Execution()), self.processes.replaced():
                self.settle(until=following)
            self.clock.now = max(self.clock(), following)
            threads.run_due()

    def _notice(self, message: Message) -> None:
        """Record how long the death of a worker over `message` was not noticed."""
        died = self._died.pop(message.id, None)
        if died is not None:
            self.ledger.unnoticed.append(self.clock() - died)

    # --- steps --------------------------------------------------------------------------------------------------------

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Run `action` at the unix time `when`."""
        self.scheduler.at(when, action)

    def deliver(self, platform: str, delivery: Delivery) -> None:
        """Have `platform` deliver an event to its callback. It retries a failed delivery as its counterpart does."""
        if platform in self.clients:
            self.clients[platform].send(delivery)
        else:
            self._exchanges.begin(platform, delivery)

    def step(self, queue: Queue) -> bool:
        """Hand one record of `queue` to its function. False if there is no visible record."""
        message = queue.receive(self.random)
        if message is None:
            return False
        receipt, functions = message.receipt, self.processes.current
        if queue is self.inbound:
            timeout = self.bot_seconds + TO_RECORD
            execution, handler = Execution("processor", timeout=timeout), functions.processor
            if self.bot_seconds > BOT_SECONDS:
                functions.processor.ends_in(timeout)  # in real time, which hardly passes
            if functions.processor.direct is not None:
                functions.processor.direct.ends = self.clock() + timeout
            self._notice(message)
        else:
            execution, handler = Execution("deliverer", reply=_reply_id(message)), functions.deliverer
        with self.injector.executing(execution):
            try:
                response = run({"Records": [_record(message)]}, queue.url, handler)
                if not response["batchItemFailures"] and self.finished(message):
                    queue.delete(receipt)
            except Crash:
                self.processes.restart()
                self._died[message.id] = self.clock()
            except NotInFlightError:
                pass  # the function took longer than the visibility timeout, and the record was delivered again
        return True

    def sweep(self) -> None:
        """Run the function of the sweeper once."""
        functions = self.processes.current
        self._scheduled(lambda: sweeper.run(functions.sweeper, functions.timekeeper, self.clock()))

    def remind(self) -> None:
        """Send the reminders that are due. In reality the sweeper waits for their times; it runs again after a minute
        if it has died.
        """
        now = self.clock()
        self._next_reminders = now + SWEEP_EVERY
        if self._scheduled(lambda: self.processes.current.timekeeper(now)):
            self._next_reminders = now

    def _scheduled(self, work: Callable[[], object]) -> bool:
        """Run `work` in the function of the sweeper. Whether it has ended well."""
        with self.injector.executing(Execution("sweeper")):
            try:
                work()
            except Crash:
                self.processes.restart()
                return False
            except Exception:  # noqa: BLE001  # the schedule runs it again a minute later
                return False
        return True

    @property
    def has_dead_letters(self) -> bool:
        """Whether messages or replies are in a dead-letter queue."""
        return any(map(len, self.dead.values()))

    def redrive(self) -> list[str]:
        """Send all dead letters back to their queues, as the operator does. Returns their bodies."""
        sent: list[str] = []
        for queue, dead in ((self.inbound, self.dead["inbound"]), (self.outbound, self.dead["outbound"])):
            while (message := dead.receive(self.random)) is not None:
                self._redriven += 1
                queue.send(message.body, message.group, f"redrive-{self._redriven}")
                dead.delete(message.receipt)
                sent.append(message.body)
        return sent

    def settle(self, until: float = float("inf")) -> None:
        """Run until there is nothing left to do, or until that time. Raises StuckError.

        At the end, people look once more at what the functions have done since the last look.
        """
        end = min(until, self.clock() + _GIVE_UP)
        is_read = until < float("inf")
        while self.clock() < end:
            self._run_due()
            queues = [self.inbound, self.outbound]
            self.random.shuffle(queues)
            if any(self.step(queue) for queue in queues):
                is_read = until < float("inf")
                continue
            following = self._next_time()
            if following is None or (until == float("inf") and following > self.clock() + _FAR):
                if is_read:
                    return
                is_read = True
                for platform in (*self.platforms.values(), *self.clients.values()):
                    platform.resume()
                continue
            self.clock.now = min(end, max(self.clock(), following))
        if until == float("inf"):
            raise StuckError(f"{len(self.inbound)} messages and {len(self.outbound)} replies are still in the queues")

    def _run_due(self) -> None:
        self.requested.begin()
        self.scheduler.run_due()
        for platform in self.platforms.values():
            for delivery in platform.drain_outbox():
                self.deliver(platform.name, delivery)
        if self.clock() >= self._next_sweep:
            self._next_sweep = self.clock() + SWEEP_EVERY
            self.sweep()
        if (reminder := self._next_reminder()) is not None and reminder <= self.clock():
            self.remind()

    def _next_reminder(self) -> float | None:
        """The time of the first reminder, but not before the next run after one that died."""
        due = self.aws.dynamodb.first_due((TIMER_SHARD,))
        return None if due is None else max(due, self._next_reminders)

    def _next_time(self) -> float | None:
        """The time of the next event; None if there is none."""
        times = [self.scheduler.next_time(), *(queue.next_change() for queue in (self.inbound, self.outbound))]
        if (due := self.aws.dynamodb.first_due(DUE_SHARDS)) is not None:
            # The first sweep at which it is due.
            times.append(self._next_sweep + SWEEP_EVERY * ceil(max(0, due - self._next_sweep) / SWEEP_EVERY))
        times.append(self._next_reminder())
        if self.requested.scheduled_until > self.clock():
            times.append(self._next_sweep)
        return min((time for time in times if time is not None), default=None)


def _no_metric(*_: object) -> None:
    """Metrics are not recorded here; the results are counted at the platforms."""


def _record(message: Message) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": {
            "MessageGroupId": message.group,
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(message.sent * 1000)),
        },
    }


def _reply_id(message: Message) -> str:
    return decode_outgoing(message.body).id
