"""The Lambda functions of one deployment, as processes that can crash and be replaced by new ones."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import httpx

from parley.adapter import SupportsPassiveReply
from parley.bot import Bot
from parley.engine.admission import Admission
from parley.engine.apps import Apps
from parley.engine.aws import dynamodb, setting
from parley.engine.batch import hide
from parley.engine.callback import Callback
from parley.engine.calls import Calls
from parley.engine.connections import Connections
from parley.engine.direct import Direct
from parley.engine.floods import Floods
from parley.engine.notices import Notices, Pushes
from parley.engine.oauth import OAuth
from parley.engine.passive_replies import PassiveReplies
from parley.engine.processor import Processor
from parley.engine.rate_limiter import RateLimiter
from parley.engine.reading import Reader
from parley.engine.resuming import Resuming
from parley.engine.sweeper import Sweeper
from parley.engine.tenants import Tenancy
from parley.engine.timekeeper import Timekeeper
from parley.engine.tokens import Tokens
from parley.engine.user_tokens import UserTokens
from parley.journal.inbox import Inbox
from parley.journal.mailbox import Mailbox
from parley.journal.outbox import Outbox
from parley.journal.passive import DeferredReplies, rules
from parley.journal.timers import Timers
from parley.journal.watchers import Watchers
from parley.platforms import inbound, sockets
from tools.faults.injector import Execution, FaultInjector
from tools.faults.instrumented import RecordingCallbacks, RecordingDeliverer, RecordingHttp
from tools.faults.scheduler import Scheduler
from tools.faults.targets import Target
from tools.faults.tasks import Task
from tools.faults.threads import VirtualThreads

TABLE = "parley"
URL = "https://sockets.local/faults"
KEEP_FOR = 30 * 86_400.0
LEASE = 21.0
"""These are the values of template.yaml; `tests/faults/test_simulation.py` compares."""


@dataclass(slots=True)
class Functions:
    """One process of each function. They share nothing with other processes but AWS and the platforms."""

    callbacks: Mapping[str, Callback]
    """By platform."""
    connections: Mapping[str, Connections]
    """Those of the platforms whose clients hold connections."""
    processor: Processor
    deliverer: RecordingDeliverer
    sweeper: Sweeper
    timekeeper: Timekeeper
    rate_limiter: RateLimiter
    oauth: OAuth
    threads: VirtualThreads
    """Those of the processor."""


class Processes:
    """The running processes: `current` is replaced after each crash, and for the time of a stall."""

    def __init__(
        self,
        bot: Bot,
        targets: Mapping[str, Target],
        inbox: type[Inbox],
        transport: httpx.BaseTransport,
        injector: FaultInjector,
        scheduler: Scheduler,
        random: Random,
        at_once: float,
    ) -> None:
        self._bot = bot
        self.gateway: Any = None
        """API Gateway's client for connections, where there are some."""
        self._at_once = at_once if setting("DELIVER_AT_ONCE", "true") == "true" else 0.0
        self._targets = targets
        self._inbox = inbox
        self._transport = transport
        self.injector = injector
        self._scheduler = scheduler
        self._random = random
        self._version = 0
        self.current = self._started()

    def deploy(self) -> None:
        """Replace all processes for good. A process that is at work ends its work as the version that it is."""
        self._version += 1
        self.restart()

    def restart(self) -> None:
        """Replace all processes: what the old ones had in memory is gone."""
        self.current = self._started()

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Run other processes inside the context, and after it the same ones as before, or those of a new version."""
        stalled, version = self.current, self._version
        self.restart()
        try:
            yield
        finally:
            if self._version == version:
                self.current = stalled

    def run(self, execution: Execution, work: Callable[[], None]) -> None:
        """Run `work`, which cannot wait, as a process of its own."""
        with self.injector.executing(execution):
            work()

    def start(self, execution: Execution, work: Callable[[], None]) -> None:
        """Run `work`, which can wait, until it waits for the first time or ends."""
        execution.task = Task(work)
        self._resume(execution)

    def _resume(self, execution: Execution) -> None:
        if execution.task is not None:
            with self.injector.executing(execution):
                execution.task.resume()

    def _ticket(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def _wait(self, seconds: float) -> None:
        """Suspend the current task for `seconds` of virtual time. Raises RuntimeError outside of a task."""
        execution = self.injector.current
        if execution.task is None:
            raise RuntimeError("only a task can wait")
        self._scheduler.at(self._scheduler.clock() + seconds, lambda: self._resume(execution))
        execution.task.suspend()

    def _started(self) -> Functions:
        client, clock = dynamodb(), self._scheduler.clock
        rate_limiter = RateLimiter(client, TABLE, clock, clock.sleep, self._random.random)
        tokens = Tokens(client, TABLE, clock, clock.sleep, self._random.random)
        targets = tuple(self._targets.values())
        http = RecordingHttp(httpx.Client(transport=self._transport), injector=self.injector, targets=targets)
        inbox = self._inbox(client, TABLE, KEEP_FOR)
        waiting = RecordingCallbacks(client, TABLE, KEEP_FOR, ledger=self.injector.ledger)
        deferred = DeferredReplies(client, TABLE, keep_for=KEEP_FOR)

        def passive_replies(inbound_half: SupportsPassiveReply) -> PassiveReplies:
            outbox = Outbox(client, TABLE, rules.LEASE)
            return PassiveReplies(inbound_half, inbox, outbox, waiting, deferred, clock, self._wait)

        def reader() -> Reader:
            return Reader(inbox, Mailbox(client, TABLE, KEEP_FOR), clock, clock.sleep)

        watchers = Watchers(client, TABLE, KEEP_FOR)

        def pushes() -> Pushes:
            return Pushes(self.gateway, clock, clock.sleep)

        def resuming(watchers: Watchers) -> Resuming:
            return Resuming(watchers, Mailbox(client, TABLE, KEEP_FOR))

        def deliverer() -> RecordingDeliverer:
            made = RecordingDeliverer(
                Outbox(client, TABLE, LEASE),
                deferred,
                Calls(
                    http,
                    tokens,
                    rate_limiter,
                    client,
                    TABLE,
                    clock,
                    # Threads would run in any order.
                    Notices(watchers, pushes, clock=clock, at_once=1),
                ),
                Apps(clock, clock.sleep, self._random.random),
                clock,
            )
            made.injector = self.injector
            return made

        def apps() -> Apps:
            return Apps(clock, clock.sleep, self._random.random)

        def own_http() -> RecordingHttp:
            return RecordingHttp(httpx.Client(transport=self._transport), injector=self.injector, targets=targets)

        users = UserTokens(client, TABLE, own_http(), apps(), clock, clock.sleep, self._random.random)
        behind = deliverer()
        delivers = self._random.random() < self._at_once
        threads = VirtualThreads(clock)
        hides = partial(hide, setting("INBOUND_URL"))
        callbacks = {
            name: Callback(
                name,
                inbound(name),
                Apps(clock, clock.sleep, self._random.random),
                clock,
                passive_replies=passive_replies,
                reader=reader,
                admission=Admission(rate_limiter, KEEP_FOR, clock),
            )
            for name in self._targets
        }
        return Functions(
            callbacks,
            {
                name: Connections(
                    name,
                    sockets(name),
                    callbacks[name],
                    watchers,
                    pushes,
                    resuming,
                    URL,
                    Floods(sockets(name)),
                    clock,
                    self._ticket,
                )
                for name, target in self._targets.items()
                if target.connected
            },
            Processor(
                self._bot,
                inbox,
                direct=Direct(deliverer(), clock) if delivers else None,
                tenancy=Tenancy(behind.calls, behind.apps, clock),
                users=lambda: users,
                clock=clock,
                hide=hides,
                repeat=threads.repeat,
            ),
            behind,
            Sweeper(Outbox(client, TABLE, lease=0), clock),
            Timekeeper(Timers(client, TABLE), clock, clock.sleep, self._bot.timers),
            rate_limiter,
            OAuth(client, TABLE, own_http(), apps(), clock, lambda: f"{self._random.getrandbits(256):043x}"[-43:]),
            threads,
        )
