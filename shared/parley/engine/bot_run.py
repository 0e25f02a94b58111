"""One run of the bot on a message: its turn, the states that it reads, and why it failed."""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from parley.bot import Bot, Turn
from parley.bot.addressing import is_addressed
from parley.bot.once import OutOfTimeError, Results
from parley.bot.reminders import Reminders
from parley.bot.turn import Download, Unseal
from parley.engine.aws import AwsError
from parley.engine.deadline import DeadlineExceededError, deadline
from parley.engine.outgoing import DraftIds, draft_in, draft_key
from parley.errors import ParleyError, RetryAfter
from parley.journal.heard import heard_keys, heard_messages
from parley.journal.inbox import AlreadyDecidedError, Decision, Inbox, Snapshot, VersionConflictError
from parley.journal.memory import Change, Memory
from parley.journal.runs import Runs, RunState
from parley.journal.states import Lease
from parley.model import Message, Outgoing, Reply, message_key, with_sources
from parley.model.agenda import Timer
from parley.model.sending import SEND, reply_in
from parley.model.state import Scope, State
from parley.model.stop import is_stop

if TYPE_CHECKING:
    from parley.adapter import Answer, Call
    from parley.bot.logins import Users
    from parley.engine.drafts import Draft, Typing, Write
    from parley.engine.polled_drafts import PolledDraft
    from parley.journal.names import Person

T = TypeVar("T")


def named(message: Message, find: "Callable[[Message], Person] | None") -> Message:
    """`message` with the name and departments of its sender, for the bot. No message and no reply stores them."""
    if find is None or message.context.wants_name is not True:
        return message
    person = find(message)
    sender = replace(message.sender, name=person.name, departments=person.departments)
    merged = message.merged and tuple(replace(part, sender=sender) for part in message.merged)
    return replace(message, sender=sender, merged=merged)


class HandlerError(ParleyError):
    """The bot raised an exception, took too long, or returned a reply that cannot be stored."""


class _JournalError(BaseException):
    """The journal failed, with the cause of this error, while the bot read a state or recorded a result. It is not the
    bot's failure. No `except Exception` of a handler catches it.
    """


@dataclass(slots=True)
class BotRun:
    """Runs `bot` on `message`, which has the `snapshot`, until the time `until` of `time.monotonic`."""

    bot: Bot
    inbox: Inbox
    message: Message
    snapshot: Snapshot
    clock: Callable[[], float]
    until: float
    download: Download | None = None
    unseal: Unseal | None = None
    make_draft: "Callable[[DraftIds, Callable[[DraftIds], None]], Draft | Typing | PolledDraft | None] | None" = None
    """Makes the draft of the answer, from the ids that are recorded and what records new ones."""
    is_late: Callable[[], bool] = lambda: False
    """Whether another worker may be at the message."""
    is_stopped: Callable[[], bool] = lambda: False
    """Whether a person wants the run to stop."""
    make_users: "Callable[[], Users] | None" = None
    """Makes the persons who have logged in, when a handler asks for one."""
    turn: Turn = field(init=False)
    _memories: dict[Scope, Memory] = field(init=False)
    """The states that the bot has read."""
    _results: str = field(init=False)
    """The results of outside calls that are stored."""
    _draft: "Draft | Typing | PolledDraft | None" = None
    """Whether the message has stopped an earlier run."""
    _failure: Exception | None = None
    """The first failure of the journal."""

    def __post_init__(self) -> None:
        self._memories = {"state": self.snapshot.memory}
        self._results = self.snapshot.results
        self.turn = Turn(with_sources(self.message), now=self.clock(), load=self._load)
        self.turn.plans = Reminders(self.message, self.turn.now, self.snapshot.memory.agenda)
        self.turn.results = Results(message_key(self.message), self._results, self._record, self._check_late)
        self.turn.find_timer = self._find_timer
        self.turn.look_up = self._look_up
        self.turn.find_flag = _flag
        self.turn.until = self.until
        self.turn.stopping = self.is_stopped
        self.turn.find_stopped = self._find_stopped
        self.turn.show = self._show
        if self.download is not None:
            self.turn.download = self.download
        if self.unseal is not None:
            self.turn.unseal = self.unseal
        if self.make_users is not None:
            self.turn.users = _AskedUsers(self, self.make_users)

    def replies(self) -> list[Reply]:
        """The replies of the bot. Raises HandlerError, and RetryAfter if the bot goes on in another run, from the
        results that it has recorded in this one, or if a newer version of the bot has to handle the message.

        If the journal has failed, raises its first failure, also if the bot has caught it: AlreadyDecidedError,
        VersionConflictError, AwsError. RetryAfter if another worker may be at the message.
        """
        replies: list[Reply] = []
        try:
            replies = self._handle()
        except (HandlerError, _JournalError):
            if self._failure is None:
                raise
        if self._failure is not None:
            raise self._failure
        return replies

    def decision(self, replies: Sequence[Outgoing], leases: Mapping[str, Lease]) -> Decision:
        """What is to be stored. `leases`: of the replies that this worker delivers itself."""
        plans = self.turn.plans
        hear = self.bot.hear if self.message.kind == "message" and not is_addressed(self.message) else 0
        heard = heard_keys(self.inbox.client, self.inbox.table, self.message) if hear else ()
        return Decision(
            replies,
            self._changes(),
            plans.timers,
            plans.cancelled,
            leases,
            self._end,
            heard,
            hear,
            plans.forwarded,
        )

    def heard(self, count: int) -> list[Message]:
        """The last `count` messages of the conversation that were not for the bot, of the last hour."""
        if not self.bot.hear:
            return []
        client, table = self.inbox.client, self.inbox.table
        keys = self.ask(lambda: heard_keys(client, table, self.message))
        found = self.ask(lambda: heard_messages(client, table, keys[-count:], self.turn.now))
        return [with_sources(message) for message in found]

    @property
    def draft(self) -> DraftIds:
        """What people see of the answer already (`Outgoing.draft`)."""
        return self._draft.ids if self._draft is not None else draft_in(self._results, self.message)

    def _show(self, write: "Write | None") -> None:
        if self._draft is None and self.make_draft is not None:
            self._draft, self.make_draft = self.make_draft(self.draft, self._keep_draft), None
        if self._draft is not None:
            self._draft.show(write)

    def _keep_draft(self, ids: DraftIds) -> None:
        with self.turn.results.outside():
            self.turn.results.record(draft_key(self.message), list(ids))

    @property
    def _end(self) -> RunState | None:
        """What is to be recorded of a stop."""
        if self.turn.was_stopped:
            return RunState.STOPPED
        return RunState.ANSWERED if is_stop(self.message) else None

    def _changes(self) -> list[Change]:
        """The states that the bot has read, as they were and as they are now."""
        own, *others = (
            Change(memory, self.turn.states[scope].stored(memory.state)) for scope, memory in self._memories.items()
        )
        return [replace(own, agenda=self.turn.plans.agenda), *others]

    def _handle(self) -> list[Reply]:
        started = time.monotonic()
        try:
            if self.message.event == SEND:
                return [reply_in(self.message)]
            with deadline(self.until - started):
                return self.bot.handle(self.turn)
        except RetryAfter:
            raise  # the message is for a newer version of the bot
        except (DeadlineExceededError, OutOfTimeError) as late:
            if self._results != self.snapshot.results:
                raise RetryAfter(0, "the bot goes on in another run") from late
            from parley.engine.failures import place_of  # noqa: PLC0415  # most messages do not fail

            seconds, place = time.monotonic() - started, place_of(late, self.turn.handler)
            raise HandlerError(f"not done after {seconds:.0f} s (BotSeconds), at {place}") from late
        except (Exception, BaseExceptionGroup) as error:  # asyncio makes a group of an error that is no Exception
            from parley.engine.failures import reason_of  # noqa: PLC0415  # as above

            raise HandlerError(reason_of(error, self.turn.handler)) from error

    def _load(self, scope: Scope) -> State:
        if scope not in self._memories:
            self._memories[scope] = self.ask(lambda: self.inbox.memory(scope, self.message))
        return copy.deepcopy(self._memories[scope].state)

    def _look_up(self, scope: Scope, message: Message) -> State:
        return self.ask(lambda: self.inbox.memory(scope, message)).state

    def _find_stopped(self) -> bool:
        runs = Runs(self.inbox.client, self.inbox.table)
        return self.ask(lambda: runs.is_stopped(self.message))

    def _find_timer(self, id_: str) -> Timer | None:
        return self.ask(lambda: self.inbox.timer(id_))

    def _record(self, results: str) -> None:
        self.ask(lambda: self.inbox.record(self.message, self._results, results, self.clock()))
        self._results = results

    def _check_late(self) -> None:
        """End the run if another worker may be at the message: what is done outside would be done twice."""
        if self.is_late():
            self._failure = self._failure or RetryAfter(1, "another worker may have the record")
            raise _JournalError

    def ask(self, request: Callable[[], T]) -> T:
        """The result of a request to the journal. Raises _JournalError."""
        try:
            return request()
        except (AlreadyDecidedError, VersionConflictError, *AwsError) as error:
            self._failure = self._failure or error
            raise _JournalError from error


class _AskedUsers:
    """The persons who have logged in, for the handler of a run: a failure of AWS is one of the journal."""

    def __init__(self, run: BotRun, make: "Callable[[], Users]") -> None:
        self._run, self._make = run, make

    def address(self, message: Message) -> str:
        """See `parley.bot.logins.Users`."""
        return self._run.ask(lambda: self._make().address(message))

    def has(self, message: Message, scopes: str) -> bool:
        """See `Users`."""
        return self._run.ask(lambda: self._make().has(message, scopes))

    def call(self, message: Message, request: "Call", until: float) -> "Answer":
        """See `Users`."""
        return self._run.ask(lambda: self._make().call(message, request, until))

    def forget(self, message: Message, until: float) -> bool:
        """See `Users`."""
        return self._run.ask(lambda: self._make().forget(message, until))


def _flag(name: str, message: Message, default: bool) -> bool:
    from parley.engine.flags import flag  # noqa: PLC0415  # few bots have flags

    return flag(name, message, default)
