"""The API for messages, channels and threads, with a bot token.

Facts: Discord docs, Message; Channel › Start Thread; User › Create DM.
"""

from typing import TYPE_CHECKING, Any

from playground.platforms.discord import payload
from playground.platforms.discord.accounts import GUILD, Account, user, user_id
from playground.platforms.discord.errors import (
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    UNKNOWN_USER,
    DiscordError,
    invalid,
    not_found,
)
from playground.platforms.discord.messages import Target
from playground.platforms.exchange import Request, Response
from playground.platforms.model import Message, Room

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

TEXT, DIRECT, GROUP, THREAD = 0, 1, 3, 11


def send(discord: "Discord", account: Account, request: Request, channel: str) -> Response:
    """`POST /channels/:id/messages`."""
    room, thread = channel_room(discord, account, channel)
    new = payload.read(request)
    body = payload.check(new)
    nonce, now = str(body.get("nonce") or ""), discord.clock()
    key = (account.application_id, channel, nonce)
    discord.note_call(room=room.id, key=nonce)
    sent = discord.idempotency.get(key, now) if nonce and body.get("enforce_nonce") else None
    if sent is None:
        reference = (body.get("message_reference") or {}).get("message_id", "")
        quoted = discord.messages.get(str(reference))
        if quoted is not None and quoted.recalled:
            quoted = None
        if reference and quoted is None and body["message_reference"].get("fail_if_not_exists", True):
            raise invalid("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
        if quoted is not None and quoted.note:
            raise invalid(
                "message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message"
            )
        sent = discord.create(account, Target(room, thread, reply_to=quoted.id if quoted else ""), new)
        if nonce:
            discord.idempotency.put(key, sent, now)
    discord.note_call(message_id=sent.id)
    return Response.of(message_data(discord, sent))


def channel(discord: "Discord", account: Account, _request: Request, id_: str) -> Response:
    """`GET /channels/:id`."""
    room, thread = channel_room(discord, account, id_)
    if room.kind == "private":
        return Response.of({"id": id_, "type": DIRECT})
    kind = {"type": THREAD, "parent_id": room.id} if thread else {"type": TEXT, "parent_id": None}
    return Response.of({"id": id_, "name": room.name, "guild_id": GUILD, **kind})


def get(discord: "Discord", account: Account, _request: Request, channel: str, message_id: str) -> Response:
    """`GET /channels/:id/messages/:id`."""
    return Response.of(message_data(discord, bot_message(discord, account, channel, message_id)))


def edit(discord: "Discord", account: Account, request: Request, channel: str, message_id: str) -> Response:
    """`PATCH /channels/:id/messages/:id`."""
    message = bot_message(discord, account, channel, message_id)
    if message.sender_kind != "bot" or message.sender != account.name:
        raise DiscordError(403, 50005, "Cannot edit a message authored by another user")
    discord.edit(message, payload.read(request))
    discord.note_call(room=message.room, message_id=message.id)
    return Response.of(message_data(discord, message))


def delete(discord: "Discord", account: Account, _request: Request, channel: str, message_id: str) -> Response:
    """`DELETE /channels/:id/messages/:id`: only the bot's own messages; it has no permission for others."""
    message = bot_message(discord, account, channel, message_id)
    if message.sender != account.name:
        raise DiscordError(403, 50013, "Missing Permissions")
    discord.delete(message)
    discord.note_call(room=message.room, message_id=message.id)
    return Response(204)


def open_direct(discord: "Discord", account: Account, request: Request) -> Response:
    """`POST /users/@me/channels`: the same channel each time."""
    wanted = payload.read(request).json.get("recipient_id")
    person = next((p for p in discord.persons.values() if user_id(p.id) == wanted), None)
    if person is None:
        raise not_found(UNKNOWN_USER, "User")
    room = discord.room("private", account.name, person)
    discord.note_call(room=room.id)
    return Response.of({"id": room.id, "type": DIRECT, "recipients": [user(person)]})


def open_thread(discord: "Discord", account: Account, request: Request, channel: str, message_id: str) -> Response:
    """`POST /channels/:id/messages/:id/threads`: the thread has the id of the message."""
    message = bot_message(discord, account, channel, message_id)
    name = payload.read(request).json.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if channel in discord.threads or discord.rooms[message.room].kind == "private":
        raise DiscordError(400, 50024, "Cannot execute action on this channel type")
    if message_id in discord.threads:
        raise DiscordError(400, 160004, "A thread has already been created for this message")
    discord.threads[message_id] = message.room
    message.thread = message_id
    discord.put_message(message)
    return Response.of({"id": message_id, "type": THREAD, "name": name, "parent_id": message.room}, 201)


def me(_discord: "Discord", account: Account, _request: Request) -> Response:
    """`GET /users/@me`."""
    return Response.of(account.user())


def channel_room(discord: "Discord", account: Account, channel: str) -> tuple[Room, str]:
    """The room of a channel; for a thread also the thread's id. Raises DiscordError."""
    thread = channel if channel in discord.threads else ""
    room = discord.rooms.get(discord.threads.get(channel, channel))
    if room is None:
        raise not_found(UNKNOWN_CHANNEL, "Channel")
    if account.name not in room.bots:
        raise DiscordError(403, 50001, "Missing Access")
    return room, thread


def bot_message(discord: "Discord", account: Account, channel: str, message_id: str) -> Message:
    """A message that the application can read. Raises DiscordError."""
    room, _ = channel_room(discord, account, channel)
    message = discord.messages.get(message_id)
    if message is None or message.room != room.id or message.recalled or message.type != "message":
        raise not_found(UNKNOWN_MESSAGE, "Message")
    return message


def message_data(discord: "Discord", message: Message) -> dict[str, Any]:
    """`message` as the API returns it."""
    account = discord.accounts.get(message.sender) if message.sender_kind == "bot" else None
    author = account.user() if account else user(discord.person(message.sender))
    data = {
        "id": message.id,
        "channel_id": message.thread or message.room,
        "author": author,
        "type": 0,
        "content": "",
        "embeds": [],
        "components": [],
        "attachments": [],
        "mentions": [user(p) for p in discord.persons.values() if f"<@{user_id(p.id)}>" in str(message.content)],
        "flags": 0,
        "timestamp": discord.iso(message.at),
        "edited_timestamp": discord.iso(message.edited) if message.edited else None,
        **message.content,
    }
    return data | ({"message_reference": {"message_id": message.reply_to}} if message.reply_to else {})
