"""What people do in Discord's channels, as events of the Gateway; and ordinary messages.

Facts: Discord docs, Gateway Events › Message Create, Message Update, Message Delete, Message Reaction Add, Guild Member
Add.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playground.platforms.base import NewMessage, NotFoundError
from playground.platforms.discord import wire
from playground.platforms.discord.accounts import GUILD, Account, roles_of, user, user_id
from playground.platforms.discord.channel_api import DIRECT, THREAD, message_data
from playground.platforms.discord.gateway import MEMBERS, MESSAGES, REACTIONS, gateway_url
from playground.platforms.discord.messages import store_file
from playground.platforms.exchange import Request, Response
from playground.platforms.model import Attempt, Delivery, Message, Person, Room, Wire

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

_REPLY = 19
Details = Mapping[str, Any]


def gateway_bot(discord: "Discord", account: Account, _request: Request) -> Response:
    """`GET /gateway/bot`."""
    limit = discord.gateway.start_limit()
    return Response.of({"url": gateway_url(account), "shards": 1, "session_start_limit": limit})


def post(discord: "Discord", account: Account, person: Person, room: Room, thread: str, new: NewMessage) -> Message:
    """A person writes an ordinary message. In a server it mentions the bot, unless `new.mention` is False."""
    text = _with_ids(discord, new.text)
    mention = f"<@{account.application_id}>"
    if room.kind == "group" and new.mention is not False and mention not in text:
        text = f"{mention} {text}".rstrip()
    content: dict[str, Any] = {"content": text}
    if file := new.file or (("image.png", new.image) if new.image else None):
        stored = store_file(discord, *file)
        host = account.host.removesuffix("/api/v10")
        content["attachments"] = [stored | {"url": f"{host}/attachments/{stored['id']}/{quote(file[0])}"}]
    message = Message(
        id=discord.snowflake(),
        room=room.id,
        sender=person.id,
        sender_kind="user",
        type="message",
        content=content,
        at=discord.clock(),
        app=account.name,
        reply_to=new.reply_to,
        thread=thread,
    )
    discord.put_message(message)
    data = event_data(discord, message)
    _deliver(discord, account, message, data)
    discord.gateway.publish(account.name, _guild(room), "MESSAGE_CREATE", data, MESSAGES)
    return message


def event_data(discord: "Discord", message: Message) -> dict[str, Any]:
    """A message as the Gateway sends it."""
    room = discord.rooms[message.room]
    data = message_data(discord, message)
    bots = [a.user() for a in discord.accounts.values() if f"<@{a.application_id}>" in str(message.content)]
    data["mentions"] = [*data["mentions"], *bots]
    data["channel_type"] = THREAD if message.thread else DIRECT if room.kind == "private" else 0
    answered = discord.messages.get(message.reply_to)
    if answered is not None:
        data |= {"type": _REPLY, "referenced_message": message_data(discord, answered)}
    if room.kind == "private":
        return data
    data["guild_id"] = GUILD
    if message.sender_kind == "user":
        data["member"] = {"nick": None, "roles": roles_of(discord.person(message.sender))}
    return data


def announce(discord: "Discord", message: Message, name: str) -> None:
    """Tell the sessions of all apps in the room about a message of a bot or its change. Only one person sees an
    ephemeral message, and no session does."""
    if message.content.get("flags"):
        return
    room = discord.rooms[message.room]
    data = _ids(message, room) if name == "MESSAGE_DELETE" else event_data(discord, message)
    for app in room.bots:
        discord.gateway.publish(app, _guild(room), name, data, MESSAGES)


def user_event(discord: "Discord", account: Account, kind: str, person: Person, details: Details) -> bool:
    """A person edits (`edit`: `message`, `text`), deletes (`recall`), reacts (`react`, `unreact`: `emoji`), joins or
    leaves the server (`join`, `leave`). False for another `kind`. Raises NotFoundError."""
    if kind in ("join", "leave"):
        name = "GUILD_MEMBER_ADD" if kind == "join" else "GUILD_MEMBER_REMOVE"
        data = {"guild_id": GUILD, "user": user(person), "nick": None, "roles": []}
        discord.gateway.publish(account.name, GUILD, name, data, MEMBERS)
        return True
    if kind not in ("edit", "recall", "react", "unreact"):
        return False
    message = discord.find_message(str(details.get("message") or details.get("message_id") or ""))
    if kind in ("edit", "recall") and message.sender != person.id:
        raise NotFoundError("that person has not written the message")
    if kind == "edit":
        message.content = {**message.content, "content": _with_ids(discord, str(details.get("text") or ""))}
        message.edited, message.edits = discord.clock(), message.edits + 1
        discord.put_message(message)
        announce(discord, message, "MESSAGE_UPDATE")
    elif kind == "recall":
        discord.delete(message)
    else:
        _react(discord, account, message, person, str(details.get("emoji") or "👍"), added=kind == "react")
    return True


def _react(discord: "Discord", account: Account, message: Message, person: Person, emoji: str, *, added: bool) -> None:
    reaction = {"emoji": emoji, "by": user_id(person.id)}
    if added and reaction not in message.reactions:
        message.reactions.append(reaction)
    if not added and reaction in message.reactions:
        message.reactions.remove(reaction)
    discord.put_message(message)
    room = discord.rooms[message.room]
    data = {"message_id": message.id, **_ids(message, room), "user_id": user_id(person.id)}
    data |= {"emoji": {"id": None, "name": emoji}}
    del data["id"]
    if _guild(room):
        data["member"] = {"user": user(person), "nick": None, "roles": []}
    name = "MESSAGE_REACTION_ADD" if added else "MESSAGE_REACTION_REMOVE"
    discord.gateway.publish(account.name, _guild(room), name, data, REACTIONS)


def _ids(message: Message, room: Room) -> dict[str, Any]:
    ids = {"id": message.id, "channel_id": message.thread or message.room}
    return ids | ({"guild_id": GUILD} if _guild(room) else {})


def _guild(room: Room) -> str:
    return "" if room.kind == "private" else GUILD


def _with_ids(discord: "Discord", text: str) -> str:
    """`text` with the mentions of persons and bots that a client would offer."""
    names = {person.name: user_id(person.id) for person in discord.persons.values()}
    names |= {account.name: account.application_id for account in discord.accounts.values()}
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(f"@{name}", f"<@{names[name]}>")
    return text


def _deliver(discord: "Discord", account: Account, message: Message, data: Mapping[str, Any]) -> None:
    """The record of the event, for the page. It is no request: the Gateway sends it."""
    plain = wire.dumps(data)
    delivery = Delivery(
        id=message.id,
        platform=discord.name,
        app=account.name,
        kind="message",
        wire=Wire(method="GATEWAY", body=plain),
        plain=plain,
        at=message.at,
        journal_id=message.id,
        subject=message.id,
        room=message.room,
        state="delivered",
        attempts=[Attempt(message.at, 0, 200)],
    )
    discord.deliveries[delivery.id] = delivery
    discord.delivery_ids[delivery.journal_id] = delivery.id
    discord.notify("delivery", delivery)
