"""The API for commands. Facts: Discord docs, Application Commands › Endpoints, Naming."""

import json
import re
from typing import TYPE_CHECKING, Any

from playground.platforms.discord.accounts import GUILD, Account
from playground.platforms.discord.errors import UNKNOWN_COMMAND, DiscordError, invalid, not_found
from playground.platforms.discord.payload import read
from playground.platforms.exchange import Request, Response

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

MAX_PER_DAY = 200
"""Commands that may be created in a day."""
MAX_COMMANDS = {1: 100, 2: 15, 3: 15}
_NAME = re.compile(r"[-_'\w\u0900-\u097f\u0e00-\u0e7f]{1,32}")
_SLASH, _SUB_COMMAND, _GROUP = 1, 1, 2
_OPTIONS, _CHOICES, _CHARACTERS, _HELP = 25, 25, 8000, 100


def application(_discord: "Discord", account: Account, _request: Request) -> Response:
    """`GET /applications/@me` (Discord docs: Application › Get Current Application)."""
    key = {"verify_key": account.key.verify_key.encode().hex()} if account.key else {}
    return Response.of({"id": account.application_id, "name": account.name, **key})


def listing(_discord: "Discord", account: Account, _request: Request, guild: str = "") -> Response:
    """`GET .../commands`."""
    _check_guild(guild)
    return Response.of([c for c in account.commands.values() if c.get("guild_id", "") == guild])


def create(discord: "Discord", account: Account, request: Request, guild: str = "") -> Response:
    """`POST .../commands`: replaces a command with the same name and type."""
    _check_guild(guild)
    command, made = _put(discord, account, read(request).json, guild)
    return Response.of(command, 201 if made else 200)


def replace(discord: "Discord", account: Account, request: Request, guild: str = "") -> Response:
    """`PUT .../commands`: deletes the commands that are not in the list."""
    _check_guild(guild)
    try:
        wanted = json.loads(request.body)
    except ValueError:
        raise DiscordError(400, 50109, "The request body contains invalid JSON.") from None
    for each in wanted:
        check(each)
    keys = {(each.get("type", _SLASH), each["name"]) for each in wanted}
    removed = [
        c for c in account.commands.values() if c.get("guild_id", "") == guild and (c["type"], c["name"]) not in keys
    ]
    for command in removed:
        del account.commands[command["id"]]
    return Response.of([_put(discord, account, each, guild)[0] for each in wanted])


def update(_discord: "Discord", account: Account, request: Request, *where: str) -> Response:
    """`PATCH .../commands/:id`."""
    command = _command(account, *where)
    changed = command | read(request).json
    check(changed)
    account.commands[command["id"]] = changed
    return Response.of(changed)


def delete(_discord: "Discord", account: Account, _request: Request, *where: str) -> Response:
    """`DELETE .../commands/:id`."""
    del account.commands[_command(account, *where)["id"]]
    return Response(204)


def _command(account: Account, *where: str) -> dict[str, Any]:
    """`where`: the guild, if any, and the command's id."""
    guild = where[0] if len(where) == 2 else ""
    command = account.commands.get(where[-1])
    if command is None or command.get("guild_id", "") != guild:
        raise not_found(UNKNOWN_COMMAND, "application command")
    return command


def _check_guild(guild: str) -> None:
    if guild not in ("", GUILD):
        raise DiscordError(403, 50001, "Missing Access")


def _put(discord: "Discord", account: Account, new: dict[str, Any], guild: str) -> tuple[dict[str, Any], bool]:
    check(new)
    if guild and ("contexts" in new or "integration_types" in new):
        message = "Contexts and integration types are not allowed on guild commands"
        raise invalid("contexts", "APPLICATION_COMMAND_INVALID_CONTEXTS", message)
    kind, now = new.get("type", _SLASH), discord.clock()
    same = [c for c in account.commands.values() if c.get("guild_id", "") == guild and c["type"] == kind]
    old = next((c for c in same if c["name"] == new["name"]), None)
    if old is None:
        if len(same) >= MAX_COMMANDS[kind]:
            raise DiscordError(400, 30032, f"Maximum number of application commands reached ({MAX_COMMANDS[kind]}).")
        account.created = [at for at in account.created if at > now - 86_400]
        if len(account.created) >= MAX_PER_DAY:
            raise DiscordError(400, 30034, "Max number of daily application command creates has been reached (200)")
        account.created.append(now)
    fixed = {"id": old["id"] if old else discord.snowflake(), "type": kind, "application_id": account.application_id}
    command = new | fixed | ({"guild_id": guild} if guild else {})
    account.commands[command["id"]] = command
    return command, old is None


def check(command: Any) -> None:
    """Validate `command`. Raises DiscordError."""
    if not isinstance(command, dict):
        raise invalid("", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    kind = command.get("type", _SLASH)
    if kind not in MAX_COMMANDS:
        raise invalid("type", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3}.")
    for words in (command.get("name_localizations") or {}).values():
        if not (1 <= len(words) <= 32 and (kind != _SLASH or (_NAME.fullmatch(words) and words == words.lower()))):
            raise invalid("name_localizations", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    if kind != _SLASH:
        if not 1 <= len(str(command.get("name") or "")) <= 32:
            raise invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")
        if command.get("description") or command.get("options"):
            raise invalid("description", "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED", "Not allowed.")
        return
    _check_named(command, "")
    _check_options(command.get("options") or [], "options")
    if _characters(command) > _CHARACTERS:
        raise invalid("", "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({_CHARACTERS})")


def _check_named(what: dict[str, Any], where: str) -> None:
    name, description = what.get("name"), what.get("description")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name != name.lower():
        raise invalid(f"{where}name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    if not isinstance(description, str) or not 1 <= len(description) <= _HELP:
        raise invalid(f"{where}description", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {_HELP} in length.")


def _check_options(options: list[dict[str, Any]], where: str) -> None:
    if len(options) > _OPTIONS:
        raise invalid(where, "BASE_TYPE_MAX_LENGTH", f"Must be {_OPTIONS} or fewer in length.")
    optional = False
    for number, option in enumerate(options):
        place = f"{where}.{number}."
        _check_named(option, place)
        if option.get("type") not in range(1, 12):
            raise invalid(f"{place}type", "BASE_TYPE_CHOICES", "Value must be one of {1, ..., 11}.")
        if option.get("required") and optional:
            raise invalid(where, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must come first")
        optional = optional or not option.get("required")
        choices = option.get("choices") or []
        if len(choices) > _CHOICES or (choices and option.get("autocomplete")):
            raise invalid(f"{place}choices", "APPLICATION_COMMAND_AUTOCOMPLETE_NO_CHOICES", "Not these choices.")
        if option["type"] in (_SUB_COMMAND, _GROUP):
            _check_options(option.get("options") or [], f"{place}options")


def _characters(what: dict[str, Any]) -> int:
    own = len(what["name"]) + len(what.get("description") or "")
    own += sum(len(choice["name"]) + len(str(choice["value"])) for choice in what.get("choices") or ())
    return own + sum(_characters(option) for option in what.get("options") or ())
