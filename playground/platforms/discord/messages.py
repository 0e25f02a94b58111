"""The messages of an application, as Discord stores them."""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.platforms.discord import payload
from playground.platforms.discord.accounts import Account
from playground.platforms.media import Blob
from playground.platforms.model import Message, Room

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

_FIELDS = ("content", "embeds", "components", "allowed_mentions")
File = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message appears, and how."""

    room: Room
    thread: str = ""
    flags: int = 0
    visible_to: str = ""
    """The only person who sees an ephemeral message."""
    reply_to: str = ""
    id: str = ""
    """The message's id; empty: a new one."""


def create_message(discord: "Discord", account: Account, target: Target, new: payload.Payload) -> Message:
    """A new message. Raises DiscordError."""
    body = payload.check(new)
    content = {name: body[name] for name in _FIELDS if body.get(name)}
    files = store_files(discord, new)
    content |= {"attachments": list(files.values())} if files else {}
    content |= {"flags": target.flags, "only": target.visible_to} if target.flags else {}
    message = Message(
        id=target.id or discord.snowflake(),
        room=target.room.id,
        sender=account.name,
        sender_kind="bot",
        type="message",
        content=content,
        at=discord.clock(),
        app=account.name,
        reply_to=target.reply_to,
        thread=target.thread,
    )
    return discord.put_message(message)


def edited_content(before: Mapping[str, Any], body: Mapping[str, Any], files: Mapping[str, File]) -> dict[str, Any]:
    """The content after an edit. A field that the edit omits stays; an attachment that its list omits is removed."""
    content = dict(before) | {name: body[name] for name in _FIELDS if name in body}
    old = {attachment["id"]: attachment for attachment in before.get("attachments", ())}
    if "attachments" in body or files:
        listed = [str(attachment["id"]) for attachment in body.get("attachments") or ()]
        kept = [old[id_] for id_ in listed if id_ in old] if "attachments" in body else list(old.values())
        content["attachments"] = kept + list(files.values())
    return content


def store_files(discord: "Discord", new: payload.Payload) -> dict[str, File]:
    """Store the files of a form. Returns their attachments, by number."""
    named = {str(attachment.get("id")): attachment for attachment in new.json.get("attachments") or ()}
    stored: dict[str, File] = {}
    for number, part in new.files.items():
        name = str(named.get(number, {}).get("filename") or part.filename)
        stored[number] = store_file(discord, name, part.data)
    return stored


def store_file(discord: "Discord", name: str, data: bytes) -> File:
    """Store a file. Returns its attachment."""
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    id_ = discord.snowflake()
    discord.put_blob(Blob(id_, "file", data, mime, name))
    return {"id": id_, "filename": name, "size": len(data), "content_type": mime}
