"""Made-up credentials for one app per platform, new for each stack, put where the functions look for them.

A platform is one function here: it gets the playground's address and returns what its console would show.
"""

import json
import secrets
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


PLATFORMS: dict[str, Callable[[str], App]] = {"feishu": feishu, "discord": discord}
PRIVATE = frozenset({"signing_key"})
"""What the platform alone knows: for the playground, and nowhere that a function could read it."""


def install(aws: Aws, playground: str) -> tuple[dict[str, dict[str, App]], dict[str, dict[str, App]]]:
    """Make the app `demo` of every platform and store it. Returns, by platform and name, what the functions read, and
    what the platform alone knows.
    """
    apps: dict[str, dict[str, App]] = {}
    private: dict[str, dict[str, App]] = {}
    for platform, make in PLATFORMS.items():
        made = make(playground)
        apps[platform] = {"demo": {name: value for name, value in made.items() if name not in PRIVATE}}
        private[platform] = {"demo": {name: value for name, value in made.items() if name in PRIVATE}}
        store(aws, platform, "demo", apps[platform]["demo"])
    return apps, private


def store(aws: Aws, platform: str, name: str, app: App) -> None:
    """Put the configuration `app` where the functions of this stack read it; it holds from the next callback on."""
    aws.client("ssm").put_parameter(
        Name=f"/parley/{STAGE}/{platform}/{name}", Type="SecureString", Value=json.dumps(app), Overwrite=True
    )
