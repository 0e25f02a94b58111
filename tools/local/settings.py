"""The bot's settings on the local stack: two files in the bot's folder, stored in the emulator's SSM."""

import json
from pathlib import Path
from typing import Any

from parley.bot.settings import FILE
from tools import bot
from tools.local.aws import Aws
from tools.local.deploy import STAGE
from tools.local.errors import StackError

SHARED = "settings.playground.json"
"""Settings for the local stack that belong to the bot, without secrets. Those in `settings.local.json` replace them."""
_PLAYGROUND = "{playground}"
"""Stands for the address of the playground in both files."""


def install(aws: Aws, playground: str) -> bool:
    """Store the settings, and return whether there are any. Raises StackError if a file holds no JSON object."""
    folder = bot.ROOT / bot.folder()
    files = [folder / name for name in (SHARED, FILE) if (folder / name).is_file()]
    if not files:
        return False
    values: dict[str, Any] = {}
    for file in files:
        values |= _read(file)
    text = json.dumps(values).replace(_PLAYGROUND, playground)
    aws.client("ssm").put_parameter(Name=f"/parley/{STAGE}/bot", Type="SecureString", Value=text, Overwrite=True)
    return True


def _read(file: Path) -> dict[str, Any]:
    name = f"{bot.folder()}/{file.name}"
    try:
        values = json.loads(file.read_text())
    except json.JSONDecodeError as error:
        raise StackError(f"{name}, line {error.lineno}: {error.msg}.") from None
    if not isinstance(values, dict):
        raise StackError(f'{name} is not a JSON object, such as {{"api_key": "..."}}.')
    return values  # pyright: ignore[reportUnknownVariableType]
