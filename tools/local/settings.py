"""The bot's settings on the local stack: `settings.local.json` in the bot's folder, stored in the emulator's SSM."""

import json

from parley.bot.settings import FILE
from tools import bot
from tools.local.aws import Aws
from tools.local.deploy import STAGE
from tools.local.errors import StackError


def install(aws: Aws) -> bool:
    """Store the settings, and return whether the file exists. Raises StackError if it holds no JSON object."""
    file = bot.ROOT / bot.folder() / FILE
    if not file.is_file():
        return False
    text = file.read_text()
    try:
        is_object = isinstance(json.loads(text), dict)
    except json.JSONDecodeError as error:
        raise StackError(f"{bot.folder()}/{FILE}, line {error.lineno}: {error.msg}.") from None
    if not is_object:
        raise StackError(f'{bot.folder()}/{FILE} is not a JSON object, such as {{"api_key": "..."}}.')
    aws.client("ssm").put_parameter(Name=f"/parley/{STAGE}/bot", Type="SecureString", Value=text, Overwrite=True)
    return True
