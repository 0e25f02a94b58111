"""The tables of a router: the handlers by name, in the order in which a message tries them."""

from collections.abc import Iterable, Iterator
from inspect import isgeneratorfunction
from typing import TYPE_CHECKING, TypeVar

from parley.bot.handlers import CommandHandler, Entry, IntentHandler, Middleware, Quick, name_of, place_of
from parley.bot.rules import Rule

if TYPE_CHECKING:
    from parley.bot.schedules import Schedule

E = TypeVar("E", Entry, Quick)
K = TypeVar("K", str, tuple[str, str])


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


def check_names(decorator: str, *names: object) -> None:
    """Raise TypeError if a decorator gets no name, or is used without its parentheses: then it gets the handler."""
    if not names:
        raise TypeError(f'@bot.{decorator} needs a name: write @bot.{decorator}("...")')
    if any(callable(name) for name in names):
        raise TypeError(f"write @bot.{decorator}(...), with parentheses")


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
    commands[command.name] = command
    aliases |= dict.fromkeys(command.aliases, command)


def add_schedule(table: "dict[str, Schedule]", schedule: "Schedule") -> None:
    """Add a schedule. Raises ValueError if it is there already, or its handler is not distinct."""
    if schedule.id in table:
        raise ValueError(f"{place_of(schedule.entry.handler)}: the same schedule twice")
    check_distinct((known.entry for known in table.values()), schedule.entry)
    table[schedule.id] = schedule


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
