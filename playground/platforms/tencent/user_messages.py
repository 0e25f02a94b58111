"""The messages that persons send, with the fields of a callback.

Facts: WeCom docs and WeChat docs, Receiving messages.
"""

from typing import TYPE_CHECKING, Any

from playground.platforms.base import NewMessage, NotFoundError
from playground.platforms.model import Message, Person, Room
from playground.platforms.tencent import media
from playground.platforms.tencent.accounts import Account

if TYPE_CHECKING:
    from playground.platforms.tencent import Tencent

_TYPES = {"amr": "voice", "mp4": "video"}


def user_message(tencent: "Tencent", account: Account, person: Person, room: Room, new: NewMessage) -> Message:
    """The message that `person` sends. Raises NotFoundError if the platform's clients cannot send it."""
    kind, content = _content(tencent, account, new)
    return Message(
        id=tencent.message_id(),
        room=room.id,
        sender=person.id,
        sender_kind="user",
        type=kind,
        content=content,
        at=tencent.clock(),
        app=account.name,
    )


def _content(tencent: "Tencent", account: Account, new: NewMessage) -> tuple[str, dict[str, Any]]:
    if new.native:
        return new.native[0], dict(new.native[1])
    if new.image:
        blob = media.store(tencent, "image", new.image)
        return "image", {"PicUrl": media.url(account, blob), "MediaId": blob.key}
    if new.file:
        name, data = new.file
        kind = _TYPES.get(name.rsplit(".", 1)[-1].lower())
        if kind is None:
            raise NotFoundError(f"{tencent.name}: persons can send an app voice (.amr) and video (.mp4), no other file")
        more = {"Format": "amr"} if kind == "voice" else {"ThumbMediaId": ""}
        return kind, {"MediaId": media.store(tencent, kind, data, name).key, **more}
    return "text", {"Content": new.text}
