"""Made-up credentials for the apps of each platform, new for each stack, put where the functions look for them.

An app is one function here: it gets the playground's address and returns what its console would show.
"""

import json
import secrets
import string
import uuid
from collections.abc import Callable
from typing import Any

from nacl.signing import SigningKey

from tools.local.aws import Aws
from tools.local.deploy import STAGE

App = dict[str, Any]


def _letters(count: int) -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(count))


def feishu(playground: str) -> App:
    """A custom app of Feishu with one custom-bot webhook, `ops`."""
    host = f"{playground}/feishu"
    return {
        "app_id": f"cli_{_letters(16)}",
        "app_secret": _letters(32),
        "encrypt_key": _letters(32),
        "verification_token": _letters(32),
        "app_type": "internal",
        "host": host,
        "bot_open_id": f"ou_{secrets.token_hex(16)}",
        "webhooks": {
            "ops": {
                "url": f"{host}/open-apis/bot/v2/hook/{secrets.token_hex(16)}",
                "secret": secrets.token_urlsafe(16),
            }
        },
    }


def discord(playground: str) -> App:
    """An application of Discord. Its private key is Discord's own: the imitation signs with it."""
    key = SigningKey.generate()
    return {
        "application_id": str(10**18 + secrets.randbelow(10**17)),
        "public_key": key.verify_key.encode().hex(),
        "bot_token": secrets.token_urlsafe(48),
        "host": f"{playground}/discord/api/v10",
        "signing_key": key.encode().hex(),
    }


def wecom(playground: str) -> App:
    """An internal app of WeCom, with one group robot, `ops`."""
    host = f"{playground}/wecom"
    return {
        "corp_id": f"ww{secrets.token_hex(8)}",
        "agent_id": 1_000_000 + secrets.randbelow(1000),
        "secret": secrets.token_urlsafe(32),
        "token": _letters(24),
        "encoding_aes_key": _aes_key(),
        "host": host,
        "webhooks": {"ops": {"url": f"{host}/cgi-bin/webhook/send?key={uuid.uuid4()}"}},
    }


def wechat(playground: str) -> App:
    """An Official Account in safe mode, which answers by customer-service message."""
    return {
        "app_id": f"wx{secrets.token_hex(8)}",
        "app_secret": secrets.token_hex(16),
        "token": _letters(24),
        "encoding_aes_key": _aes_key(),
        "original_id": f"gh_{secrets.token_hex(6)}",
        "mode": "safe",
        "host": f"{playground}/wechat",
    }


def _aes_key() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(43))


Maker = Callable[[str], App]


def passive(make: Maker) -> Maker:
    """Another one, which answers within the callback."""
    return lambda playground: {**make(playground), "reply_mode": "passive"}


PLATFORMS: dict[str, dict[str, Maker]] = {
    "feishu": {"demo": feishu},
    "discord": {"demo": discord},
    "wecom": {"demo": wecom, "passive": passive(wecom)},
    "wechat": {"demo": wechat, "passive": passive(wechat)},
}
PRIVATE = frozenset({"signing_key"})
"""What the platform alone knows: for the playground, and nowhere that a function could read it."""


def install(aws: Aws, playground: str) -> tuple[dict[str, dict[str, App]], dict[str, dict[str, App]]]:
    """Make the apps of every platform and store them. Returns, by platform and name, what the functions read, and what
    the platform alone knows.
    """
    apps: dict[str, dict[str, App]] = {platform: {} for platform in PLATFORMS}
    private: dict[str, dict[str, App]] = {platform: {} for platform in PLATFORMS}
    for platform, makers in PLATFORMS.items():
        for name, make in makers.items():
            made = make(playground)
            apps[platform][name] = {field: value for field, value in made.items() if field not in PRIVATE}
            private[platform][name] = {field: value for field, value in made.items() if field in PRIVATE}
            store(aws, platform, name, apps[platform][name])
    return apps, private


def store(aws: Aws, platform: str, name: str, app: App) -> None:
    """Put the configuration `app` where the functions of this stack read it; it holds from the next callback on."""
    aws.client("ssm").put_parameter(
        Name=f"/parley/{STAGE}/{platform}/{name}", Type="SecureString", Value=json.dumps(app), Overwrite=True
    )
