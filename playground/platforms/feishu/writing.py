"""What a person writes, as Feishu keeps it. Facts: Feishu docs, Message content (receive); mentions."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from playground.platforms.base import NewMessage
from playground.platforms.feishu.accounts import Account, ids_of
from playground.platforms.feishu.events import TENANT
from playground.platforms.feishu.store import Blob, picture_type
from playground.platforms.model import Message, Person, Room

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

_PLACEHOLDER = re.compile(r"(@_user_\d+)")


def written(feishu: "Feishu", account: Account, person: Person, room: Room, said: NewMessage) -> Message:
    """The message that `person` writes. Raises Unknown if it answers a message that is not there."""
    message = Message(
        id=f"om_{feishu.hex()}",
        room=room.id,
        sender=person.id,
        sender_kind="user",
        type="text",
        content={},
        at=feishu.clock(),
        app=account.name,
    )
    if said.reply_to:
        parent = feishu.find_message(said.reply_to)
        if said.thread is True and not parent.thread:
            parent.thread = f"omt_{feishu.hex(12)}"
            feishu.put_message(parent)
        message.reply_to, message.root, message.thread = parent.id, parent.root or parent.id, parent.thread
    elif said.thread:
        message.thread = f"omt_{feishu.hex(12)}" if said.thread is True else said.thread
    mention = room.kind == "group" if said.mention is None else said.mention
    message.type, message.content = _content(feishu, account, room, said, message, mention=mention)
    return message


def _content(
    feishu: "Feishu", account: Account, room: Room, said: NewMessage, message: Message, *, mention: bool
) -> tuple[str, Any]:
    if said.native:
        message.mentions = [_mention(account, None, 1)] if mention else []
        return said.native
    if said.file:
        name, data = said.file
        blob = Blob(f"file_v3_{feishu.hex()}", "file", data, "application/octet-stream", name)
        return "file", {"file_key": feishu.store.put(blob).key, "file_name": name}
    key = _upload(feishu, said.image) if said.image else ""
    if key and not said.text and not mention:
        return "image", {"image_key": key}
    text = _mentioned(feishu, account, room, said.text, message, mention=mention)
    if key:
        words = list(_elements(text, message.mentions))
        rows = [*([words] if words else []), [{"tag": "img", "image_key": key}]]
        return "post", {"title": "", "content": rows}
    return "text", {"text": text}


def _elements(text: str, mentions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """`text` as a paragraph of a post: a mention is an element of its own there."""
    names = {mention["key"]: mention["name"] for mention in mentions}
    for piece in _PLACEHOLDER.split(text):
        if piece in names:
            yield {"tag": "at", "user_id": piece, "user_name": names[piece], "style": []}
        elif piece:
            yield {"tag": "text", "text": piece, "style": []}


def _mentioned(feishu: "Feishu", account: Account, room: Room, text: str, message: Message, *, mention: bool) -> str:
    """`text` with placeholders for the bot, if `mention`, and for each member of the room named `@Name`."""
    if mention:
        message.mentions.append(_mention(account, None, 1))
        text = f"@_user_1 {text}".rstrip()
    for person in [feishu.persons[id_] for id_ in room.members if id_ in feishu.persons]:
        if f"@{person.name}" in text:
            named = _mention(account, person, len(message.mentions) + 1)
            message.mentions.append(named)
            text = text.replace(f"@{person.name}", named["key"])
    return text


def _mention(account: Account, person: Person | None, number: int) -> dict[str, Any]:
    ids = ids_of(account, person.id) if person else {"open_id": account.bot_id, "union_id": "", "user_id": ""}
    return {
        "key": f"@_user_{number}",
        "id": ids,
        "mentioned_type": "user" if person else "bot",
        "name": person.name if person else account.name,
        "tenant_key": TENANT,
    }


def _upload(feishu: "Feishu", data: bytes) -> str:
    mime = picture_type(data) or "application/octet-stream"
    return feishu.store.put(Blob(f"img_v3_{feishu.hex()}", "image", data, mime)).key
