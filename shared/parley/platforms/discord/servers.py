"""What the Gateway says about servers: the role of the bot in each, and that the bot was added or removed.

Discord docs: Gateway Events › Guild Create, Guild Delete, Guild Role Create; Permissions › Role Tags Structure.
"""

from collections.abc import Mapping
from typing import Any

from parley.adapter import App
from parley.model import Content, Context, Message, Sender
from parley.platforms.discord.events import timestamp
from parley.platforms.discord.snowflake import snowflake
from parley.untrusted import array, mapping, mappings, text

EVENTS = frozenset({"GUILD_CREATE", "GUILD_DELETE"})
_NEW = 86_400
"""Seconds after the bot has joined a server in which GUILD_CREATE says so. Each new session gets that event for every
server. One that has come before has the same id, and the journal drops it.
"""
_KEPT = ("id", "name", "owner_id", "preferred_locale", "system_channel_id", "member_count", "joined_at")
"""What a message keeps of a server. The event lists all channels and many members: megabytes."""

Roles = Mapping[str, str]
"""By the id of a server: the id of the role that Discord has made there for the bot; empty if there is none."""


def bot_role(roles: object, bot_id: str) -> str:
    """The id of the role that Discord has made for the bot among `roles`, all those of a server; empty if none is."""
    own = (role for role in mappings(roles) if mapping(role.get("tags")).get("bot_id") == bot_id)
    return next((snowflake(role.get("id")) for role in own), "")


def roles_of(name: str, data: Mapping[str, Any], bot_id: str) -> Roles:
    """What an event says about the role of the bot."""
    if name == "GUILD_CREATE" and (server := snowflake(data.get("id"))) and "roles" in data:
        return {server: bot_role(data["roles"], bot_id)}
    if name in ("GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE"):
        server, role = snowflake(data.get("guild_id")), bot_role([mapping(data.get("role"))], bot_id)
        return {server: role} if server and role else {}
    return {}


def unknown_role(name: str, data: Mapping[str, Any], roles: Roles) -> str:
    """The id of the server whose roles have to be looked up before `messages_of`; empty if there is none.

    A session that another instance has begun brings no GUILD_CREATE.
    """
    server = snowflake(data.get("guild_id"))
    is_needed = name in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and array(data.get("mention_roles"))
    return server if is_needed and server not in roles else ""


def membership(name: str, data: Mapping[str, Any], id_: str, app: App, now: float) -> tuple[Message, ...]:
    """GUILD_CREATE and GUILD_DELETE as a message, if the bot was added to the server or removed from it.

    A server that is not available sends the same events. `id_`: of the event. An answer goes to the channel where the
    server welcomes people, if it has one.
    """
    server, joined = snowflake(data.get("id")), text(data.get("joined_at"))
    if not server or data.get("unavailable") is True:
        return ()
    if name == "GUILD_CREATE":
        at = timestamp(joined, 0)
        if now - at > _NEW:
            return ()
        id_ = f"{server}.added.{joined}"
    message = Message(
        id=id_,
        platform=app.platform,
        app=app.name,
        kind="event",
        event=name,
        sender=Sender(id=app.config.application_id, kind="system"),
        content=Content(),
        timestamp=int(now),
        context=Context(room_id=snowflake(data.get("system_channel_id")), tenant=server),
        raw={key: data[key] for key in _KEPT if key in data},
    )
    return (message,)
