"""The events that Feishu pushes. Facts: Feishu docs, Event subscription; Receive message v2.0; Card callback."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playground.platforms.exchange import dumps
from playground.platforms.feishu import wire
from playground.platforms.feishu.accounts import Account, ids_of
from playground.platforms.model import Delivery, Message, Room

if TYPE_CHECKING:
    from playground.platforms.feishu import Feishu

TENANT = "2ed263bf32cf1651"
"""The tenant key of the only organisation."""


def millis(seconds: float) -> str:
    """A time in milliseconds, as most Feishu fields have it."""
    return str(int(seconds * 1000))


def envelope(feishu: "Feishu", account: Account, event_type: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """A version 2.0 event."""
    header = {
        "event_id": feishu.hex(),
        "event_type": event_type,
        "create_time": millis(feishu.clock()),
        "token": account.verification_token,
        "app_id": account.app_id,
        "tenant_key": TENANT,
    }
    return {"schema": "2.0", "header": header, "event": event}


def delivery(feishu: "Feishu", account: Account, value: Mapping[str, Any], **more: Any) -> Delivery:
    """The delivery of `value`, an event with its envelope, with Feishu's retries."""
    plain = dumps(value)
    now = feishu.clock()
    event_id = str((value.get("header") or value).get("event_id") or value.get("uuid") or feishu.hex())
    details: dict[str, Any] = {"kind": "event", "journal_id": event_id, "retry_delays": feishu.retry_delays} | more
    return Delivery(
        id=event_id,
        platform=feishu.name,
        app=account.name,
        wire=wire.callback(account.encrypt_key, plain, now, feishu.random),
        plain=plain,
        at=now,
        **details,
    )


def message_received(feishu: "Feishu", account: Account, message: Message, room: Room) -> Delivery:
    """`im.message.receive_v1`."""
    body: dict[str, Any] = {"message_id": message.id}
    body |= {"root_id": message.root} if message.root else {}
    body |= {"parent_id": message.reply_to} if message.reply_to else {}
    body |= {"create_time": millis(message.at), "update_time": millis(message.at), "chat_id": room.id}
    body |= {"thread_id": message.thread} if message.thread else {}
    body |= {
        "chat_type": "p2p" if room.kind == "private" else "group",
        "message_type": message.type,
        "content": json.dumps(message.content, ensure_ascii=False),
    }
    body |= {"mentions": message.mentions} if message.mentions else {}
    sender = {"sender_id": ids_of(account, message.sender), "sender_type": "user", "tenant_key": TENANT}
    value = envelope(feishu, account, "im.message.receive_v1", {"sender": sender, "message": body})
    return delivery(feishu, account, value, kind="message", subject=message.id, room=room.id, journal_id=message.id)


def card_action(
    feishu: "Feishu", account: Account, message: Message, person: str, action: Mapping[str, Any], token: str
) -> Delivery:
    """`card.action.trigger`: Feishu does not retry it."""
    event = {
        "operator": {"tenant_key": TENANT, **ids_of(account, person)},
        "token": token,
        "action": action,
        "host": "im_message",
        "context": {"open_message_id": message.id, "open_chat_id": message.room},
    }
    value = envelope(feishu, account, "card.action.trigger", event)
    value["header"]["create_time"] = millis(feishu.clock()) + "000"
    return delivery(feishu, account, value, kind="action", subject=message.id, room=message.room, retry_delays=())


def url_verification(feishu: "Feishu", account: Account) -> Delivery:
    """The challenge of the developer console: encrypted if the app has an Encrypt Key, not signed. The receiver has one
    second to respond."""
    challenge = feishu.hex()
    value = {"challenge": challenge, "token": account.verification_token, "type": "url_verification"}
    made = delivery(feishu, account, value, kind="challenge", retry_delays=(), deadline=1.0)
    made.wire = wire.callback(account.encrypt_key, made.plain, made.at, feishu.random, signed=False)
    made.result["challenge"] = challenge
    return made


def app_ticket(feishu: "Feishu", account: Account) -> Delivery:
    """`app_ticket`, in the version 1 envelope."""
    event = {"type": "app_ticket", "app_id": account.app_id, "app_ticket": account.tickets[-1]}
    value = {
        "ts": f"{feishu.clock():.7f}",
        "uuid": feishu.hex(),
        "token": account.verification_token,
        "type": "event_callback",
        "event": event,
    }
    return delivery(feishu, account, value)


def user_event(feishu: "Feishu", account: Account, kind: str, details: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Type and content of the event for what a person did; None for a `kind` that Feishu does not have."""
    message, room, person = (str(details.get(name) or "") for name in ("message_id", "room", "sender"))
    ids = ids_of(account, person)
    now = millis(feishu.clock())
    in_room: dict[str, Any] = {"chat_id": room, "operator_id": ids, "external": False, "operator_tenant_key": TENANT}
    reaction = {
        "message_id": message,
        "reaction_type": {"emoji_type": str(details.get("emoji") or "THUMBSUP")},
        "operator_type": "user",
        "user_id": ids,
        "action_time": now,
    }
    joined = str(details.get("person") or person)
    users = [{"name": joined, "tenant_key": TENANT, "user_id": ids_of(account, joined)}]
    recalled = {"message_id": message, "chat_id": room, "recall_time": now, "recall_type": "message_owner"}
    reader = {"reader_id": ids, "read_time": now, "tenant_key": TENANT}
    known: dict[str, tuple[str, Any]] = {
        "recall": ("im.message.recalled_v1", recalled),
        "react": ("im.message.reaction.created_v1", reaction),
        "unreact": ("im.message.reaction.deleted_v1", reaction),
        "read": ("im.message.message_read_v1", {"reader": reader, "message_id_list": [message]}),
        "bot_added": ("im.chat.member.bot.added_v1", in_room),
        "bot_removed": ("im.chat.member.bot.deleted_v1", in_room),
        "member_added": ("im.chat.member.user.added_v1", in_room | {"users": users}),
        "member_removed": ("im.chat.member.user.deleted_v1", in_room | {"users": users}),
        "entered": ("im.chat.access_event.bot_p2p_chat_entered_v1", {"chat_id": room, "operator_id": ids}),
        "menu": (
            "application.bot.menu_v6",
            {
                "operator": {"operator_name": person, "operator_id": ids},
                "event_key": str(details.get("event_key") or ""),
                "timestamp": int(feishu.clock()),
            },
        ),
    }
    return known.get(kind)
