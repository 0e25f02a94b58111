"""The commands as Discord's client offers them: with the persons, roles and channels that an option may be."""

from typing import TYPE_CHECKING, Any

from playground.platforms.discord.accounts import ROLES
from playground.platforms.discord.typed import CHANNEL, MENTIONABLE, ROLE, USER

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

Option = dict[str, Any]


def with_choices(discord: "Discord", command: Option) -> Option:
    """`command`, the choices of each option filled in."""
    options = [with_choices(discord, option) for option in command.get("options") or ()]
    choices = _choices(discord, command) if command["type"] in (USER, CHANNEL, ROLE, MENTIONABLE) else []
    return command | ({"options": options} if options else {}) | ({"choices": choices} if choices else {})


def _choices(discord: "Discord", option: Option) -> list[Option]:
    people = [{"name": f"@{person.name}", "value": person.id} for person in discord.persons.values()]
    roles = [{"name": f"@{name}", "value": id_} for id_, name in ROLES.items()]
    rooms = [r for r in discord.rooms.values() if r.kind == "group"]
    channels = [{"name": f"#{room.name}", "value": room.id} for room in rooms]
    return {USER: people, ROLE: roles, MENTIONABLE: people + roles, CHANNEL: channels}[option["type"]]
