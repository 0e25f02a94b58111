"""Requests as Feishu makes them: encrypted by `cryptography` and signed by the docs' formula.

That they are what Feishu sends is checked elsewhere: lark-oapi accepts each of them (`test_feishu_lark.py`).
"""

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from parley.adapter import App, Headers, Request
from parley.platforms.feishu.config import Config

TOKEN, KEY, OTHER = "vtk_7c19b2e0f4", "Wk4qZr8vT1mXy6bN", "something else"
SIGNED = ("x-lark-request-timestamp", "x-lark-request-nonce", "x-lark-signature")
IV = bytes(range(16))


def make_app(token: str = TOKEN, key: str = "", **more: Any) -> App:
    """An app with these credentials."""
    fields = {"app_id": "cli_a1b2c3d4e5f60708", "app_secret": "appsecret", **more}
    return App("feishu", "demo", Config(verification_token=token, encrypt_key=key, **fields))


def encrypt(payload: bytes, key: str = KEY) -> bytes:
    """The body that carries `payload` encrypted."""
    padder = PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(hashlib.sha256(key.encode()).digest()), modes.CBC(IV)).encryptor()
    data = cipher.update(padder.update(payload) + padder.finalize()) + cipher.finalize()
    return json.dumps({"encrypt": base64.b64encode(IV + data).decode()}).encode()


def signed(body: bytes, now: float, key: str = KEY, hashed: str = "sha256") -> Request:
    """`body` with the three headers: SHA-256 and the encrypt key, or for legacy cards SHA-1 and the token."""
    stamp, nonce = str(int(now)), "4096123"
    digest = hashlib.new(hashed, (stamp + nonce + key).encode() + body).hexdigest()
    names = ("X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "X-Lark-Signature")
    return Request(headers=Headers(dict(zip(names, (stamp, nonce, digest), strict=True))), body=body)


def event(kind: str, inner: dict[str, Any], now: float) -> dict[str, Any]:
    """A v2 envelope."""
    header = {
        "event_id": f"event-{kind}",
        "event_type": kind,
        "create_time": str(int(now * 1000)),
        "token": TOKEN,
        "app_id": "cli_a1b2c3d4e5f60708",
        "tenant_key": "2ed263bf32cf1651",
    }
    return {"schema": "2.0", "header": header, "event": inner}


IDS = {"open_id": "ou_4d5e6f708192a3b4", "union_id": "on_0a1b2c3d4e5f6071", "user_id": "e33ggbyz"}


def chat(now: float, kind: str = "text", content: Any = None, **more: Any) -> dict[str, Any]:
    """A message of a group that mentions the bot."""
    body = {"text": "@_user_1 deploy status?"} if content is None else content
    mention = {"key": "@_user_1", "id": {"open_id": "ou_bot01"}, "mentioned_type": "bot", "name": "Helper"}
    fields = {
        "message_id": "om_1f0c2d3e4a5b6c7d8e9f0a1b2c3d4e5f",
        "root_id": "om_0aa1",
        "parent_id": "om_0aa2",
        "create_time": str(int(now * 1000)),
        "chat_id": "oc_84f1c2d0a9b35e6c7d8e9f0a1b2c3d4e",
        "thread_id": "omt_d4be107c616a",
        "chat_type": "group",
        "message_type": kind,
        "content": json.dumps(body, ensure_ascii=False),
        "mentions": [mention],
    }
    sender = {"sender_id": IDS, "sender_type": "user", "tenant_key": "2ed263bf32cf1651"}
    return event("im.message.receive_v1", {"sender": sender, "message": {**fields, **more}}, now)


def card_action(now: float) -> dict[str, Any]:
    """A pressed button with a form around it."""
    action = {
        "value": {"op": "approve", "id": 42},
        "tag": "button",
        "name": "btn_ok",
        "form_value": {"reason": "fine", "days": 2},
        "options": ["a"],
    }
    inner = {
        "operator": {"tenant_key": "2ed263bf32cf1651", **IDS},
        "token": "c-0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "action": action,
        "context": {"preview_token": "pt-1", "open_message_id": "om_1f0c2d3e", "open_chat_id": "oc_84f1c2d0"},
    }
    return event("card.action.trigger", inner, now)


def legacy_card() -> dict[str, Any]:
    """The flat callback of old cards."""
    return {
        "open_id": "ou_4d5e6f70",
        "user_id": "e33ggbyz",
        "open_message_id": "om_1f0c2d3e",
        "open_chat_id": "oc_84f1c2d0",
        "tenant_key": "2ed263bf32cf1651",
        "token": "c-0f1e2d3c",
        "action": {"value": {"op": "approve"}, "tag": "button", "option": "", "timezone": "Asia/Shanghai"},
    }


def v1_event(now: float, inner: dict[str, Any] | None = None) -> dict[str, Any]:
    """A v1 envelope."""
    fields = inner or {"type": "app_open", "app_id": "cli_a1b2c3d4e5f60708", "tenant_key": "t1", "open_id": "ou_1"}
    return {
        "ts": f"{now:.7f}",
        "uuid": "6a1b0f1de9e64b3fb1d2f5a90c7e4d21",
        "token": TOKEN,
        "type": "event_callback",
        "event": fields,
    }


def url_verification(token: str = TOKEN) -> dict[str, Any]:
    """What the console sends when an address is saved."""
    return {"challenge": "3f1c6e3e-8a44-4f4e-9f0e-2b1c7d5a9e10", "token": token, "type": "url_verification"}


def dump(value: Any) -> bytes:
    """JSON as Feishu writes it."""
    return json.dumps(value, ensure_ascii=False).encode()


PLAIN_APP, SECRET_APP = make_app(), make_app(key=KEY)
LEGACY_APP = make_app(key=KEY, legacy_cards=True)

POST = {
    "title": "T",
    "content": [
        [
            {"tag": "text", "text": "a", "style": ["bold"]},
            {"tag": "a", "href": "https://example.com", "text": "x"},
            {"tag": "at", "user_id": "@_user_1", "user_name": "Li"},
        ],
        [{"tag": "img", "image_key": "img_v3_01"}, {"tag": "media", "file_key": "f", "image_key": "i"}],
        [{"tag": "emotion", "emoji_type": "SMILE"}, {"tag": "hr"}],
        [{"tag": "code_block", "language": "GO", "text": "x := 1"}, {"tag": "md", "text": "**b**"}, {"tag": "new"}],
    ],
}
CONTENTS: dict[str, Any] = {
    "text": {"text": "@_user_1 and @_all hi"},
    "post": POST,
    "image": {"image_key": "img_v3_01"},
    "file": {"file_key": "file_v3_01", "file_name": "plan.pdf"},
    "folder": {"file_key": "file_v3_09", "file_name": "plans"},
    "audio": {"file_key": "file_v3_02", "duration": 2300},
    "media": {"file_key": "file_v3_03", "image_key": "img_v3_02", "file_name": "a.mp4", "duration": 5200},
    "sticker": {"file_key": "file_v3_04"},
    "interactive": {"title": "Card", "elements": [[{"tag": "text", "text": "row"}, {"tag": "button", "text": "go"}]]},
    "location": {"name": "HQ", "longitude": "116.397", "latitude": "39.908"},
    "share_chat": {"chat_id": "oc_x"},
    "merge_forward": {"content": "Merged and Forwarded Message"},
    "system": {"template": "{from_user} invited", "from_user": ["a"], "to_chatters": []},
    "todo": {
        "task_id": "t1",
        "summary": {"title": "Plan", "content": [[{"tag": "text", "text": "buy "}, {"tag": "a", "text": "milk"}]]},
        "due_time": "1718000000000",
    },
    "vote": {"topic": "Lunch?", "options": ["a", "b"]},
}
