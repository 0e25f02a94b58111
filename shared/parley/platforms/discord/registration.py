"""Registration of commands: the differences to the registered ones, and the calls that apply them.

Discord docs: Application Commands › Registering a Command. Only differences are applied, one command at a time.
Discord allows 200 creations a day, and a replacement of all commands also deletes those of other programs.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from parley.adapter import IDEMPOTENT, App, Call
from parley.platforms.discord.api import BOT, api_call
from parley.platforms.discord.commands import Definition
from parley.platforms.discord.config import Config
from parley.untrusted import integer, mapping, text

_ENTRY_POINT = 4
"""Type of the command that opens an application's activity. Parley never registers or deletes one."""
_PREFIXES = {1: "/", 2: "person: ", 3: "message: "}
_DEFAULTS: Definition = {
    "name_localizations": None,
    "description_localizations": None,
    "options": [],
    "default_member_permissions": None,
}
"""The values of fields that a definition does not contain."""
_COMPARED = frozenset(
    "type name name_localizations description description_localizations required autocomplete choices value options "
    "min_value max_value min_length max_length".split()
)
"""Fields of an option or a choice that are compared."""


@dataclass(frozen=True, slots=True)
class Change:
    """An update of the command `id`. `fields`: the names of the fields that differ."""

    id: str
    wanted: Definition
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes to the registered commands. `delete` has Discord's definitions."""

    create: tuple[Definition, ...] = ()
    update: tuple[Change, ...] = ()
    delete: tuple[Definition, ...] = ()

    def lines(self) -> Iterator[str]:
        """One readable line for each change."""
        yield from (f"- {_label(definition)}" for definition in self.delete)
        yield from (f"~ {_label(change.wanted)}: {', '.join(change.fields)}" for change in self.update)
        yield from (f"+ {_label(definition)}" for definition in self.create)


def plan(existing: Iterable[Mapping[str, Any]], wanted: Iterable[Definition], *, guild: bool = False) -> Plan:
    """The changes from `existing`, Discord's list, to `wanted`. The commands of a guild have no contexts."""
    registered = {
        _key(definition): dict(definition) for definition in existing if definition.get("type") != _ENTRY_POINT
    }
    ours = {_key(definition): _in_guild(definition) if guild else definition for definition in wanted}
    changes = ((registered[key], definition) for key, definition in ours.items() if key in registered)
    updates = (Change(text(old.get("id")), new, _different(old, new)) for old, new in changes)
    return Plan(
        create=tuple(definition for key, definition in ours.items() if key not in registered),
        update=tuple(change for change in updates if change.fields),
        delete=tuple(definition for key, definition in registered.items() if key not in ours),
    )


def listing(app: App, guild: str = "") -> Call:
    """The call that lists the registered commands, with translations."""
    return _call("commands", "GET", app, guild, query={"with_localizations": "true"})


def calls(changes: Plan, app: App, guild: str = "") -> Iterator[Call]:
    """The calls that apply `changes`. Deletions come first, because the number of commands is limited."""
    for definition in changes.delete:
        yield _call("delete_command", "DELETE", app, guild, f"/{text(definition.get('id'))}")
    for change in changes.update:
        fields = {name: value for name, value in {**_DEFAULTS, **change.wanted}.items() if name != "type"}
        if "description" not in change.wanted:
            fields.pop("description_localizations")
            fields.pop("options")
        yield _call("update_command", "PATCH", app, guild, f"/{change.id}", json=fields)
    for definition in changes.create:
        yield _call("create_command", "POST", app, guild, json=definition)


def _call(name: str, method: str, app: App, guild: str, path: str = "", **more: Any) -> Call:
    """A call of the registration API. All are idempotent: creating an existing command overwrites it."""
    config: Config = app.config
    place = f"/guilds/{guild}" if guild else ""
    path = f"/applications/{config.application_id}{place}/commands{path}"
    return api_call(config, name, method, path, auth=BOT, idempotent_for=IDEMPOTENT, **more)


def _key(definition: Mapping[str, Any]) -> tuple[int, str]:
    return integer(definition.get("type")) or 1, text(definition.get("name"))


def _in_guild(definition: Definition) -> Definition:
    return {name: value for name, value in definition.items() if name not in ("contexts", "integration_types")}


def _different(old: Mapping[str, Any], new: Definition) -> tuple[str, ...]:
    """The names of the fields in which the definitions differ. A field that ours leaves to Discord is not compared."""
    fields = [name for name in {**_DEFAULTS, **new} if name != "type"]
    if "description" not in new:
        fields = [name for name in fields if name not in ("options", "description_localizations")]
    return tuple(name for name in fields if _normalised(old.get(name)) != _normalised(new.get(name)))


def _normalised(value: Any) -> Any:
    """`value` in a form that can be compared.

    Discord leaves out a field that is not set, or returns null, false or an empty value. It returns contexts in any
    order. It may add fields to an option that this version does not know.
    """
    if isinstance(value, dict):
        entries = mapping(cast("object", value))
        known = {name: entry for name, entry in entries.items() if name in _COMPARED or "name" not in entries}
        return {name: _normalised(entry) for name, entry in known.items() if _is_set(entry)} or None
    if isinstance(value, list):
        items = [_normalised(item) for item in cast("list[Any]", value)]
        return (sorted(items) if all(isinstance(item, int) for item in items) else items) or None
    return value if _is_set(value) else None


def _is_set(value: Any) -> bool:
    """Whether the value is not null, false or empty. Zero counts as set."""
    return value is not None and value is not False and value not in ("", [], {})


def _label(definition: Mapping[str, Any]) -> str:
    type_, name = _key(definition)
    return f"{_PREFIXES.get(type_, '')}{name}"
