"""The API for reactions. Facts: Discord docs, Message › Create Reaction, Delete Own Reaction."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from playground.platforms.discord.accounts import Account
from playground.platforms.discord.channel_api import bot_message
from playground.platforms.discord.errors import UNKNOWN_MESSAGE, DiscordError, not_found
from playground.platforms.discord.payload import EPHEMERAL
from playground.platforms.exchange import Request, Response
from playground.platforms.model import Message

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

MOST = 20
"""Kinds of emoji at one message."""
_EMOJI = re.compile(r"[^\x00-\u200c]{1,16}|[0-9#*]\ufe0f?\u20e3")
"""One Unicode emoji, roughly: Discord compares with its own list."""
_CUSTOM = re.compile(r"\w{2,32}:\d{17,20}", re.ASCII)


def add(discord: "Discord", account: Account, _request: Request, channel: str, message_id: str, emoji: str) -> Response:
    """`PUT /channels/:id/messages/:id/reactions/:emoji/@me`. A repeat changes nothing."""
    message, reaction = _found(discord, account, channel, message_id, emoji)
    kinds = {each["emoji"] for each in message.reactions}
    if reaction["emoji"] not in kinds and len(kinds) >= MOST:
        raise DiscordError(403, 30010, f"Maximum number of reactions reached ({MOST})")
    if reaction not in message.reactions:
        message.reactions.append(reaction)
        discord.put_message(message)
    return Response(204)


def delete(
    discord: "Discord", account: Account, _request: Request, channel: str, message_id: str, emoji: str
) -> Response:
    """`DELETE /channels/:id/messages/:id/reactions/:emoji/@me`."""
    message, reaction = _found(discord, account, channel, message_id, emoji)
    if reaction in message.reactions:
        message.reactions.remove(reaction)
        discord.put_message(message)
    return Response(204)


def _found(
    discord: "Discord", account: Account, channel: str, message_id: str, emoji: str
) -> tuple[Message, dict[str, str]]:
    """The message, and the reaction of the bot to it. Raises DiscordError."""
    message = bot_message(discord, account, channel, message_id)
    name = unquote(emoji)
    if not (_EMOJI.fullmatch(name) or _CUSTOM.fullmatch(name)):
        raise DiscordError(400, 10014, "Unknown Emoji")
    if message.content.get("flags", 0) & EPHEMERAL:
        raise not_found(UNKNOWN_MESSAGE, "Message")
    discord.note_call(room=message.room, message_id=message.id)
    return message, {"emoji": name, "by": account.application_id}
