"""Whether a stage has the settings of the bot, secrets included (`parley.bot.Settings`)."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from msgspec.structs import fields

from parley.bot import Settings
from parley.engine.aws import error_code
from parley_cli import bot_folder
from parley_cli.findings import Finding, note, ok, problem
from parley_cli.place import Place

_GUIDE = "docs/writing-a-bot.md#read-settings-and-secrets"


def findings(place: Place) -> Iterator[Finding]:
    """The settings that the bot of this checkout needs and the stage lacks. Nothing outside a checkout."""
    folder = bot_folder.folder()
    if not (folder / bot_folder.FILE).exists():
        return
    try:
        bot_folder.load()
    except Exception as error:  # noqa: BLE001  # it is the team's code
        yield note(
            f"The bot in {folder} cannot be imported here: {type(error).__name__}.", "`make test-bot` says more."
        )
        return
    wanted = sorted({each.encode_name for model in _models(folder) for each in fields(model) if each.required})
    if not wanted:
        return
    path = f"/parley/{place.stage}/bot"
    stored = _stored(place, path)
    if stored is None:
        yield problem(f"The settings of the bot, {path}, are no JSON object.", f"Store them again: {_GUIDE}.")
    elif missing := [name for name in wanted if name not in stored]:
        yield problem(
            f"The bot needs settings that {path} lacks: {', '.join(missing)}.",
            f"Store them with `aws ssm put-parameter --type SecureString --overwrite --name {path}`: {_GUIDE}.",
        )
    else:
        yield ok("The stage has the settings of the bot.")


def _stored(place: Place, path: str) -> dict[str, Any] | None:
    """The stored settings; none if there is no parameter. None if they are no JSON object."""
    try:
        raw = place.client("ssm").get_parameter(Name=path, WithDecryption=True)["Parameter"]["Value"]
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise
        return {}
    try:
        values = json.loads(raw)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def _models(folder: Path) -> list[type[Settings]]:
    """The models of settings that the modules in `folder` define."""
    files = {model: getattr(sys.modules.get(model.__module__), "__file__", None) for model in Settings.__subclasses__()}
    return [model for model, file in files.items() if file and Path(file).resolve().is_relative_to(folder)]
