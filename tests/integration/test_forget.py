"""A person who has talked on a platform is forgotten on the deployed stack, and can talk again."""

import os
import re
import subprocess
import sys
import uuid
from typing import Any

import pytest

from parley.platforms import NAMES
from tests.stack import ROOT, Stack


def say(stack: Stack, platform: str, person: str, text: str, count: int) -> tuple[str, list[str]]:
    """Have the person write to the bot. Returns the id of the message, and the bot's texts once there are `count`."""
    sent = stack.post("/api/messages", platform=platform, app="demo", room="private", sender=person, text=text)
    stack.wait(lambda: len(stack.replies(sent["room"], platform)) >= count)
    return sent["message_id"], [message["text"] for message in stack.replies(sent["room"], platform)]


def forget(stack: Stack, platform: str, person: str) -> str:
    """Run the tool. Returns what it prints."""
    command = [sys.executable, "-m", "parley_cli", "forget", f"{platform}/demo", person]
    environment = {**os.environ, "PARLEY_LOCAL_DIR": str(stack.directory)}
    done = subprocess.run(
        [*command, "--pages", "100"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(stack: Stack, words: list[str]) -> list[tuple[str, str]]:
    """The rows and attributes of the table that hold one of `words`."""
    alone = re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.facts["table"])
    items: list[dict[str, Any]] = [item for page in pages for item in page["Items"]]
    return [(item["pk"]["S"], name) for item in items for name, value in item.items() if alone.search(str(value))]


@pytest.mark.parametrize("platform", NAMES)
def test_nothing_of_a_forgotten_person_is_left_and_they_can_talk_again(stack: Stack, platform: str) -> None:
    person, secret = f"person-{uuid.uuid4().hex[:8]}", f"sesame-{uuid.uuid4().hex}"
    id_, _ = say(stack, platform, person, f"/echo {secret}", 1)
    say(stack, platform, person, f"/remind 50m {secret}", 2)
    assert say(stack, platform, person, "/count", 3)[1][2] == "1"
    native = stack.get(f"/api/journal/{id_}")["message"]["sender"]["id"]
    assert {pk.partition("#")[0] for pk, _ in rows(stack, [secret])} == {"in", "out", "conv", "timer"}
    report = forget(stack, platform, native)
    assert re.search(r"^in masked: 3$", report, re.MULTILINE)
    assert re.search(r"^timer deleted: 1$", report, re.MULTILINE)
    assert rows(stack, [secret, native, person]) == []
    assert forget(stack, platform, native).startswith("nothing found")
    assert say(stack, platform, person, "/count", 4)[1][3] == "1"
