"""Registering commands: what would change, and the calls that change it.

Discord docs: Application Commands › Registering a Command. Creations are limited to 200 a day, and replacing all at
once deletes whatever others have registered: so only differences are applied, one command at a time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from parley.adapter import IDEMPOTENT, App, Auth, Call
from parley.platforms.discord.commands import Definition
from parley.platforms.discord.config import Config
from parley.untrusted import integer, mapping, text

_AUTH = Auth("header", "Authorization", "Bot ")
_ENTRY_POINT = 4
"""The command that opens an application's activity: never ours."""
_SIGNS = {1: "/", 2: "person: ", 3: "message: "}
_ABSENT: Definition = {
    "name_localizations": None,
    "description_localizations": None,
    "options": [],
    "default_member_permissions": None,
}
"""What a definition that does not say otherwise means."""
_KNOWN = frozenset(
    "type name name_localizations description description_localizations required autocomplete choices value options "
    "min_value max_value min_length max_length".split()
)
"""What can be said of an option or a choice."""


@dataclass(frozen=True, slots=True)
class Change:
    """An update of the command `id`. `fields`: what is different."""

    id: str
    wanted: Definition
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to happen. `delete` holds the definitions as Discord has them."""

    create: tuple[Definition, ...] = ()
    update: tuple[Change, ...] = ()
    delete: tuple[Definition, ...] = ()

    def lines(self) -> Iterator[str]:
        """For people: one line a change."""
        yield from (f"- {_shown(definition)}" for definition in self.delete)
        yield from (f"~ {_shown(change.wanted)}: {', '.join(change.fields)}" for change in self.update)
        yield from (f"+ {_shown(definition)}" for definition in self.create)


def plan(existing: Iterable[Mapping[str, Any]], wanted: Iterable[Definition], *, guild: bool = False) -> Plan:
    """What turns `existing`, Discord's list, into `wanted`. In a guild, commands know no contexts."""
    there = {_key(definition): dict(definition) for definition in existing if definition.get("type") != _ENTRY_POINT}
    ours = {_key(definition): _in_guild(definition) if guild else definition for definition in wanted}
    changes = ((there[key], definition) for key, definition in ours.items() if key in there)
    updates = (Change(text(old.get("id")), new, _different(old, new)) for old, new in changes)
    return Plan(
        create=tuple(definition for key, definition in ours.items() if key not in there),
        update=tuple(change for change in updates if change.fields),
        delete=tuple(definition for key, definition in there.items() if key not in ours),
    )


def listing(app: App, guild: str = "") -> Call:
    """The call that tells what is registered, with translations."""
    return _call("commands", "GET", app, guild, query={"with_localizations": "true"})


def calls(changes: Plan, app: App, guild: str = "") -> Iterator[Call]:
    """The calls that carry `changes` out, deletions first: they make room."""
    for definition in changes.delete:
        yield _call("delete_command", "DELETE", app, guild, f"/{text(definition.get('id'))}")
    for change in changes.update:
        fields = {name: value for name, value in {**_ABSENT, **change.wanted}.items() if name != "type"}
        if "description" not in change.wanted:
            fields.pop("description_localizations")
            fields.pop("options")
        yield _call("update_command", "PATCH", app, guild, f"/{change.id}", json=fields)
    for definition in changes.create:
        yield _call("create_command", "POST", app, guild, json=definition)


def _call(name: str, method: str, app: App, guild: str, path: str = "", **more: Any) -> Call:
    """All of them may be repeated: creating what is there overwrites it."""
    config: Config = app.config
    place = f"/guilds/{guild}" if guild else ""
    url = f"{config.host}/applications/{config.application_id}{place}/commands{path}"
    headers = {"User-Agent": config.user_agent}
    return Call(name=name, method=method, url=url, auth=_AUTH, headers=headers, idempotent_for=IDEMPOTENT, **more)


def _key(definition: Mapping[str, Any]) -> tuple[int, str]:
    return integer(definition.get("type")) or 1, text(definition.get("name"))


def _in_guild(definition: Definition) -> Definition:
    return {name: value for name, value in definition.items() if name not in ("contexts", "integration_types")}


def _different(old: Mapping[str, Any], new: Definition) -> tuple[str, ...]:
    """The fields in which Discord's definition is not ours. What we leave to Discord is never different."""
    fields = [name for name in {**_ABSENT, **new} if name != "type"]
    if "description" not in new:
        fields = [name for name in fields if name not in ("options", "description_localizations")]
    return tuple(name for name in fields if _meant(old.get(name)) != _meant(new.get(name)))


def _meant(value: Any) -> Any:
    """A value in one spelling: Discord leaves out, or gives as null, false or empty, what is not so, in any order of
    contexts, and may come to tell of an option what we know nothing of.
    """
    if isinstance(value, dict):
        entries = mapping(cast("object", value))
        known = {name: each for name, each in entries.items() if name in _KNOWN or "name" not in entries}
        return {name: _meant(each) for name, each in known.items() if _says(each)} or None
    if isinstance(value, list):
        items = [_meant(item) for item in cast("list[Any]", value)]
        return (sorted(items) if all(isinstance(item, int) for item in items) else items) or None
    return value if _says(value) else None


def _says(value: Any) -> bool:
    """Whether it says anything; a zero does."""
    return value is not None and value is not False and value not in ("", [], {})


def _shown(definition: Mapping[str, Any]) -> str:
    type_, name = _key(definition)
    return f"{_SIGNS.get(type_, '')}{name}"
