"""The names of apps on the command line."""

from typing import Annotated

import typer

from parley.platforms import NAMES
from parley_cli.problems import Problem

App = Annotated[str, typer.Argument(metavar="PLATFORM/APP", help="The platform and the app's name: feishu/helper.")]
"""The argument that names an app."""


def app_name(given: str) -> tuple[str, str]:
    """The platform and the name of the app in `PLATFORM/APP`. Raises Problem."""
    platform, slash, name = given.partition("/")
    if not slash or not name:
        raise Problem(f"{given!r} does not name an app.", "Write PLATFORM/APP, such as feishu/helper.")
    if platform not in NAMES:
        raise Problem(f"There is no platform {platform!r}.", f"The platforms are {', '.join(NAMES)}.")
    return platform, name
