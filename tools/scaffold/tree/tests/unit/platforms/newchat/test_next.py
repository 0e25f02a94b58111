"""The next steps for NewChat. Each skipped test names a file and what to write in it next.

A file is done when its line with "Next" is gone. A list of platforms is done when it names this one. Remove this test
when nothing is skipped.
"""

import re

import pytest

from tests.template import ROOT

FILES = (
    "shared/parley/platforms/newchat/config.py",
    "shared/parley/platforms/newchat/inbound.py",
    "shared/parley/platforms/newchat/outbound.py",
    "shared/parley/platforms/newchat/content_limits.py",
    "shared/parley/platforms/newchat/checks.py",
    "playground/platforms/newchat/__init__.py",
    "playground/platforms/newchat/routes.py",
    "playground/platforms/newchat/wire.py",
    "tools/local/credentials/newchat.py",
    "tools/demo/newchat.py",
    "tools/faults/targets/newchat.py",
    "tools/samples/newchat.py",
    "tests/conformance/adapters/newchat.py",
    "tests/unit/playground/test_newchat.py",
    "docs/connect-newchat.md",
    "docs/connect-newchat.zh-CN.md",
    "docs/runbook.md",
    "template.yaml",
)
LISTS = ("README.md", "README.zh-CN.md", "CHANGELOG.md")


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_written(file: str) -> None:
    steps = re.findall(r"Next(?: for newchat)?: (.*?)(?: -->.*)?$", (ROOT / file).read_text(), re.MULTILINE)
    if steps:
        pytest.skip(f"{file}: {steps[0]}")


@pytest.mark.parametrize("file", LISTS)
def test_a_list_of_platforms_names_it(file: str) -> None:
    if "NewChat" not in (ROOT / file).read_text():
        pytest.skip(f"{file}: Say in one line what is there of NewChat.")
