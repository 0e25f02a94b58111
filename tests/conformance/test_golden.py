"""The API calls of a reply, compared byte for byte with `tests/golden/<platform>/<case>.json`.

A file holds `about`, `reply`, `to` (without platform and app), optionally `form`, and the expected result: `calls`, or
`undeliverable`. If the platform polls for replies, `polled` is the response to a poll.
`PARLEY_UPDATE_GOLDEN=1 pytest tests/conformance/test_golden.py` writes the expected results again. Read the difference
before you commit it.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parley.adapter import Call, Sent, UndeliverableError
from parley.engine.attempt import is_left_out
from parley.engine.calls import CallContext
from parley.model import Destination, Outgoing, Reply
from parley.platforms import NAMES, outbound
from tests.conformance.kit import GOLDEN, Adapter, adapters

NOW = 1_718_000_000.0
FILES = sorted(GOLDEN.glob("*/*.json"))
ADAPTERS = adapters()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_reply_becomes_exactly_these_calls(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    found = {key: case[key] for key in case if key not in ("calls", "undeliverable", "polled")}
    found |= calls_of(case, ADAPTERS[path.parent.name])
    if os.environ.get("PARLEY_UPDATE_GOLDEN"):
        path.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", "utf-8")
    assert json.loads(path.read_text("utf-8")) == found


@pytest.mark.parametrize("platform", NAMES)
def test_every_platform_has_golden_files(platform: str) -> None:
    assert [path for path in FILES if path.parent.name == platform]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_second_run_makes_the_same_calls(path: Path) -> None:
    """After a crash the calls are made again, minutes later, and the recorded receipts are passed in."""
    case, adapter = json.loads(path.read_text("utf-8")), ADAPTERS[path.parent.name]
    first, second = (calls_of(case, adapter, NOW + wait) for wait in (0, 0.5))
    assert first == second


def calls_of(case: dict[str, Any], adapter: Adapter, now: float = NOW) -> dict[str, Any]:
    """The calls of `deliver` if each call succeeds, and the response to a poll."""
    platform = outbound(adapter.platform)
    to = {"platform": adapter.platform, "app": adapter.app.name, **case["to"]}
    out = Outgoing(
        id="0123456789abcdef0123456789abcdef",
        message_key="key",
        ordinal=0,
        to=msgspec.convert(to, Destination),
        reply=msgspec.convert(case["reply"], Reply),
        created=now,
        form=case.get("form", "rich"),
    )
    if is_left_out(CallContext(out, adapter.app, platform)):
        return {"calls": []}
    polled = adapter.polled(out) if adapter.polled else None
    return ({"polled": polled} if polled else {}) | _delivered(out, adapter, now)


def _delivered(out: Outgoing, adapter: Adapter, now: float) -> dict[str, Any]:
    platform = outbound(adapter.platform)
    calls: list[Call] = []
    sent: Sent | None = None
    try:
        steps = platform.deliver(out, adapter.app, now)
        while True:
            call = next(steps) if sent is None else steps.send(sent)
            calls.append(call)
            assert platform.limits(call, out, adapter.app) is not None
            outcome = platform.outcome(call, adapter.receipt(call, len(calls)))
            assert isinstance(outcome, Sent), outcome
            sent = outcome
    except StopIteration:
        return {"calls": [written(call) for call in calls]}
    except UndeliverableError as error:
        return {"undeliverable": str(error)}


def written(call: Call) -> dict[str, Any]:
    """A call as JSON, without its empty fields."""
    fields = msgspec.to_builtins(call)
    fields["idempotent_for"] = "forever" if math.isinf(call.idempotent_for) else call.idempotent_for
    return {name: value for name, value in fields.items() if value not in (None, {}, "") and value is not False}
