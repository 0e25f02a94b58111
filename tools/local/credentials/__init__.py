"""Random credentials for the apps of each platform, new for each stack, put where the functions look for them.

A platform has a module here, by its name. Its function `apps` gets the playground's address and returns the apps by
name, each as its platform's console would show it. `PRIVATE` names the fields that only the platform knows.
"""

import json
from importlib import import_module
from typing import Any

from parley.platforms import NAMES
from tools.local.aws import Aws
from tools.local.deploy import STAGE

App = dict[str, Any]
"""The configuration of one app, as JSON."""


def install(aws: Aws, playground: str) -> tuple[dict[str, dict[str, App]], dict[str, dict[str, App]]]:
    """Make the apps of every platform and store them.

    Returns, by platform and name, the fields that the functions read, and the fields that only the platform knows.
    """
    apps: dict[str, dict[str, App]] = {}
    private: dict[str, dict[str, App]] = {}
    for platform in NAMES:
        module = import_module(f"{__name__}.{platform}")
        hidden: frozenset[str] = getattr(module, "PRIVATE", frozenset())
        made: dict[str, App] = module.apps(playground)
        apps[platform] = {name: {key: app[key] for key in app if key not in hidden} for name, app in made.items()}
        private[platform] = {name: {key: app[key] for key in app if key in hidden} for name, app in made.items()}
        for name, app in apps[platform].items():
            store(aws, platform, name, app)
    return apps, private


def store(aws: Aws, platform: str, name: str, app: App) -> None:
    """Put the configuration `app` where the functions of this stack read it. The next callback uses it."""
    aws.client("ssm").put_parameter(
        Name=f"/parley/{STAGE}/{platform}/{name}", Type="SecureString", Value=json.dumps(app), Overwrite=True
    )
