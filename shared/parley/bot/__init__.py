"""What a bot is written with."""

from parley.bot.arguments import BadArguments
from parley.bot.bot import Bot
from parley.bot.turn import DownloadFailed, Turn
from parley.commands import Option

__all__ = ["BadArguments", "Bot", "DownloadFailed", "Option", "Turn"]
