"""What a person writes, as both platforms tell it. Facts: WeCom docs and WeChat docs, Receiving messages."""

from typing import TYPE_CHECKING, Any

from playground.platforms.base import NewMessage, Unknown
from playground.platforms.model import Message, Person, Room
from playground.platforms.tencent import store
from playground.platforms.tencent.accounts import Account

if TYPE_CHECKING:
    from playground.platforms.tencent import Tencent

_FORMS = {"amr": "voice", "mp4": "video"}


def written(tencent: "Tencent", account: Account, person: Person, room: Room, said: NewMessage) -> Message:
    """The message that `person` writes. Raises Unknown if the platform's clients cannot send it."""
    kind, content = _content(tencent, account, said)
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


def _content(tencent: "Tencent", account: Account, said: NewMessage) -> tuple[str, dict[str, Any]]:
    if said.native:
        return said.native[0], dict(said.native[1])
    if said.image:
        blob = store.keep(tencent, "image", said.image)
        return "image", {"PicUrl": store.address(account, blob), "MediaId": blob.key}
    if said.file:
        name, data = said.file
        kind = _FORMS.get(name.rsplit(".", 1)[-1].lower())
        if kind is None:
            raise Unknown(f"{tencent.name} lets nobody send an app a file; voice (.amr) and video (.mp4) it does")
        more = {"Format": "amr"} if kind == "voice" else {"ThumbMediaId": ""}
        return kind, {"MediaId": store.keep(tencent, kind, data, name).key, **more}
    return "text", {"Content": said.text}
