"""Feishu's message API. Facts: Feishu docs, Messages: send, reply, edit, update card, recall, get."""

import json
from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import Request, Response
from playground.platforms.feishu import cardkit, cards
from playground.platforms.feishu.accounts import Account, email, union_id, user_id
from playground.platforms.feishu.content import check_content
from playground.platforms.feishu.errors import FeishuError, bad_parameter
from playground.platforms.feishu.events import TENANT, millis
from playground.platforms.limits import RateLimit
from playground.platforms.model import Message, Room

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

PER_CHAT = 5
"""Messages per second to one group or person, of all bots together. Also: updates per second of one card."""
MAX_EDITS = 20
CARD_DAYS = 14
RECALL_SECONDS = 86_400
UUID_LENGTH = 50


def send(feishu: "Feishu", account: Account, request: Request) -> Response:
    """`POST /open-apis/im/v1/messages`."""
    body = json_object(request)
    kind, wanted = request.query.get("receive_id_type"), body.get("receive_id")
    if not isinstance(wanted, str) or not wanted:
        raise bad_parameter("receive_id is required")
    return _send(feishu, account, request, room=_receiver(feishu, account, kind, wanted))


def reply(feishu: "Feishu", account: Account, request: Request, message_id: str) -> Response:
    """`POST /open-apis/im/v1/messages/:message_id/reply`."""
    parent = _not_recalled(feishu, account, message_id)
    return _send(feishu, account, request, room=feishu.rooms[parent.room], parent=parent)


def _send(feishu: "Feishu", account: Account, request: Request, room: Room, parent: Message | None = None) -> Response:
    body = json_object(request)
    key = body.get("uuid") or ""
    if not isinstance(key, str) or len(key) > UUID_LENGTH:
        raise bad_parameter(f"the max length of uuid is {UUID_LENGTH}")
    card = cardkit.id_in(body.get("msg_type"), body.get("content"))
    content = None if card else _content(feishu, account, request, body)
    now = feishu.clock()
    feishu.note_call(room=room.id, key=key)
    sent = feishu.idempotency.get((account.app_id, key), now) if key else None
    if sent is None:
        entity = cardkit.sent(feishu, account, card) if card else None
        content = entity.card if entity else content
        _count_message(feishu, ("chat", room.id))
        sent = _new_message(feishu, account, room, str(body["msg_type"]), content)
        if parent is not None and body.get("reply_in_thread") is True and room.id in feishu.without_threads:
            raise FeishuError(230071, "The chat does not support replies in a thread.")
        if parent is not None:
            _attach(feishu, sent, parent, threaded=body.get("reply_in_thread") is True)
        if entity is not None:
            entity.message_id = sent.id
        feishu.put_message(sent)
        if key:
            feishu.idempotency.put((account.app_id, key), sent, now)
    feishu.note_call(message_id=sent.id)
    return success(message_data(feishu, account, sent))


def _content(feishu: "Feishu", account: Account, request: Request, body: dict[str, Any]) -> Any:
    """The decoded content of a message. Raises FeishuError."""
    has_key = feishu.uploaded_by(account)
    return check_content(body.get("msg_type"), body.get("content"), len(request.body), has_key)


def _new_message(feishu: "Feishu", account: Account, room: Room, msg_type: str, content: Any) -> Message:
    return Message(
        id=f"om_{feishu.hex()}",
        room=room.id,
        sender=account.name,
        sender_kind="bot",
        type=msg_type,
        content=content,
        at=feishu.clock(),
        app=account.name,
    )


def _attach(feishu: "Feishu", message: Message, parent: Message, *, threaded: bool) -> None:
    message.reply_to = parent.id
    message.root = parent.root or parent.id
    message.thread = parent.thread
    if threaded and not message.thread:
        message.thread = parent.thread = f"omt_{feishu.hex(12)}"
        feishu.put_message(parent)


def edit(feishu: "Feishu", account: Account, request: Request, message_id: str) -> Response:
    """`PUT /open-apis/im/v1/messages/:message_id`."""
    message, body = _own(feishu, account, message_id), json_object(request)
    if message.type not in ("text", "post") or body.get("msg_type") not in ("text", "post"):
        raise FeishuError(230054, "This operation is not supported for this message type.")
    content = check_content(body["msg_type"], body.get("content"), len(request.body), feishu.uploaded_by(account))
    if message.edits >= MAX_EDITS:
        raise FeishuError(230072, "The message has reached the number of times it can be edited.")
    message.type, message.content = body["msg_type"], content
    message.edited, message.edits = feishu.clock(), message.edits + 1
    feishu.put_message(message)
    return success(message_data(feishu, account, message))


def update_card(feishu: "Feishu", account: Account, request: Request, message_id: str) -> Response:
    """`PATCH /open-apis/im/v1/messages/:message_id`."""
    message, body = _own(feishu, account, message_id), json_object(request)
    if message.type != "interactive":
        raise bad_parameter("the message is not a card")
    if feishu.clock() - message.at > CARD_DAYS * 86_400:
        raise FeishuError(230031, "The message has been sent over 14 days, cannot be updated.")
    card = check_content("interactive", body.get("content"), len(request.body), feishu.uploaded_by(account))
    cards.check_shared(message.content, card)
    _count_message(feishu, ("card", message.id))
    message.content, message.edited = card, feishu.clock()
    feishu.put_message(message)
    return success({})


def recall(feishu: "Feishu", account: Account, _request: Request, message_id: str) -> Response:
    """`DELETE /open-apis/im/v1/messages/:message_id`."""
    message = _not_recalled(feishu, account, message_id)
    if message.sender_kind != "bot" or message.sender != account.name:
        raise FeishuError(230026, "No permission to recall this message.")
    if feishu.clock() - message.at > RECALL_SECONDS:
        raise FeishuError(230009, "This message has exceeded the recall time limit.")
    message.recalled = True
    feishu.put_message(message)
    return success({})


def get(feishu: "Feishu", account: Account, _request: Request, message_id: str) -> Response:
    """`GET /open-apis/im/v1/messages/:message_id`. The messages in a forward follow it."""
    message = _readable(feishu, account, message_id)
    forwarded = (message_data(feishu, account, feishu.messages[each]) for each in message.forwards)
    inner = [data | {"upper_message_id": message.id} for data in forwarded]
    return success({"items": [message_data(feishu, account, message), *inner]})


def message_data(feishu: "Feishu", account: Account, message: Message) -> dict[str, Any]:
    """A message as the API returns it."""
    person = message.sender_kind == "user"
    data: dict[str, Any] = {
        "message_id": message.id,
        "msg_type": message.type,
        "create_time": millis(message.at),
        "update_time": millis(message.edited or message.at),
        "deleted": message.recalled,
        "updated": message.edited is not None,
        "chat_id": message.room,
        "sender": {
            "id": account.open_id(message.sender) if person else feishu.accounts[message.sender].app_id,
            "id_type": "open_id" if person else "app_id",
            "sender_type": "user" if person else "app",
            "tenant_key": TENANT,
        },
        "body": {"content": json.dumps(message.content, ensure_ascii=False)},
    }
    if message.mentions:
        data["mentions"] = [
            {"key": each["key"], "id": each["id"]["open_id"], "id_type": "open_id", "name": each["name"]}
            for each in message.mentions
        ]
    named = {"root_id": message.root, "parent_id": message.reply_to, "thread_id": message.thread}
    return data | {name: value for name, value in named.items() if value}


def _receiver(feishu: "Feishu", account: Account, kind: str | None, wanted: str) -> Room:
    if kind == "chat_id":
        room = feishu.rooms.get(wanted)
        if room is None:
            raise FeishuError(230034, "The receive_id is invalid.")
        _check_member(account, room)
        return room
    ids = {"open_id": account.open_id, "user_id": user_id, "union_id": union_id, "email": email}
    if kind not in ids:
        raise FeishuError(99992402, "field validation failed: receive_id_type")
    person = next((p for p in list(feishu.persons.values()) if ids[kind](p.id) == wanted), None)
    if person is None:
        raise FeishuError(230034, "The receive_id is invalid.")
    return feishu.room("", account.name, person)


def _check_member(account: Account, room: Room) -> None:
    if account.name not in room.bots:
        raise FeishuError(230002, "The bot can not be outside the group.")


def _readable(feishu: "Feishu", account: Account, message_id: str) -> Message:
    message = feishu.messages.get(message_id)
    if message is None or message.note or message.sender_kind == "webhook":
        raise bad_parameter("invalid message_id")
    _check_member(account, feishu.rooms[message.room])
    feishu.note_call(room=message.room, message_id=message.id)
    return message


def _not_recalled(feishu: "Feishu", account: Account, message_id: str) -> Message:
    message = _readable(feishu, account, message_id)
    if message.recalled:
        raise FeishuError(230011, "The message was withdrawn.")
    return message


def _own(feishu: "Feishu", account: Account, message_id: str) -> Message:
    message = _not_recalled(feishu, account, message_id)
    if message.sender_kind != "bot" or message.sender != account.name:
        raise FeishuError(230017, "The bot is not the owner of the resource.")
    return message


def _count_message(feishu: "Feishu", key: tuple[str, str]) -> None:
    if feishu.windows.acquire([RateLimit(key, PER_CHAT, 1)], feishu.clock()):
        raise FeishuError(230020, "This operation triggers the frequency limit.")


def json_object(request: Request) -> dict[str, Any]:
    """The body of a request. Raises FeishuError."""
    body = request.json()
    if not isinstance(body, dict):
        raise FeishuError(99991402 if not request.body else 9499, "field validation failed", 400)
    return body


def success(data: Any) -> Response:
    """The response of most of Feishu's APIs."""
    return Response.of({"code": 0, "msg": "success", "data": data})
