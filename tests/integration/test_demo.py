"""The cases of `make demo` as tests: conversations and attacks on every platform, over HTTP on the deployed stack."""

import base64
import json
import time
from typing import Any

import pytest

from tests.leaks import leaks
from tests.stack import Stack
from tools.demo.case import Case
from tools.demo.cases import PLATFORMS, run

SECRET = {"app_secret", "bot_token", "encoding_aes_key", "encrypt_key", "secret", "signing_key", "token"}
SECRET |= {"issuers", "suite_secret", "verification_token", "webhook_secrets", "webhooks"}
PUBLIC = {
    "agent_id",
    "app_id",
    "app_type",
    "application_id",
    "bot_open_id",
    "corp_id",
    "host",
    "install",
    "logins",
    "mode",
    "names",
    "provider_corp_id",
    "suite_id",
}
PUBLIC |= {"bot_id", "gateway_intents", "name", "origins", "original_id", "public_key", "reply_mode", "webhook_url"}
PUBLIC |= {"requests_per_minute", "sockets"}
CASES = [
    pytest.param(platform, case, id=f"{platform}: {case.sent}")
    for platform, cases in PLATFORMS.items()
    for case in cases
]


@pytest.mark.parametrize(("platform", "case"), CASES)
def test_a_case_of_the_demo_passes(stack: Stack, platform: str, case: Case) -> None:
    assert run(case, stack.facts, platform).got == case.expected


@pytest.fixture(scope="module", autouse=True)
def began() -> float:
    """The time at which the cases begin."""
    return time.time()


def test_no_log_line_holds_a_text_a_name_or_a_credential(stack: Stack, began: float) -> None:
    """Of all that the cases above have sent and received; of two cases a platform if this test runs alone."""
    for platform, cases in PLATFORMS.items():
        for case in cases[1:3]:
            assert run(case, stack.facts, platform).ok
    shown = [message for platform in PLATFORMS for message in said(stack, platform) if message["at"] >= began]
    private = {*(str(message["text"]) for message in shown), *names(stack), *credentials(stack), *tokens(stack)}
    assert {"你好, Parley", "Lin Mei"} <= private
    lines = stack.logs().splitlines()
    assert any(shown[0]["id"] in line for line in lines)
    assert leaks(lines, private) == []


def said(stack: Stack, platform: str) -> list[dict[str, Any]]:
    """All messages of a platform, of persons and of the bot."""
    return stack.get("/api/messages", platform=platform)["messages"]


def names(stack: Stack) -> set[str]:
    """The names of all persons. The first names of some are their ids in the playground."""
    platforms = stack.get("/api/rooms")["platforms"]
    return {person[key] for platform in platforms for person in platform["persons"] for key in ("name", "name_zh")}


def credentials(stack: Stack) -> set[str]:
    """The secret values in the configurations of all apps."""
    apps = [config for platform in stack.facts["apps"].values() for config in platform.values()]
    assert {name for config in apps for name in config} <= SECRET | PUBLIC
    single = [config[name] for config in apps for name in SECRET & config.keys() if isinstance(config[name], str)]
    hooks = [value for config in apps for hook in config.get("webhooks", {}).values() for value in hook.values()]
    lists = [holder["secrets"] for config in apps for holder in config.get("issuers", ())]
    lists += [config.get("webhook_secrets", ()) for config in apps]
    return {*single, *hooks, *(secret for one in lists for secret in one)}


def tokens(stack: Stack) -> set[str]:
    """The access tokens and tickets that are stored, and the interaction tokens of Discord."""
    rows = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.facts["table"])
    items = [item for page in rows for item in page["Items"]]
    held = [item for item in items if item["pk"]["S"].startswith(("token#", "credential#"))]
    # The row of a company that has left has none.
    stored = {item["value"]["S"] for item in held if "value" in item}
    interactions = [json.loads(base64.b64decode(wire["body"])) for wire in wires(stack, "discord")]
    sent = {body["token"] for body in interactions if "token" in body}
    bearers = {wire["headers"]["Authorization"].removeprefix("Bearer ") for wire in wires(stack, "http")}
    assert stored
    assert sent
    assert bearers
    return stored | sent | bearers


def wires(stack: Stack, platform: str) -> list[dict[str, Any]]:
    """The requests of a platform to its callbacks."""
    ids = [message["id"] for message in said(stack, platform) if message["delivery"]]
    return [stack.get(f"/api/trace/{id_}")["wire"] for id_ in ids]
