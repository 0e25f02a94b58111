"""Each example on a stack of its own: its bot answers on every platform on which it works."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from parley.testing import PLATFORMS
from tests.abilities import WRITING_FIRST
from tests.stack import ROOT, Stack, running

ASKED: Mapping[str, str] = {
    "assistant": "/ask free 2027-01-20 9",
    "expenses": "/expense",
    "faq": "/ask are you open on Friday",
    "helpdesk": "/ask",
    "standup": "/did Fixed the login",
}
"""What a person sends to the bot of the example."""
TO_OTHERS = ("expenses", "helpdesk", "standup")
"""Their bots also write to others than the person who has written."""
EVENT = "examples/operations/events/approval.json"
ROOMS = {"discord": "team", "feishu": "team"}
"""Where the example operations shows its cards."""


@pytest.fixture(params=[*ASKED, "operations"])
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Stack]]:
    """The name of an example, and the stack with its bot."""
    with running(tmp_path, bot=f"examples/{request.param}") as stack:
        yield request.param, stack


def test_every_example_is_here() -> None:
    assert {path.parent.name for path in (ROOT / "examples").glob("*/bot.py")} == {*ASKED, "operations"}


def test_an_example_answers_on_the_stack(example: tuple[str, Stack]) -> None:
    name, stack = example
    for platform, room in (_event(stack) if name == "operations" else _messages(stack, name)).items():
        found = stack.wait(lambda room=room, platform=platform: stack.replies(room, platform))
        assert found[0]["text"], (platform, found)


def _messages(stack: Stack, name: str) -> dict[str, str]:
    """Have a person write to the bot on every platform. Returns the rooms of the answers by platform."""
    platforms = WRITING_FIRST if name in TO_OTHERS else PLATFORMS
    body = {"app": "demo", "sender": "sam", "text": ASKED[name]}
    return {each: stack.post("/api/messages", platform=each, **body)["room"] for each in platforms}


def _event(stack: Stack) -> dict[str, str]:
    """Send an event of AWS. Returns the rooms of the cards by platform."""
    environment = {**os.environ, "PARLEY_LOCAL_DIR": str(stack.directory)}
    command = [sys.executable, "-m", "tools.send", "--event", EVENT]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60)
    return ROOMS
