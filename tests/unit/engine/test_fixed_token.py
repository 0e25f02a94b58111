"""A token that is a part of the configuration is stored nowhere else."""

import json
from typing import Any

import httpx
import pytest

from parley.adapter import Call, Sent, TokenRejected
from parley.engine.aws import dynamodb
from parley.engine.calls import CallContext, Calls
from parley.engine.http import Http
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.model import Destination, Outgoing, Reply, Text
from parley.platforms import NAMES, outbound
from tests.conformance.adapters.discord import APP, TOKEN
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
OUT = Outgoing(
    id="0" * 32,
    message_key="k",
    ordinal=0,
    to=Destination(platform="discord", app="demo", room_id="30"),
    reply=Reply(segments=(Text(text="x"),)),
    created=0,
)


def rows() -> list[dict[str, Any]]:
    return dynamodb().scan(TableName="parley").get("Items", [])


def send(clock: Clock, status: int) -> tuple[Any, list[str]]:
    """The outcome of a call, and the Authorization headers that were sent."""
    sent: list[str] = []

    def discord(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return httpx.Response(status, json={"id": "9", "code": 0})

    http = Http(httpx.Client(transport=httpx.MockTransport(discord)))
    tokens = Tokens(dynamodb(), "parley", clock, clock.sleep)
    calls = Calls(http, tokens, RateLimiter(dynamodb(), "parley"), dynamodb(), "parley", clock)
    call: Call = next(outbound("discord").deliver(OUT, APP, clock.now))
    return calls.make(CallContext(OUT, APP, outbound("discord")), call), sent


@pytest.mark.parametrize(("status", "kind"), [(200, Sent), (401, TokenRejected)])
def test_the_bot_token_is_sent_once_and_is_in_no_row(clock: Clock, status: int, kind: type) -> None:
    """A rejected token of the configuration stays the same, so a second call with it would be rejected as well."""
    outcome, sent = send(clock, status)
    assert isinstance(outcome, kind)
    assert sent == [f"Bot {TOKEN}"]
    assert TOKEN not in json.dumps(rows())
    assert not [row for row in rows() if row["pk"]["S"].startswith("token#")]


@pytest.mark.parametrize("platform", NAMES)
def test_only_discord_has_a_fixed_token(platform: str) -> None:
    assert outbound(platform).PROFILE.fixed_token is (platform == "discord")
