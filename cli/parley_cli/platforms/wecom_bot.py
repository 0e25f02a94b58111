"""The WeCom smart bot: the admin console. It has no access token, so only WeCom's own test of the URL checks it."""

from parley.platforms.wecom_bot.config import CONSOLE
from parley_cli.setups import Field, Setup

SETUP = Setup(
    label="A WeCom smart bot",
    forms={
        "bot": (
            Field("token", CONSOLE.token, secret=True),
            Field("encoding_aes_key", CONSOLE.key, secret=True),
            Field("name", "the name of the bot that people see", optional=True),
        )
    },
    after=("Enter this as the URL of the bot, and save: {url}",),
    guide="docs/connect-wecom_bot.md",
    has_token=False,
)
