"""Messages of an application as Discord keeps them."""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.platforms.discord import payload
from playground.platforms.discord.accounts import Account
from playground.platforms.model import Message, Room

if TYPE_CHECKING:
    from playground.platforms.discord import Discord

_KEPT = ("content", "embeds", "components", "allowed_mentions")
File = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is written, and how."""

    room: Room
    thread: str = ""
    flags: int = 0
    only: str = ""
    """The one person who sees it, where the flags say so."""
    reply_to: str = ""
    id: str = ""
    """The id that was promised; empty makes a new one."""


def written(discord: "Discord", account: Account, place: Place, given: payload.Payload) -> Message:
    """A new message. Raises Refused."""
    body = payload.check(given)
    content = {name: body[name] for name in _KEPT if body.get(name)}
    files = keep_files(discord, given)
    content |= {"attachments": list(files.values())} if files else {}
    content |= {"flags": place.flags, "only": place.only} if place.flags else {}
    message = Message(
        id=place.id or discord.snowflake(),
        room=place.room.id,
        sender=account.name,
        sender_kind="bot",
        type="message",
        content=content,
        at=discord.clock(),
        app=account.name,
        reply_to=place.reply_to,
        thread=place.thread,
    )
    return discord.put_message(message)


def revised(before: Mapping[str, Any], body: Mapping[str, Any], files: Mapping[str, File]) -> dict[str, Any]:
    """What an edit leaves: fields that it does not name stay, attachments that its list does not name go."""
    content = dict(before) | {name: body[name] for name in _KEPT if name in body}
    old = {attachment["id"]: attachment for attachment in before.get("attachments", ())}
    if "attachments" in body or files:
        listed = [str(attachment["id"]) for attachment in body.get("attachments") or ()]
        kept = [old[id_] for id_ in listed if id_ in old] if "attachments" in body else list(old.values())
        content["attachments"] = kept + list(files.values())
    return content


def keep_files(discord: "Discord", given: payload.Payload) -> dict[str, File]:
    """The attachments made of the files of a form, by their number."""
    named = {str(attachment.get("id")): attachment for attachment in given.json.get("attachments") or ()}
    kept: dict[str, File] = {}
    for number, part in given.files.items():
        name = str(named.get(number, {}).get("filename") or part.filename)
        kept[number] = keep(discord, name, part.data)
    return kept


def keep(discord: "Discord", name: str, data: bytes) -> File:
    """A file, kept under an id of its own."""
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    id_ = discord.snowflake()
    discord.files[id_] = (mime, data)
    return {"id": id_, "filename": name, "size": len(data), "content_type": mime}
