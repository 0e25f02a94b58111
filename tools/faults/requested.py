"""What messages to the bot under test ask for, and what happens then outside of a conversation: a program sends first,
and the bot gets a new version, which has schedules.
"""

from collections.abc import Callable, Mapping
from functools import partial
from math import floor
from random import Random

from parley.bot import Bot
from parley.engine.aws import AwsError
from parley.model import Destination
from parley.sending import send
from tools.faults.bot import PayingBot, tag
from tools.faults.injector import Execution, FaultInjector
from tools.faults.policies import Crash
from tools.faults.processes import Processes
from tools.faults.scheduler import Scheduler

AHEAD = 900.0
"""Seconds from a deployment to the times of its schedules. Some sweeps may fail in this time, all of them do not."""
_REPEATS = 0.5
"""The probability that a program sends once more what it has sent."""
_WITHIN = 30.0
"""Seconds within which it begins."""


class Requested:
    """The programs and deployments of a simulation."""

    def __init__(
        self, bot: Bot, processes: Processes, injector: FaultInjector, scheduler: Scheduler, random: Random
    ) -> None:
        self._bot = bot if isinstance(bot, PayingBot) else PayingBot()
        self._processes = processes
        self._injector = injector
        self._scheduler = scheduler
        self._random = random
        self._begun = set[str]()
        self.ahead = AHEAD
        """Seconds, a minute at least, from a deployment to the times of its schedules."""
        self.scheduled_until = 0.0
        """The time of the last schedule. Until then, each sweep may be the first one of the new version."""

    @property
    def schedules(self) -> Mapping[str, str]:
        """`PayingBot.marks`."""
        return self._bot.marks

    def begin(self) -> None:
        """Begin what has been asked for since the last time."""
        asked = [mark for mark in self._bot.asked if mark not in self._begun]
        noted = [mark for mark in self._bot.noted if mark not in self._begun]
        self._begun.update(asked, noted)
        for mark in asked:
            self._soon(partial(self._program, mark, self._bot.asked[mark]))
        if noted:
            self._soon(partial(self._deploy, noted))

    def _soon(self, action: Callable[[], None]) -> None:
        self._scheduler.at(self._scheduler.clock() + self._random.uniform(0, _WITHIN), action)

    def _program(self, mark: str, to: Destination) -> None:
        """A program that sends first. It sends again until it has succeeded, and then once more if it does not know."""
        now = self._scheduler.clock()
        try:
            with self._injector.executing(Execution("incoming")):
                send(to, f"sent {tag(f'{mark}-sent', 0)}", key=mark)
        except (Crash, *AwsError):
            self._scheduler.at(now + 30, partial(self._program, mark, to))
            return
        if self._random.random() < _REPEATS:
            # Also when SQS has forgotten the first one.
            after = self._random.choice((0.0, 20.0, 400.0, 3000.0))
            self._scheduler.at(now + after, partial(self._program, mark, to))

    def _deploy(self, marks: list[str]) -> None:
        """The bot gets a schedule for each message with one of these tags, and all processes are new."""
        at = floor((self._scheduler.clock() + self.ahead) / 60) * 60.0
        for mark in marks:
            self._bot.schedule(mark, at)
        self.scheduled_until = max(at, self.scheduled_until)
        self._processes.deploy()
