"""The cases of every platform, and how one is run. A platform has a module here, by its name, with `CASES`."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import httpx

from parley.platforms import NAMES
from tools.demo.case import Case, Result
from tools.demo.client import NoReplyError, PlatformClient

PLATFORMS: dict[str, tuple[Case, ...]] = {name: import_module(f"{__package__}.{name}").CASES for name in NAMES}


def run(case: Case, stack: Mapping[str, Any], platform: str) -> Result:
    """Run `case` on the stack that `stack` (the content of stack.json) describes. An error is a result too."""
    client = PlatformClient(stack, platform)
    try:
        outcome = case.run(client)
    except (NoReplyError, httpx.HTTPError) as error:
        return Result(case, str(error), None)
    finally:
        client.http.close()
    return Result(case, outcome.text, outcome.seconds * 1000)
