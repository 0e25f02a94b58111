"""Random credentials for the apps of each platform, put where the functions look for them. They are made once and kept
in a file, so the apps and the ids of people stay the same when the stack is started again.

A platform has a module here, by its name. Its function `apps` gets the playground's address and returns the apps by
name, each as its platform's console would show it. `PRIVATE` names the fields that only the platform knows.
"""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from parley.platforms import NAMES
from tools.local.aws import Aws
from tools.local.deploy import STAGE

App = dict[str, Any]
"""The configuration of one app, as JSON."""


_PLAYGROUND = "{playground}"
"""Stands for the address of the playground in the file: the port can be another one at the next start."""


def install(aws: Aws, playground: str, file: Path) -> tuple[dict[str, dict[str, App]], dict[str, dict[str, App]]]:
    """Read the apps of every platform from `file`, make those that it does not have, and store them.

    Returns, by platform and name, the fields that the functions read, and the fields that only the platform knows.
    """
    kept = _kept(file)
    apps: dict[str, dict[str, App]] = {}
    private: dict[str, dict[str, App]] = {}
    for platform in NAMES:
        module = import_module(f"{__name__}.{platform}")
        hidden: frozenset[str] = getattr(module, "PRIVATE", frozenset())
        made: dict[str, App] = json.loads(json.dumps(kept[platform]).replace(_PLAYGROUND, playground))
        apps[platform] = {name: {key: app[key] for key in app if key not in hidden} for name, app in made.items()}
        private[platform] = {name: {key: app[key] for key in app if key in hidden} for name, app in made.items()}
        for name, app in apps[platform].items():
            store(aws, platform, name, app)
    return apps, private


def _kept(file: Path) -> dict[str, dict[str, App]]:
    """The apps in `file`, which then holds all apps of every platform. A file that cannot be read is replaced."""
    try:
        kept = json.loads(file.read_text())
    except (OSError, ValueError):
        kept = {}
    made = {platform: import_module(f"{__name__}.{platform}").apps(_PLAYGROUND) for platform in NAMES}
    complete = {platform: apps | kept.get(platform, {}) for platform, apps in made.items()}
    if complete != kept:
        kept = complete
        new = file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(kept, indent=2) + "\n")
        new.replace(file)
    return kept


def store(aws: Aws, platform: str, name: str, app: App) -> None:
    """Put the configuration `app` where the functions of this stack read it. The next callback uses it."""
    aws.client("ssm").put_parameter(
        Name=f"/parley/{STAGE}/{platform}/{name}", Type="SecureString", Value=json.dumps(app), Overwrite=True
    )
