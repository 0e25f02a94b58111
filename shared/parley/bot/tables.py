"""The tables of a router: the handlers by name, in the order in which a message tries them."""

# ruff: noqa: SLF001  # it reads the tables of routers
# pyright: reportPrivateUsage=false

from collections.abc import Container, Iterable, Iterator, Mapping
from inspect import isgeneratorfunction
from typing import TYPE_CHECKING, Any, TypeVar

from parley.bot.addressing import is_typable
from parley.bot.conversions import is_person
from parley.bot.handlers import CommandHandler, Entry, Handler, IntentHandler, Middleware, Quick, name_of, place_of
from parley.bot.rules import Rule
from parley.width import fold

if TYPE_CHECKING:
    from parley.bot.router import Router
    from parley.bot.schedules import Schedule

H = TypeVar("H", bound=Handler)
E = TypeVar("E", Entry, Quick)
K = TypeVar("K", str, tuple[str, str])


def check_includable(router: "Router", other: object) -> None:
    """Raise TypeError if `other` is a bot, whose settings would be lost, or no router at all. Raise ValueError if
    `router` has it, or would lose it.
    """
    from parley.bot.bot import Bot  # noqa: PLC0415  # a bot is a router itself
    from parley.bot.router import Router  # noqa: PLC0415

    if isinstance(other, Bot) or not isinstance(other, Router):
        raise TypeError(f"include takes a Router and no {type(other).__name__}: write Router()")
    if other is router or any(other is known for known in router._routers):
        raise ValueError("the router is included twice")
    if router._is_included:
        raise ValueError("this router is already included; include others in it before that")


def merge(router: "Router", other: "Router", when: Rule | None) -> None:
    """Add all handlers of `other` to `router`, under the rule `when`."""
    around = tuple(other._middleware)
    for command in other.commands.values():
        router._add_command(command.within(when, around))
    include(router._actions, other._actions, when, around)
    include(router._events, other._events, when, around)
    include(router._reminders, other._reminders, when, around)
    for schedule in other._schedules.values():
        add_schedule(router._schedules, schedule.within(when, around))
    for pattern, entry in other._patterns:
        router._add_pattern(pattern, entry.within(when, around))
    for conversing in other._conversing:
        router._add_conversing(conversing.within(when, around))
    for intent in other._intents.values():
        add_intent(router._intents, intent.within(when, around))
    for fallback in other._fallbacks:
        router._add_fallback(fallback.within(when, around))
    include(router._instants, other._instants, when, around)
    include(router._completions, other._completions, when, around)
    router._routers.append(other)
    other._is_included = True


def include(
    mine: dict[K, list[E]], others: dict[K, list[E]], when: Rule | None, around: tuple[Middleware, ...]
) -> None:
    """Add the entries of `others` to `mine`, under the rule `when`."""
    for name, entry in _each(others):
        add(mine, name, entry.within(when, around))


def _each(table: dict[K, list[E]]) -> Iterator[tuple[K, E]]:
    return ((name, entry) for name, entries in table.items() for entry in entries)


def add(table: dict[K, list[E]], name: K, entry: E) -> None:
    """Add an entry under `name`. Raises ValueError if no message reaches it."""
    found = table.setdefault(name, [])
    check_reached(repr(name), found, entry)
    check_distinct(found, entry)
    found.append(entry)


def check_reached(name: str, earlier: "list[E]", entry: E) -> None:
    """Raise ValueError if an earlier handler leaves no message to this one, because it has no rule."""
    for known in earlier:
        if known.when is None:
            both = f"{place_of(known.handler)} and {place_of(entry.handler)}"
            raise ValueError(f"two handlers for {name}: {both}; give the first one a rule (when=...), or remove one")


def check_distinct(earlier: "Iterable[E]", entry: E) -> None:
    """Raise ValueError if an answer to a question of one handler could reach another one: they have one name, and are
    registered for the same.
    """
    for known in earlier:
        if known.handler == entry.handler or not isinstance(known, Entry) or not isinstance(entry, Entry):
            continue
        asks = isgeneratorfunction(known.handler) or isgeneratorfunction(entry.handler)
        if asks and (name_of(known.handler), known.registered) == (name_of(entry.handler), entry.registered):
            both = f"{place_of(known.handler)} and {place_of(entry.handler)}"
            raise ValueError(f"two handlers for {entry.registered!r} ask questions with one name: {both}; rename one")


def add_schedule(table: "dict[str, Schedule]", schedule: "Schedule") -> None:
    """Add a schedule. Raises ValueError if it is there already, or its handler is not distinct."""
    if schedule.id in table:
        raise ValueError(f"{place_of(schedule.entry.handler)}: the same schedule twice")
    check_distinct((known.entry for known in table.values()), schedule.entry)
    table[schedule.id] = schedule


def filled(entry: Entry, groups: Container[str] = ()) -> Entry:
    """`entry`, whose arguments are the named groups of a pattern, or none. Raises TypeError for a required argument
    that nothing fills. Mentioned persons come from a text.
    """
    for parameter in entry.signature.parameters:
        is_mentioned = entry.listens and is_person(parameter.type)
        if parameter.required and parameter.name not in groups and not is_mentioned:
            way = f"write (?P<{parameter.name}>...) in the pattern" if groups else "read `turn.text` or `turn.message`"
            raise TypeError(f"{place_of(entry.handler)}: nothing fills {parameter.name!r}; {way}, or give it a default")
    return entry


def asks_nobody(handler: H) -> H:
    """`handler` of AWS events. Raises ValueError if it asks questions."""
    if isgeneratorfunction(handler):
        raise ValueError(
            f"{place_of(handler)}: an event has no person who answers; send a card with buttons, and write @bot.action "
            "for them"
        )
    return handler


def check_names(decorator: str, *names: object) -> None:
    """Raise TypeError if a decorator gets no name, or is used without its parentheses: then it gets the handler."""
    if not names:
        raise TypeError(f'@bot.{decorator} needs a name: write @bot.{decorator}("...")')
    if any(callable(name) for name in names):
        raise TypeError(f"write @bot.{decorator}(...), with parentheses")


def check_settings(decorator: str, settings: Mapping[str, object], known: Any, *more: str) -> None:
    """Raise TypeError for settings that the TypedDict `known` does not have, and for those that it requires. `more`:
    the other settings of the decorator.
    """
    required, names = known.__required_keys__, {*known.__required_keys__, *known.__optional_keys__, *more}
    for missing in sorted(required - settings.keys()):
        raise TypeError(f"@bot.{decorator} needs {missing}: write @bot.{decorator}({missing}=...)")
    for wrong in sorted(settings.keys() - names):
        raise TypeError(f"@bot.{decorator} has no setting {wrong!r}; it has {', '.join(sorted(names))}")


def add_command(
    commands: dict[str, CommandHandler], aliases: dict[str, CommandHandler], command: CommandHandler
) -> None:
    """Add a command to `commands`, and its further names to `aliases`. Raises ValueError for a name that is used."""
    for name in (command.name, *command.aliases):
        known = commands.get(name) or aliases.get(name)
        if known is not None:
            both = f"{place_of(known.handler)} and {place_of(command.handler)}"
            raise ValueError(f"two handlers for the command /{name}: {both}; give one of them another name")
        if name.startswith(("/", "／")):
            raise ValueError(f"{place_of(command.handler)}: write the name {name!r} without its slash")
        is_menu = bool(command.settings.get("menu")) and name == command.name
        if not is_menu and not is_typable(name):
            raise ValueError(
                f"{place_of(command.handler)}: nobody can type the name {name!r}: write one to three words, with one "
                "space between them and no punctuation"
            )
    commands[command.name] = command
    aliases |= dict.fromkeys(command.aliases, command)


def folded(
    commands: Mapping[str, CommandHandler], aliases: Mapping[str, CommandHandler], name: str
) -> CommandHandler | None:
    """The command whose name or alias differs from `name` in case or width only. Entries of menus are not typed."""
    wanted = fold(name)
    typed = (each for each in commands.items() if not each[1].settings.get("menu"))
    return next((command for known, command in (*typed, *aliases.items()) if fold(known) == wanted), None)


def add_intent(table: dict[str, IntentHandler], intent: IntentHandler) -> None:
    """Add an intent. Raises ValueError for a name, an example or a label that another one has."""
    place = place_of(intent.handler)
    if intent.name in table:
        raise ValueError(f"two intents {intent.name!r}: {place_of(table[intent.name].handler)} and {place}")
    for known in table.values():
        shared = _words(intent) & _words(known)
        if shared:
            both = f"{known.name!r} and {intent.name!r}"
            raise ValueError(f"{place}: the intents {both} share {min(shared)!r}; give it to one of them")
    table[intent.name] = intent


def _words(intent: IntentHandler) -> set[str]:
    return {" ".join(each.casefold().split()) for each in (*intent.examples, *intent.labels.values())}
