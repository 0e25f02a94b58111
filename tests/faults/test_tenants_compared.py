"""The platform's event about a company is lost. A comparison of the row with the platform makes it good."""

from collections.abc import Iterator

import pytest

from parley.journal.tenants import TenantId, TenantState
from parley.model import Conversation, message_key
from parley.model.codec import encode
from parley_cli.tenants import comparison
from tests.faults.test_tenants import APP, FIRST, SECOND, THIRD, Flow
from tools.faults.aws import isolated
from tools.faults.policies import Fault


@pytest.fixture(autouse=True)
def own_aws() -> Iterator[None]:
    with isolated():
        yield


def compare(flow: Flow, company: str) -> None:
    message = comparison(TenantId("wecom", APP, company), flow.sim.clock())
    flow.sim.inbound.send(encode(message).decode(), Conversation.of(message).key, message_key(message))


def installed(faults: dict[int, Fault] | None = None) -> Flow:
    """Two companies have the app, and have had an answer."""
    flow = Flow(faults)
    flow.emit("ticket")
    for company in (FIRST, SECOND):
        flow.emit("installed", company)
        flow.say(company, "one")
    flow.wait(60)
    return flow


def leave_without_an_event(flow: Flow, faults: dict[int, Fault] | None = None) -> list[str]:
    """Returns the calls of the comparison."""
    flow.suite.companies[FIRST].code = ""
    flow.plan.armed = True
    compare(flow, FIRST)
    flow.wait(600)
    flow.plan.armed = False
    return flow.plan.calls


def tokens_of(flow: Flow, company: str) -> list[str]:
    """The keys of the rows with an access token of one company."""
    items = flow.sim.aws.dynamodb.items.items()
    return [pk for pk, item in items if pk.startswith("token#") and company in pk and "value" in item]


def test_a_company_that_has_left_is_cancelled_and_its_secrets_are_deleted() -> None:
    flow = installed()
    assert tokens_of(flow, FIRST)
    leave_without_an_event(flow)
    compare(flow, SECOND)
    flow.wait(60)
    assert (flow.tenant(FIRST).state, flow.tenant(FIRST).code, tokens_of(flow, FIRST)) == (
        TenantState.CANCELLED,
        "",
        [],
    )
    assert (flow.tenant(SECOND).state, bool(tokens_of(flow, SECOND))) == (TenantState.ACTIVE, True)


def test_with_a_crash_at_any_call_of_it_no_secret_stays() -> None:
    names = leave_without_an_event(installed())
    found: list[object] = []
    for number, name in enumerate(names, 1):
        for fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
            flow = installed({number: fault})
            leave_without_an_event(flow)
            tenant = flow.tenant(FIRST)
            if tenant.state is not TenantState.CANCELLED or tenant.code or tokens_of(flow, FIRST):
                found.append((number, name, fault, tenant.state))
    assert len(names) > 3
    assert found == []


def test_a_change_whose_event_was_lost_is_stored_and_the_bot_gets_no_event() -> None:
    flow = installed()
    flow.suite.companies[FIRST].persons = ["Lin", "Wang"]
    compare(flow, FIRST)
    flow.wait(60)
    assert '"persons":2' in flow.tenant(FIRST).scope
    assert "tenant_compared" not in str([key for key in flow.sim.aws.dynamodb.items if key.startswith("in#")])
    flow.say(FIRST, "two")
    flow.wait(60)
    assert flow.shown(FIRST) == ["one 111", "two 222"]


def test_an_event_does_not_wait_behind_a_comparison_that_the_platform_does_not_answer() -> None:
    flow = installed()
    flow.suite.companies[FIRST].agent = -1  # the comparison is tried again
    compare(flow, FIRST)
    flow.wait(1)
    flow.emit("removed", FIRST)
    flow.sim.settle(until=flow.sim.clock() + 1)
    assert (flow.tenant(FIRST).state, flow.tenant(FIRST).code) == (TenantState.CANCELLED, "")


def test_state_never_goes_back() -> None:
    """A company that has removed the app, and one that is not known."""
    flow = installed()
    flow.emit("removed", FIRST)
    flow.wait(60)
    before = flow.tenant(FIRST)
    flow.suite.companies[FIRST].code = "c" * 64  # the platform would say that it has the app
    compare(flow, FIRST)
    compare(flow, THIRD)
    flow.wait(60)
    assert flow.tenant(FIRST) == before
    assert flow.tenant(THIRD) is None
    assert not flow.lost()
