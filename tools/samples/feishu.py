"""Callbacks of Feishu. They use persons and rooms of the playground, so the replies appear on its page."""

from random import Random
from typing import Any

from playground.platforms.feishu import Feishu, wire
from playground.platforms.feishu.accounts import Account, ids_of
from playground.platforms.feishu.events import TENANT, millis
from tools.samples import gateway

_CREDENTIALS = {
    "app_id": "cli_sample0000000000",
    "app_secret": "sample-app-secret",
    "encrypt_key": "sample-encrypt-key",
    "verification_token": "sample-verification-token",
    "bot_open_id": "ou_5a3b1e0000000000000000000000b07",
}
_ACCOUNT = Account.of("sample", _CREDENTIALS)
_PERSON = "lin"


def app(playground: str) -> dict[str, Any]:
    """The configuration of the app `sample`."""
    logins = {"redirect_uri": f"{playground}/oauth/feishu/sample/callback"}
    return {**_CREDENTIALS, "host": f"{playground}/feishu", "logins": logins}


def person() -> str:
    """The open id of the sender."""
    return ids_of(_ACCOUNT, _PERSON)["open_id"]


def room(kind: str) -> str:
    """The chat id of the direct chat with the person (`private`), or of the first group (`group`)."""
    slug = f"private-sample-{_PERSON}" if kind == "private" else "team"
    return Feishu().room_id(slug, kind)


def events(now: int) -> dict[str, Any]:
    """One event per case."""
    rng = Random(f"feishu {now}")
    return {
        "challenge": _posted(_challenge(rng), now, rng, key="", signed=False),
        "challenge_encrypted": _posted(_challenge(rng), now, rng, signed=False),
        "text": _posted(_message(_text("/count"), "private", now, rng), now, rng),
        "group_mention": _posted(_message(_mention("/card"), "group", now, rng), now, rng),
        "image": _posted(_message(_image(rng), "private", now, rng), now, rng),
        "card_action": _posted(_press("tea", now, rng), now, rng),
    }


def _posted(
    payload: dict[str, Any], now: int, rng: Random, *, key: str = _ACCOUNT.encrypt_key, signed: bool = True
) -> dict[str, Any]:
    sent = wire.callback(key, wire.dumps(payload), now, rng, signed=signed)
    return gateway.callback("feishu", sent.headers, sent.body, now)


def _challenge(rng: Random) -> dict[str, Any]:
    return {"challenge": _hex(rng), "token": _ACCOUNT.verification_token, "type": "url_verification"}


def _envelope(event_type: str, event: dict[str, Any], now: int, rng: Random) -> dict[str, Any]:
    header = {
        "event_id": _hex(rng),
        "event_type": event_type,
        "create_time": millis(now),
        "token": _ACCOUNT.verification_token,
        "app_id": _ACCOUNT.app_id,
        "tenant_key": TENANT,
    }
    return {"schema": "2.0", "header": header, "event": event}


def _message(content: dict[str, Any], kind: str, now: int, rng: Random) -> dict[str, Any]:
    message = {
        "message_id": f"om_{_hex(rng)}",
        "create_time": millis(now),
        "update_time": millis(now),
        "chat_id": room(kind),
        "chat_type": "p2p" if kind == "private" else "group",
        **content,
    }
    sender = {"sender_id": ids_of(_ACCOUNT, _PERSON), "sender_type": "user", "tenant_key": TENANT}
    return _envelope("im.message.receive_v1", {"sender": sender, "message": message}, now, rng)


def _text(text: str) -> dict[str, Any]:
    return {"message_type": "text", "content": wire.dumps({"text": text}).decode()}


def _mention(text: str) -> dict[str, Any]:
    bot = {"open_id": _ACCOUNT.bot_id, "union_id": f"on_{_ACCOUNT.bot_id[3:]}", "user_id": ""}
    mention = {"key": "@_user_1", "id": bot, "mentioned_type": "bot", "name": "Sample", "tenant_key": TENANT}
    return {**_text(f"@_user_1 {text}"), "mentions": [mention]}


def _image(rng: Random) -> dict[str, Any]:
    return {"message_type": "image", "content": wire.dumps({"image_key": f"img_v3_{_hex(rng)}"}).decode()}


def _press(button: str, now: int, rng: Random) -> dict[str, Any]:
    event = {
        "operator": {"tenant_key": TENANT, **ids_of(_ACCOUNT, _PERSON)},
        "token": f"c-{_hex(rng)}",
        "action": {"value": {"parley": button, "value": ""}, "tag": "button", "timezone": "Asia/Shanghai"},
        "host": "im_message",
        "context": {"open_message_id": f"om_{_hex(rng)}", "open_chat_id": room("private")},
    }
    return _envelope("card.action.trigger", event, now, rng)


def _hex(rng: Random) -> str:
    return f"{rng.getrandbits(128):032x}"
