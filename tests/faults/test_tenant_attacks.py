"""What attackers and slow networks do to an app of a provider: old tickets, used codes, and many workers."""

from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest

from parley.engine.calls import Calls, asking_at
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tokens import Tokens
from parley.errors import RetryAfter
from parley.journal.table import credential_pk, get_text
from parley.journal.tenants import TenantState
from parley.model import Destination
from parley.platforms import outbound
from playground.platforms.wecom import provider
from playground.transport import PlatformTransport
from tests.faults.test_tenants import EXCHANGE, FIRST, HOST, Flow
from tests.workers import WORKERS, SlowHttp, Workers
from tools.faults.aws import isolated
from tools.faults.processes import TABLE
from tools.faults.target import APP


@pytest.fixture(autouse=True)
def own_aws() -> Iterator[None]:
    with isolated():
        yield


def ticket(flow: Flow) -> str:
    """The stored ticket."""
    row: Any = flow.sim.aws.dynamodb.items[credential_pk("wecom", APP, "suite_ticket")]
    return get_text(row, "value")


def exchanges(flow: Flow) -> int:
    return flow.plan.calls.count(EXCHANGE)


def test_an_old_ticket_that_is_replayed_does_not_replace_the_newest_one() -> None:
    flow = Flow()
    old = flow.wecom.emit_event(APP, "ticket", {})
    assert old is not None
    flow.wait(30)
    flow.emit("ticket")
    flow.wait(2)
    newest = ticket(flow)
    flow.wecom.enqueue(old)
    flow.wait(2)
    assert ticket(flow) == newest == list(flow.suite.tickets)[-1]


def test_a_code_that_comes_in_two_events_is_exchanged_once() -> None:
    """With another time, the second event is not the first one delivered twice."""
    flow = Flow()
    flow.plan.armed = True
    flow.emit("ticket")
    flow.emit("installed", FIRST)
    (code,) = flow.suite.codes
    flow.wait(10)
    provider.command(flow.wecom, flow.suite, "create_auth", AuthCode=code)
    flow.wait(60)
    assert exchanges(flow) == 1
    assert (flow.tenant(FIRST).state, flow.lost()) == (TenantState.ACTIVE, False)


def test_a_removal_that_comes_again_late_does_not_end_a_later_installation() -> None:
    flow = Flow()
    flow.emit("ticket")
    flow.emit("installed", FIRST)
    flow.wait(5)
    flow.emit("removed", FIRST)
    at = int(flow.sim.clock())
    flow.wait(30)
    flow.emit("installed", FIRST)
    flow.wait(30)
    code = flow.tenant(FIRST).code
    # Another field, so that the queue does not drop it as a copy.
    provider.command(flow.wecom, flow.suite, "cancel_auth", AuthCorpId=FIRST, TimeStamp=at, ExtraInfo="late")
    flow.wait(30)
    assert (flow.tenant(FIRST).state, flow.tenant(FIRST).code) == (TenantState.ACTIVE, code)


def test_a_thousand_workers_fetch_the_token_of_a_company_once() -> None:
    flow = Flow()
    flow.emit("ticket")
    flow.emit("installed", FIRST)
    flow.wait(10)
    workers, got = Workers(flow.sim.clock()), list[str]()
    clock = workers.scheduler.clock
    flow.wecom.clock = clock
    flow.sim._install()
    from parley.engine.aws import dynamodb

    app = flow.sim.processes.current.callbacks["wecom"].apps.get("wecom", f"{APP}@{FIRST}")
    context = asking_at(Destination(platform="wecom", app=app.name), app, outbound("wecom"))
    http = SlowHttp(httpx.Client(transport=PlatformTransport({HOST: flow.wecom})), workers=workers)

    def work() -> None:
        client = cast("Any", dynamodb())
        tokens = Tokens(client, TABLE, clock, workers.sleep, lambda: 0.5, {})
        calls = Calls(http, tokens, RateLimiter(client, TABLE, clock, workers.sleep), client, TABLE, clock)
        while True:
            try:
                token = calls.token(context)
            except RetryAfter as wait:
                workers.sleep(wait.seconds)
            else:
                assert token is not None
                got.append(token.value)
                return

    workers.run(work)
    assert (len(got), len(set(got)), workers.calls.count("corp_token")) == (WORKERS, 1, 1)
