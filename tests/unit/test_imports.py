"""The initialisation of a function imports the HTTP client only if the function calls the platforms: it takes 60 ms."""

import os
import subprocess
import sys

import pytest

from tests.template import ROOT
from tools import bot

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
CALLING = {"deliverer", "processor"}


def imports(function: str, **settings: str) -> set[str]:
    """The modules of a process that has imported the handler of `function`."""
    paths = (ROOT / "functions" / function, ROOT / bot.SAMPLE, ROOT / "shared")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, paths)), **settings}
    code = "import sys, app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_a_function_that_calls_the_platforms_imports_the_http_client(function: str) -> None:
    assert ("httpx" in imports(function)) == (function in CALLING)


def test_a_processor_that_leaves_all_replies_to_the_queue_imports_no_http_client() -> None:
    assert not {"httpx", "parley.engine.direct"} & imports("processor", PARLEY_DELIVER_AT_ONCE="false")
