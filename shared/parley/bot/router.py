"""Handlers for commands, actions, events and patterns, in one file of a bot or in several."""

import re
from collections.abc import Callable, Iterable
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from msgspec.structs import replace

from parley.bot import events, tables
from parley.bot.access import Access
from parley.bot.functions import check_function, check_handler
from parley.bot.handlers import (
    CommandHandler,
    Completion,
    Entry,
    Handler,
    InstantHandler,
    IntentHandler,
    Middleware,
    Offer,
    Quick,
    place_of,
)
from parley.bot.rules import Rule, optional_rule
from parley.model import Destination, Message
from parley.model.aws_events import event_name
from parley.model.commands import CommandSettings
from parley.model.instant import Form

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from parley.bot.converse import ConverseSettings, Conversing, Extra
    from parley.bot.intents import IntentSettings
    from parley.bot.schedules import Schedule

H = TypeVar("H", bound=Handler)
I = TypeVar("I", bound=InstantHandler)  # noqa: E741
C = TypeVar("C", bound=Completion)
M = TypeVar("M", bound=Middleware)


class Router:
    """Handlers of a bot. A bot is a router, and can include others, so that it can be split into files.

    `when=` in each decorator is a rule (`parley.bot.rules`). A handler whose rule does not hold is passed over, and the
    next one that matches gets the message. With `refusal=`, the person reads that text instead.
    """

    __slots__ = (
        "_actions",
        "_aliases",
        "_completions",
        "_conversing",
        "_events",
        "_fallbacks",
        "_instants",
        "_intents",
        "_is_included",
        "_middleware",
        "_patterns",
        "_reminders",
        "_routers",
        "_schedules",
        "commands",
    )

    def __init__(self) -> None:
        self.commands: dict[str, CommandHandler] = {}
        self._aliases: dict[str, CommandHandler] = {}
        self._actions: dict[str, list[Entry]] = {}
        self._events: dict[str, list[Entry]] = {}
        self._reminders: dict[str, list[Entry]] = {}
        self._schedules: dict[str, Schedule] = {}
        self._patterns: list[tuple[re.Pattern[str], Entry]] = []
        self._conversing: list[Conversing] = []
        self._intents: dict[str, IntentHandler] = {}
        self._fallbacks: list[Entry] = []
        self._instants: dict[str, list[Quick]] = {}
        self._completions: dict[tuple[str, str], list[Quick]] = {}
        self._middleware: list[Middleware] = []
        self._routers: list[Router] = []
        self._is_included = False

    def command(
        self,
        name: str = "",
        *,
        help: str = "",  # noqa: A002
        aliases: tuple[str, ...] = (),
        when: Rule | None = None,
        refusal: str = "",
        tool: Offer = None,
        **settings: Unpack[CommandSettings],
    ) -> Callable[[H], H]:
        """Handle `/name ARGUMENTS`. The default name is the function's, the default help its docstring's first line.

        `aliases` are further names that people can type. `admin` and `rooms_only` hold on every platform
        (`CommandSpec`). `tool`: whether a language model may call it (`converse`): False hides it, `"approve"` lets the
        person confirm each call, an `Approve` lets others decide; by default, commands of administrators are confirmed,
        and all others are called. The other `settings` are for platforms that register commands: translations, menus,
        installations.
        """
        tables.check_names("command", name)
        if isinstance(aliases, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f'write aliases=("{aliases}",)')
        tables.check_settings("command", settings, CommandSettings, "aliases", "help", "refusal", "tool", "when")
        access = Access.of(admin=settings.get("admin", False), rooms_only=settings.get("rooms_only", False))

        def register(handler: H) -> H:
            check_handler(handler)
            doc = help or next(iter((handler.__doc__ or "").strip().splitlines()), "")
            called = name or handler.__name__
            known: dict[str, Any] = {"name": called, "registered": f"/{called}", "help": doc, "settings": settings}
            known |= {"aliases": aliases, "tool": tool, "refusal": refusal}
            self._check_open(handler)
            self._add_command(CommandHandler.of(handler, when, access=access, **known))
            return handler

        return register

    def action(
        self, *ids: str, admin: bool = False, rooms_only: bool = False, when: Rule | None = None, refusal: str = ""
    ) -> Callable[[H], H]:
        """Handle a press of a button, or a submitted form, with one of these ids.

        `admin` and `rooms_only` mean the same as for a command. Everybody in a room can press a button there, and ids
        and values come from outside: see `parley.bot.Signer`.
        """
        tables.check_names("action", *ids)
        access = Access.of(admin=admin, rooms_only=rooms_only)
        return self._registrar("action", self._actions, ids, when, access, refusal)

    def event(self, *names: str, when: Rule | None = None) -> Callable[[H], H]:
        """Handle events with these names: portable ones (docs/events.md), or the platform's own, which go first.

        Raises ValueError for a misspelled portable name.
        """
        tables.check_names("event", *names)
        for name in names:
            events.check_name(name)
        return self._registrar("event", self._events, names, when, Access())

    def reminder(self, *names: str, when: Rule | None = None) -> Callable[[H], H]:
        """Handle reminders that were set with `turn.remind(..., handler=name)`. `turn.text` is the reminder's text."""
        tables.check_names("reminder", *names)
        return self._registrar("reminder", self._reminders, names, when, Access())

    def scheduled(
        self,
        cron: str,
        *,
        to: Destination | Iterable[Destination],
        zone: "str | ZoneInfo" = "UTC",
        when: Rule | None = None,
    ) -> Callable[[H], H]:
        """Run the handler at the times of a `cron` expression in the time zone `zone`, in each conversation of `to`.

        Its replies go there. Raises ValueError, also for a group webhook: reply with `Reply(to=...)` to one.
        """
        from parley.bot.schedules import Schedule, checked  # noqa: PLC0415  # most bots have no schedules

        zone, places = checked(cron, zone, to)

        def register(handler: H) -> H:
            self._check_open(handler)
            entry = tables.filled(Entry.of(handler, when, registered=f"schedule {cron}"))
            for place in places:
                tables.add_schedule(self._schedules, Schedule.of(entry, cron, zone, place))
            return handler

        return register

    def incoming(self, source: str, detail_type: str, *, when: Rule | None = None) -> Callable[[H], H]:
        """Handle AWS events with this `source` and `detail-type`. `turn.message.raw` is the event, as in EventBridge.

        An event belongs to no conversation with people: each reply needs a destination, `Reply(..., to=...)`.
        """
        tables.check_names("incoming", source, detail_type)
        if not source or not detail_type:
            raise ValueError('write @bot.incoming("aws.cloudwatch", "CloudWatch Alarm State Change")')
        register = self._registrar("event", self._events, (event_name(source, detail_type),), when, Access())
        return lambda handler: register(tables.asks_nobody(handler))

    def pattern(self, pattern: str, *, when: Rule | None = None) -> Callable[[H], H]:
        """Handle text in which the regular expression is found. Its named groups are the handler's arguments.

        In a room, the text has to be for the bot, unless `when` decides that (`rules.anything`).
        """
        tables.check_names("pattern", pattern)

        def register(handler: H) -> H:
            self._check_open(handler)
            expression = re.compile(pattern)
            entry = Entry.of(handler, when, listens=True, registered=f"pattern {pattern}")
            self._add_pattern(expression, tables.filled(entry, expression.groupindex))
            return handler

        return register

    def intent(self, name: str, **settings: "Unpack[IntentSettings]") -> Callable[[H], H]:
        """Handle texts that mean the same as the `examples`: see `parley.bot.intents`.

        The parameters are dates, durations, numbers, choices and mentioned persons that are found in the text.
        """
        tables.check_names("intent", name)
        from parley.bot.intents import intent_handler  # noqa: PLC0415  # most bots have no intents

        def register(handler: H) -> H:
            self._check_open(handler)
            tables.add_intent(self._intents, intent_handler(handler, name, settings))
            return handler

        return register

    def converse(
        self, *, when: Rule | None = None, **settings: "Unpack[ConverseSettings]"
    ) -> "Callable[[Extra], Extra]":
        """Let a language model answer what no command, action, pattern or intent takes: see `parley.bot.converse`.

        The function gets the turn, and returns what the model shall know beside `system`; it may be empty.
        """
        from parley.bot.converse import Conversing, command_of  # noqa: PLC0415  # most bots ask no model

        def register(function: "Extra") -> "Extra":
            self._check_open(function)
            conversing = Conversing.of(function, when, settings)
            self._add_conversing(conversing)
            if conversing.command:
                self._add_command(command_of(conversing))
            return function

        return register

    @overload
    def fallback(self, handler: H) -> H: ...

    @overload
    def fallback(self, *, when: Rule | None = None) -> Callable[[H], H]: ...

    def fallback(self, handler: H | None = None, *, when: Rule | None = None) -> H | Callable[[H], H]:
        """Handle every message of a person that no other handler matches.

        In a room, the message has to be for the bot, unless `when` decides that (`rules.anything`).
        """

        def register(handler: H) -> H:
            self._check_open(handler)
            self._add_fallback(tables.filled(Entry.of(handler, when, listens=True, registered="fallback")))
            return handler

        return register if handler is None else register(handler)

    def completion(self, command: str, option: str, *, when: Rule | None = None) -> Callable[[C], C]:
        """Complete an option of a command while it is typed. The function gets the text so far and returns values to
        choose from. It must be as fast and pure as an instant function.
        """

        def register(function: C) -> C:
            self._check_open(function)
            tables.add(self._completions, (command, option), Quick.of(function, when, "typed"))
            return function

        return register

    def instant(self, *names: str, when: Rule | None = None) -> Callable[[I], I]:
        """Answer within the callback: with the form that a command of one of these names (or an action of one of these
        ids) opens, or with completions. The function must be pure and fast: it runs in the callback function, has no
        state, and its result is dropped after a second. With None the other handlers get the message.
        """
        tables.check_names("instant", *names)

        def register(function: I) -> I:
            self._check_open(function)
            for name in names:
                tables.add(self._instants, name, Quick.of(function, when, "message"))
            return function

        return register

    def form(self, form: Form) -> Form:
        """Declare a form that cards show (`Card.form`), also with another `value`. Its submission is an action with the
        id of the form. Discord opens it when a person presses its button, and needs the declaration for that.
        """

        def opened(message: Message) -> Form | None:
            return replace(form, value=message.action.value) if message.action else None

        self.instant(form.id)(opened)
        return form

    def middleware(self, function: M) -> M:
        """Run `function(turn, handle)` around each handler of this router and of those that it includes.

        `handle()` runs the handler and returns its replies. The function returns the replies to send, as a handler
        does. The first one that is defined is the outermost. Refusals and wrong arguments run no handler, and so no
        middleware. Nor do instant functions and completions.
        """
        self._check_open(function)
        check_function("a middleware", function, "turn", "handle")
        if iscoroutinefunction(function):
            raise TypeError(f"{place_of(function)}: write `def`; handle() waits for asynchronous handlers")
        self._middleware.append(function)
        return function

    def include(self, router: "Router", *, when: Rule | None = None) -> None:
        """Add all handlers of `router`, under the rule `when`. Its middleware runs around its own handlers only.

        Include a router after its handlers are defined: a later one raises ValueError. A bot is not included: its
        settings, such as `when` and `roles`, are for all of its handlers.
        """
        tables.check_includable(self, router)
        optional_rule(when)
        tables.merge(self, router, when)

    def _check_open(self, handler: Callable[..., Any]) -> None:
        if self._is_included:
            raise ValueError(f"{place_of(handler)}: the router is already included; define its handlers before that")

    def _add_command(self, command: CommandHandler) -> None:
        tables.add_command(self.commands, self._aliases, command)

    def _find(self, name: str) -> CommandHandler | None:
        """The command with this name or alias."""
        return self.commands.get(name) or self._aliases.get(name) or tables.folded(self.commands, self._aliases, name)

    def _add_fallback(self, entry: Entry) -> None:
        tables.check_reached("fallback", self._fallbacks, entry)
        tables.check_distinct(self._fallbacks, entry)
        self._fallbacks.append(entry)

    def _add_pattern(self, pattern: re.Pattern[str], entry: Entry) -> None:
        tables.check_distinct((known for _, known in self._patterns), entry)
        self._patterns.append((pattern, entry))

    def _add_conversing(self, conversing: "Conversing") -> None:
        tables.check_distinct((known.approved for known in self._conversing), conversing.approved)
        self._conversing.append(conversing)

    def _registrar(
        self,
        kind: str,
        table: dict[str, list[Entry]],
        names: tuple[str, ...],
        when: Rule | None,
        access: Access,
        refusal: str = "",
    ) -> Callable[[H], H]:
        def register(handler: H) -> H:
            self._check_open(handler)
            entry = tables.filled(Entry.of(handler, when, access=access, refusal=refusal))
            for name in names:
                tables.add(table, name, replace(entry, registered=f"{kind} {name}"))
            return handler

        return register
