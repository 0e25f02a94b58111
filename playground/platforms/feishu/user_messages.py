"""The messages that persons send, as Feishu stores them. Facts: Feishu docs, Message content (receive); mentions."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from playground.platforms.base import NewMessage
from playground.platforms.feishu.accounts import Account, ids_of
from playground.platforms.feishu.events import TENANT
from playground.platforms.media import Blob, image_type
from playground.platforms.model import Message, Person, Room

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

_PLACEHOLDER = re.compile(r"(@_user_\d+)")


def user_message(feishu: "Feishu", account: Account, person: Person, room: Room, new: NewMessage) -> Message:
    """The message that `person` sends. Raises NotFoundError if it replies to, or forwards, one that does not exist."""
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
    if new.reply_to:
        parent = feishu.find_message(new.reply_to)
        if new.thread is True and not parent.thread:
            parent.thread = f"omt_{feishu.hex(12)}"
            feishu.put_message(parent)
        message.reply_to, message.root, message.thread = parent.id, parent.root or parent.id, parent.thread
    elif new.thread:
        message.thread = f"omt_{feishu.hex(12)}" if new.thread is True else new.thread
    mention = room.kind == "group" if new.mention is None else new.mention
    message.type, message.content = _content(feishu, account, room, new, message, mention=mention)
    return message


def _content(
    feishu: "Feishu", account: Account, room: Room, new: NewMessage, message: Message, *, mention: bool
) -> tuple[str, Any]:
    if new.native:
        message.mentions = [_mention(account, None, 1)] if mention else []
        return new.native
    if new.forwards:
        message.forwards = tuple(feishu.find_message(each).id for each in new.forwards)
        return "merge_forward", {"content": "Merged and Forwarded Message"}
    if new.file:
        name, data = new.file
        blob = Blob(f"file_v3_{feishu.hex()}", "file", data, "application/octet-stream", name)
        return "file", {"file_key": feishu.put_blob(blob).key, "file_name": name}
    key = _upload(feishu, new.image) if new.image else ""
    if key and not new.text and not mention:
        return "image", {"image_key": key}
    text = _with_placeholders(feishu, account, room, new.text, message, mention=mention)
    if key:
        elements = list(_elements(text, message.mentions))
        rows = [*([elements] if elements else []), [{"tag": "img", "image_key": key}]]
        return "post", {"title": "", "content": rows}
    return "text", {"text": text}


def _elements(text: str, mentions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """`text` as a paragraph of a post, where each mention is an element."""
    names = {mention["key"]: mention["name"] for mention in mentions}
    for piece in _PLACEHOLDER.split(text):
        if piece in names:
            yield {"tag": "at", "user_id": piece, "user_name": names[piece], "style": []}
        elif piece:
            yield {"tag": "text", "text": piece, "style": []}


def _with_placeholders(
    feishu: "Feishu", account: Account, room: Room, text: str, message: Message, *, mention: bool
) -> str:
    """`text` with placeholders for the bot, if `mention`, and for each member of the room named as `@Name`."""
    if mention:
        message.mentions.append(_mention(account, None, 1))
        text = f"@_user_1 {text}".rstrip()
    for person in [feishu.persons[id_] for id_ in room.members if id_ in feishu.persons]:
        if f"@{person.name}" in text:
            mentioned = _mention(account, person, len(message.mentions) + 1)
            message.mentions.append(mentioned)
            text = text.replace(f"@{person.name}", mentioned["key"])
    return text


def _mention(account: Account, person: Person | None, number: int) -> dict[str, Any]:
    """The mention of a person; None: of the bot."""
    ids = ids_of(account, person.id) if person else {"open_id": account.bot_id, "union_id": "", "user_id": ""}
    return {
        "key": f"@_user_{number}",
        "id": ids,
        "mentioned_type": "user" if person else "bot",
        "name": person.name if person else account.name,
        "tenant_key": TENANT,
    }


def _upload(feishu: "Feishu", data: bytes) -> str:
    mime = image_type(data) or "application/octet-stream"
    return feishu.put_blob(Blob(f"img_v3_{feishu.hex()}", "image", data, mime)).key
