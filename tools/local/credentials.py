"""Made-up credentials for one app per platform, new for each stack, put where the functions look for them.

A platform is one function here: it gets the playground's address and returns what its console would show.
"""

import json
import secrets
from collections.abc import Callable
from typing import Any

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


PLATFORMS: dict[str, Callable[[str], App]] = {"feishu": feishu}


def install(aws: Aws, playground: str) -> dict[str, dict[str, App]]:
    """Make the app `demo` of every platform and store it. Returns them by platform and name."""
    apps = {platform: {"demo": make(playground)} for platform, make in PLATFORMS.items()}
    for platform, named in apps.items():
        for name, app in named.items():
            store(aws, platform, name, app)
    return apps


def store(aws: Aws, platform: str, name: str, app: App) -> None:
    """Put the configuration `app` where the functions of this stack read it; it holds from the next callback on."""
    aws.client("ssm").put_parameter(
        Name=f"/parley/{STAGE}/{platform}/{name}", Type="SecureString", Value=json.dumps(app), Overwrite=True
    )
