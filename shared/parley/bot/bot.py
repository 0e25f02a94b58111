"""The bot: the first handler that matches and whose rule holds handles the message.

The order: the command of a text by its name; then the patterns in the order of their definition; then the intent of the
text; then the language models of `converse`; then the fallbacks. An action or a parsed command goes to the handler of
its id or name. An event goes to the handler of the platform's name for it, or else to that of its portable name.
Handlers of a router take the place at which the bot includes it.
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from parley.bot import events, gates, numbered, runs, stopping
from parley.bot.access import check_functions, names_of_roles
from parley.bot.addressing import typed_command
from parley.bot.arguments import ArgumentError
from parley.bot.coroutines import finished
from parley.bot.handlers import CommandHandler, Entry, Quick
from parley.bot.reminders import DIALOGUE
from parley.bot.replies import Replies, reactions_last, replies_of
from parley.bot.results import check_forms, check_instant, check_plans, check_result
from parley.bot.router import Router
from parley.bot.rules import Rule, optional_rule
from parley.bot.runs import Arguments
from parley.bot.texts import BOTH, LANGUAGES, Texts, check_texts, texts_for
from parley.bot.turn import Turn
from parley.bot.zones import day_of, zone_name
from parley.model import Command, Message, Reply
from parley.model.agenda import FAILED, REMINDER, SCHEDULED, Timer, is_decision
from parley.model.commands import CommandSpec
from parley.model.instant import Choices, Instant
from parley.model.stop import STOP_COMMANDS, is_stop_command

if TYPE_CHECKING:
    from parley.bot import Pairing, Quotas
    from parley.bot.offers import Commands
    from parley.bot.open_dialogues import OpenDialogues
    from parley.bot.understanding import Understanding

IsAdmin = Callable[[Message], bool | Coroutine[Any, Any, bool]]
Roles = Callable[[Message], Iterable[str] | Coroutine[Any, Any, Iterable[str]]]


@dataclass(slots=True, eq=False)
class Bot(Router):
    """A team's bot. Handlers are plain functions: their parameters are filled in, and they return the replies. Each of
    them may be declared with `async def`.

    `texts` replaces texts of the library by language: `{"en": Texts(...), "zh": ...}`; the language `""` is for persons
    whose language is not known. `apology` is sent once if a handler has failed in every attempt; empty sends nothing.
    Without it, the apology is the one of `texts`.

    `is_admin` gets a message and returns whether its sender is an administrator. Discord's own administrators
    (`Sender.admin`) always are. Without `is_admin` and `roles`, the other platforms have no administrators, and a
    command with `admin=True` is refused there. `roles` gets a message and returns the roles of its sender.

    `when`: a rule for all handlers. A person who sends the bot another message gets `refusal`; empty sends nothing.
    `pairing`: strangers need a code. `quotas`: the most messages in a day. `hear`: the most messages of
    `Turn.heard`, from 0 to 50. `merge`: the seconds, up to 10, for which a text waits for the next one of its sender.
    `zone`: the time zone in which people write dates such as tomorrow.
    """

    apology: str = BOTH.apology
    is_admin: IsAdmin | None = None
    texts: Mapping[str, Texts] = field(default_factory=dict[str, Texts])
    roles: Roles | None = None
    when: Rule | None = None
    refusal: str = ""
    pairing: "Pairing | None" = None
    quotas: "Quotas | None" = None
    hear: int = 0
    merge: float = 0
    zone: str = "UTC"
    _understanding: "Understanding | None" = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        Router.__init__(self)
        optional_rule(self.when)
        if self.refusal and self.when is None:
            raise ValueError("refusal= needs a rule: write Bot(when=..., refusal=...)")
        check_functions({"roles": self.roles, "is_admin": self.is_admin})
        check_texts(self.texts)
        gates.check(self.pairing, self.quotas, self.hear, self.merge)
        self.zone = zone_name(self.zone)
        if self.zone != "UTC":
            day_of(0, self.zone)
        if self.pairing is not None:
            self.pairing.add_commands(self, self._has_role, self._texts)

    def apology_for(self, message: Message) -> str:
        """The apology for the sender of `message`, in their language unless `apology` is set. It may be empty."""
        return self._texts(message).apology if self.apology == BOTH.apology else self.apology

    def help(self, locale: str = "") -> str:
        """One line for each command that can be typed, in the language of `locale` if its `helps` have it."""
        typed = (command for command in self.commands.values() if not command.settings.get("menu"))
        return "\n".join(f"{command.usage}  {command.help_in(locale)}".rstrip() for command in typed)

    def specs(self) -> list[CommandSpec]:
        """The commands, for platforms that register them: aliases are for people who type. People stop a model too."""
        completed = {name: {option for of, option in self._completions if of == name} for name in self.commands}
        own = [command.spec(completed[command.name]) for command in self.commands.values()]
        return [*own, *stopping.specs((*self.commands, *self._aliases))] if self._conversing else own

    def instantly(self, message: Message) -> Instant | None:
        """The result of the instant function for `message`; None if there is none, or if the person may not use the
        command. The handler then gets the message, and the person reads why.

        Raises ResultError if the platform cannot show the result.
        """
        turn = Turn(message)
        is_known = self.pairing is None or self.pairing.admits_at_once(turn, self._has_role)
        if not is_known or not self._is_open_to(turn) or not self._may_open(turn):
            return None
        if message.action:
            from parley.bot.questions import form_for  # noqa: PLC0415  # most messages are no presses

            if form := form_for(message.action, self._texts(message)):
                return form
        command = message.command
        complete = self._quick(self._completions.get((command.name, command.focused)), turn) if command else None
        if command and complete:
            return Choices.of(finished(complete(command.typed)))
        name = command.name if command else message.action.id if message.action else ""
        function = self._quick(self._instants.get(name), turn)
        result: Instant | None = finished(function(message)) if function else None
        if result is not None:
            check_instant(result, message)
        return result

    def handle(self, turn: Turn) -> list[Reply]:
        """The replies of the bot in this turn. Exceptions of a handler are not caught.

        Raises ResultError if a reply is beyond a limit of its platform or of the journal (docs/limits.md). If a state
        or a reminder is, a person reads so (`runs.within_limits`).
        """
        turn.zone, turn.has_roles = self.zone, self.roles is not None
        return runs.within_limits(self._checked, turn, self._texts(turn.message))

    def _checked(self, turn: Turn) -> list[Reply]:
        """The replies, which can be stored and shown. Raises ResultError."""
        if self._conversing:
            turn.commands = self._offered(turn)
        returned = list(replies_of(self._run(turn)))
        replies = numbered.with_numbers(reactions_last([*turn.replies, *returned]), turn, self._texts(turn.message))
        check_result(replies, turn)
        check_forms(replies, turn.message, self._instants)
        turn.plans.asked(replies)
        turn.plans.check(self._reminders)
        check_plans(turn)
        return replies

    def understand(self, turn: Turn, text: str) -> list[Reply] | None:
        """The replies of the handler of the intent of `text`, for a command to return; None if it has no intent."""
        return self._understood().answer(turn, text)

    def _understood(self) -> "Understanding":
        from parley.bot.understanding import Understanding  # noqa: PLC0415  # most bots have no intents

        if self._understanding is None:
            self._understanding = Understanding(self._intents, self._texts, self._runs, self._call)
        return self._understanding

    def _run(self, turn: Turn) -> Replies:
        if turn.message.event == REMINDER:
            return self._remind(turn)
        if turn.message.event == SCHEDULED:
            return self._scheduled(turn)
        if turn.message.event == FAILED:
            return self._dialogues(turn).failed()
        if (stopped := stopping.stopped(turn, self._texts(turn.message))) is not None:
            return stopped
        if not is_decision(turn.message) and not self._is_open_to(turn):
            is_refused = turn.addressed and turn.message.kind != "event" and turn.message.sender.kind != "bot"
            return self.refusal if is_refused else None
        refused = gates.refusal(self.pairing, self.quotas, turn, self._has_role, self._texts(turn.message))
        if refused is not None:
            return refused
        if is_stop_command(turn.message) and not any(map(self._find, STOP_COMMANDS)):
            return stopping.nothing_runs(turn, self._texts(turn.message))
        answered = self._dialogues(turn).answered(self._find) if runs.may_answer(turn) else None
        return answered if answered is not None else numbered.pressed(turn, self._texts(turn.message), self._handled)

    def _handled(self, turn: Turn) -> Replies:
        for entry, given in self._matching(turn):
            takes, refusal = self._admission(entry, turn)
            if takes:
                return self._call(entry, turn, given, self._texts(turn.message)) if refusal is None else refusal
        return None

    def _matching(self, turn: Turn) -> Iterator[tuple[Entry, Arguments]]:
        """The handlers that match the message, in order, with their arguments."""
        message = turn.message
        if message.kind == "event":
            for name in events.names_of(message):
                for entry in self._events.get(name, ()):
                    yield entry, {}
            return
        for entry in self._named(message):
            yield entry, message.command.options if message.command else {}
        if message.action is not None:
            return
        # The text of a menu entry is another person's message: no command or pattern is read from it.
        if message.command is None:
            yield from self._matching_text(turn.text)
            if self._intents:
                yield from self._understood().matching(turn, turn.text)
        if message.kind == "message":
            yield from ((each.entry, {}) for each in self._conversing)
        for entry in self._fallbacks:
            yield entry, {}

    def _matching_text(self, text: str) -> Iterator[tuple[Entry, Arguments]]:
        typed = typed_command(text, self._find)
        if typed is not None:
            yield typed
        for pattern, entry in self._patterns:
            found = pattern.search(text)
            if found:
                yield entry, {key: value for key, value in found.groupdict().items() if value is not None}

    def _remind(self, turn: Turn) -> Replies:
        """The reminder that the message is. Raises as `runs.missing` if the bot does not have its handler."""
        reminder = turn.plans.take()
        if reminder is not None and reminder.handler == DIALOGUE:
            return self._dialogues(turn).waited(reminder)
        if reminder is None or not reminder.handler:
            return turn.text if reminder else None
        if reminder.handler not in self._reminders:
            raise runs.missing(f"@bot.reminder({reminder.handler!r})", turn)
        entries = (entry for entry in self._reminders[reminder.handler] if self._runs(entry, turn))
        found = next(entries, None)
        return self._call(found, turn, {}, self._texts(turn.message)) if found else None

    def timers(self, now: float) -> list[Timer]:
        """The timers of the handlers with `scheduled`, each for its next time after the unix second `now`."""
        return [schedule.timer(now) for schedule in self._schedules.values()]

    def _scheduled(self, turn: Turn) -> Replies:
        """Run the schedule that the message is for. Raises as `runs.missing` if the bot does not have it."""
        schedule = self._schedules.get(turn.message.id.partition("@")[0])
        if schedule is None:
            raise runs.missing("this schedule", turn)
        is_run = self._runs(schedule.entry, turn)
        return self._call(schedule.entry, turn, {}, self._texts(turn.message)) if is_run else None

    def _dialogues(self, turn: Turn) -> "OpenDialogues":
        from parley.bot.open_dialogues import OpenDialogues  # noqa: PLC0415  # most messages belong to no dialogue

        texts, admits = self._texts(turn.message), partial(self._holds, turn)
        return OpenDialogues(turn, texts, self._entries, self._call, admits, self._admission)

    def _entries(self) -> Iterator[Entry]:
        """All handlers that can have dialogues."""
        yield from self.commands.values()
        for table in (self._actions, self._events, self._reminders):
            for entries in table.values():
                yield from entries
        yield from (entry for _, entry in self._patterns)
        if self._intents:
            yield from (*self._intents.values(), self._understood().choice)
        yield from (schedule.entry for schedule in self._schedules.values())
        yield from self._fallbacks
        yield from (each.approved for each in self._conversing)

    def _offered(self, turn: Turn) -> "Commands":
        """The commands as a language model may call them."""
        from parley.bot.offers import Commands  # noqa: PLC0415  # most bots ask no model

        admits, texts = partial(self._holds, turn), self._texts(turn.message)
        return Commands(turn, texts, self.commands, self._admission, self._call, admits, self.quotas, self._reminders)

    def _admission(self, entry: Entry, turn: Turn) -> tuple[bool, str | None]:
        """Whether the handler takes the message, or else the next one gets it; and None if the person may use it, or
        the text for them, which may be empty. The rule goes before the access.
        """
        if self._runs(entry, turn):
            return True, entry.access.refusal(turn.message, self._admits, self._texts(turn.message))
        is_near = entry.scope is None or entry.scope.holds(turn, self._has_role)
        refusal = entry.refusal if is_near and turn.message.sender.kind != "bot" else ""
        return bool(refusal), refusal

    def _named(self, message: Message) -> list[Entry]:
        """The handlers of the action, or of the command that the platform has parsed. A typed command has none here."""
        if message.action is not None:
            return self._actions.get(message.action.id, [])
        called = self._called(message.command) if message.command else None
        return [called] if called else []

    def _called(self, command: Command) -> CommandHandler | None:
        """The handler of a command that the platform has parsed. A menu entry never calls a slash command of the same
        name: its argument is the id of another person's message.
        """
        found = self._find(command.name)
        return found if found and command.menu in ("", found.settings.get("menu", "")) else None

    def _may_open(self, turn: Turn) -> bool:
        """Whether a handler for the command or action runs and lets the person in, or there is no handler for it."""
        admissions = [self._admission(entry, turn) for entry in self._named(turn.message)]
        return next((refusal is None for takes, refusal in admissions if takes), not admissions)

    def _quick(self, found: list[Quick] | None, turn: Turn) -> Callable[[Any], Any] | None:
        """The first of these functions whose rule holds."""
        ruled = (each.handler for each in found or () if each.when is None or each.when.holds(turn, self._has_role))
        return next(ruled, None)

    def _is_open_to(self, turn: Turn) -> bool:
        """Whether the rule of the whole bot holds."""
        return self.when is None or self.when.holds(turn, self._has_role)

    def _runs(self, entry: Entry, turn: Turn) -> bool:
        """Whether the handler gets the message: its rule holds, and the message is none of a bot and, for a pattern or
        fallback, is for this bot, unless a rule decides that. The rule of the whole bot holds already.
        """
        rules = [rule for rule in (self.when, entry.when) if rule is not None]
        if turn.message.sender.kind == "bot" and not any(rule.admits_bots for rule in rules):
            return False  # two bots would answer each other without end
        if entry.listens and not turn.addressed and not any(rule.decides_addressed for rule in rules):
            return False
        return entry.when is None or entry.when.holds(turn, self._has_role)

    def _call(self, entry: Entry, turn: Turn, given: Arguments, texts: Texts) -> Replies:
        """The result of the handler, with the middleware around it, or what is wrong with its arguments."""
        try:
            given, arguments = runs.filled(entry, turn, given, texts)
        except ArgumentError as error:
            return runs.misread(entry, turn, error)
        run = partial(runs.run, entry, turn, arguments, given, texts, partial(self._holds, turn))
        for middleware in reversed((*self._middleware, *entry.around)):
            run = partial(runs.around, middleware, turn, run)
        return run()

    def _admits(self, message: Message) -> bool:
        """Whether the sender is an administrator."""
        return self._has_role(message, "admin")

    def _has_role(self, message: Message, role: str) -> bool:
        """Whether the platform, `is_admin` or `roles` say that the sender has the role."""
        if role == "admin" and (message.sender.admin is True or (self.is_admin and finished(self.is_admin(message)))):
            return True
        return self.roles is not None and role in names_of_roles(finished(self.roles(message)))

    def _holds(self, turn: Turn, rule: Rule | None, message: Message) -> bool:
        """Whether `rule` holds for a message, at the time of `turn`. None stands for the rule of the whole bot, and for
        its pairing if the message is that of the turn: pairings belong to an app.
        """
        if rule is None and message is turn.message and self.pairing and not self.pairing.knows(turn, self._has_role):
            return False
        rule = self.when if rule is None else rule
        return rule is None or rule.holds(turn.of(message), self._has_role)

    def _texts(self, message: Message) -> Texts:
        """The texts for the sender of `message`."""
        return texts_for(message.context.locale, {**LANGUAGES, **self.texts} if self.texts else LANGUAGES)
