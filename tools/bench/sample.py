"""A Feishu event as its server sends it, signed and encrypted by the simulated platform, not by Parley's code."""

import random
import time
from typing import Any

from playground.platforms.feishu import wire

CONFIG = {
    "app_id": "cli_a1b2c3d4e5f60708",
    "app_secret": "an-app-secret-of-nobody",
    "encrypt_key": "an-encrypt-key-of-nobody",
    "verification_token": "a-token-of-nobody",
    "bot_open_id": "ou_bot",
}


def callback() -> tuple[dict[str, str], bytes]:
    """Headers and body of a group message that mentions the bot, about 1.5 KB."""
    made = wire.callback(CONFIG["encrypt_key"], wire.dumps(_event()), time.time(), random.Random(7))
    return dict(made.headers), made.body


def _event() -> dict[str, Any]:
    tenant, now = "2ed263bf32cf1651", str(int(time.time() * 1000))
    message = {
        "message_id": "om_1f0c2d3e4a5b6c7d8e9f0a1b2c3d4e5f",
        "create_time": now,
        "update_time": now,
        "chat_id": "oc_84f1c2d0a9b35e6c7d8e9f0a1b2c3d4e",
        "chat_type": "group",
        "message_type": "text",
        "content": '{"text":"@_user_1 /echo 明天上午十点的会议改到下午两点，请大家确认"}',
        "mentions": [
            {
                "key": "@_user_1",
                "id": {"open_id": "ou_bot", "union_id": "on_bot", "user_id": ""},
                "mentioned_type": "bot",
                "name": "Helper",
                "tenant_key": tenant,
            }
        ],
        "user_agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Safari/537.36 Lark/7.20.8",
    }
    sender_id = {"open_id": "ou_4d5e6f708192a3b4", "union_id": "on_0a1b2c3d4e5f6071", "user_id": "e33ggbyz"}
    return {
        "schema": "2.0",
        "header": {
            "event_id": "b6c0a4f1d2e34c5d8a9b0c1d2e3f4a5b",
            "event_type": "im.message.receive_v1",
            "create_time": now,
            "token": CONFIG["verification_token"],
            "app_id": CONFIG["app_id"],
            "tenant_key": tenant,
        },
        "event": {
            "sender": {"sender_id": sender_id, "sender_type": "user", "tenant_key": tenant},
            "message": message,
        },
    }
