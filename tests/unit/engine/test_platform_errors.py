"""An exception at any point of a platform's code ends the reply with a reason and does not block other replies."""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parley.adapter import Answer, Call, Profile
from parley.engine import delivery
from parley.engine.aws import dynamodb
from parley.engine.calls import Calls
from parley.engine.delivery import Deliverer
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.inbox import Inbox
from parley.journal.outbox import Outbox
from parley.journal.passive import DeferredReplies
from parley.journal.rows import row_of
from parley.journal.states import FINAL, ReplyState, Row
from parley.journal.table import get, reply_pk
from parley.model import Destination, Outgoing, Reply, reply_id
from parley.model.codec import encode
from parley.platforms import NAMES, outbound
from tests.conformance.kit import Adapter, adapters
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
GOLDEN = Path(__file__).parents[2] / "golden"
ADAPTERS = adapters()
TOKENS = {"code": 0, "errcode": 0, "tenant_access_token": "t", "access_token": "t", "expire": 7200, "expires_in": 7200}
SEED = os.environ.get("PYTHONHASHSEED", "0")
"""`make test` sets a new value for each run, the same for all processes of the run."""


class Boom(Exception):
    """The exception that the platform's code raises in these tests."""


class Broken:
    """The platform `name` with a method `point` that raises: `deliver` after it has yielded `after` calls, any other
    method after `after` uses.
    """

    def __init__(self, name: str, point: str, after: int = 0) -> None:
        self._real: Any = outbound(name)
        self._point, self._after = point, after
        self.PROFILE = Profile(retry_for=10, pushed_credentials=self._real.PROFILE.pushed_credentials)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name != self._point:
            return real
        if name == "deliver" and self._after:
            return self._deliver
        self._after -= 1
        return real if self._after >= 0 else self._raise

    def _raise(self, *_: Any) -> Any:
        raise Boom

    def _deliver(self, *arguments: Any) -> Iterator[Call]:
        steps, receipt = self._real.deliver(*arguments), None
        for _ in range(self._after):
            receipt = yield next(steps) if receipt is None else steps.send(receipt)
        raise Boom


class Http:
    """Answers every call with success."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.calls = 0

    def perform(self, call: Call, token: str = "") -> Answer:
        self.calls += 1
        if call.name == "token":
            return Answer(200, json.dumps(TOKENS).encode())
        return self._adapter.receipt(call, self.calls)


class World:
    def __init__(self, platform: str, broken: Broken | None, clock: Clock, lease: float = 2) -> None:
        self.adapter, self.clock = ADAPTERS[platform], clock
        self.http = Http(self.adapter)
        limiter = RateLimiter(dynamodb(), "parley", clock, clock.sleep)
        tokens = Tokens(dynamodb(), "parley", clock, clock.sleep)
        calls = Calls(self.http, tokens, limiter, dynamodb(), "parley", clock)  # type: ignore[arg-type]
        outbox, deferred = Outbox(dynamodb(), "parley", lease), DeferredReplies(dynamodb(), "parley", 86_400)
        self.deliverer = Deliverer(outbox, deferred, calls, self, clock)  # type: ignore[arg-type]
        self.broken = broken

    def get(self, _platform: str, _name: str) -> Any:
        """The app, as `Apps` returns it."""
        return self.adapter.app

    def outgoing(self, reply: Reply, to: Destination) -> Outgoing:
        """The reply as a decision has it."""
        return Outgoing(id=reply_id("key", 0), message_key="key", ordinal=0, to=to, reply=reply, created=self.clock.now)

    def decided(self, out: Outgoing) -> dict[str, Any]:
        """The record of a reply that the journal has."""
        Inbox(dynamodb(), "parley", 86_400).add(out, self.clock.now)
        return {"body": encode(out).decode(), "messageId": "r", "attributes": {"ApproximateReceiveCount": "1"}}

    def row(self, out: Outgoing) -> Row:
        """The reply in the journal."""
        return row_of(get(dynamodb(), "parley", reply_pk(out.id)))

    def deliver(self, case: dict[str, Any]) -> tuple[Row, int]:
        """The row of the reply at the end, and the number of attempts."""
        to = {"platform": self.adapter.platform, "app": self.adapter.app.name, **case["to"]}
        out = self.outgoing(msgspec.convert(case["reply"], Reply), msgspec.convert(to, Destination))
        record = self.decided(out)
        for attempt in range(1, 30):
            try:
                self.deliverer(record)
                return self.row(out), attempt
            except RetryAfter as retry:
                self.clock.now += max(retry.seconds, 0.1)
        raise AssertionError("the reply never ends")


def replies(platform: str) -> list[dict[str, Any]]:
    """Golden files of the platform: two, and up to two edits and recalls. The choice depends on the seed of the run."""
    files = sorted((GOLDEN / platform).glob("*.json"))
    changes = [path for path in files if path.stem.startswith(("edit", "recall"))]
    chosen = random.Random(SEED)
    picked = [*chosen.sample(changes, min(2, len(changes))), *chosen.sample(files, 2)]
    return [json.loads(path.read_text("utf-8")) for path in picked]


POINTS = [
    *(("deliver", after) for after in (0, 1)),
    *(("outcome", after) for after in (0, 1)),
    *(("limits", after) for after in (0, 1, 2)),
    ("token_key", 0),
    ("token", 0),
    ("limit_feedback", 0),
]


@pytest.mark.parametrize(("point", "after"), POINTS)
@pytest.mark.parametrize("platform", NAMES)
def test_an_exception_in_the_code_of_a_platform_ends_the_reply_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: str, point: str, after: int
) -> None:
    for case in replies(platform):
        broken = Broken(platform, point, after)
        monkeypatch.setattr(delivery, "outbound", lambda _, found=broken: found)
        clear_table()
        world = World(platform, broken, clock)
        row, attempts = world.deliver(case)
        assert row.state in FINAL
        assert row.state is ReplyState.SENT or row.reason, (SEED, case["about"], row)
        assert attempts < 15
        assert world.http.calls <= len(case.get("calls", ())) + 2 * attempts + 5


def clear_table() -> None:
    """Delete all rows, so that the next reply starts with an empty table."""
    for item in dynamodb().scan(TableName="parley")["Items"]:
        dynamodb().delete_item(TableName="parley", Key={"pk": item["pk"]})
