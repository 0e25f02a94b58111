"""The operator's tool for the companies that have installed an app."""

import json
import time
from typing import Any

import pytest

from parley.engine.aws import dynamodb
from parley.journal.tenants import Tenant, TenantId, Tenants
from parley.model.codec import decode_message
from parley_cli.deployment import Deployment, QueuePair
from tests.unit.cli.tool import parley, use_deployment

pytestmark = pytest.mark.usefixtures("aws")
NOW = 1_800_000_000.0
ARGUMENTS = ("tenants", "wecom/demo")
ONE, TWO = TenantId("wecom", "demo", "wpA"), TenantId("wecom", "demo", "wpB")


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Tenants:
    """One company that has the app, one that has removed it, and one of another app."""
    use_deployment(monkeypatch, Deployment(None, None, dynamodb(), "parley", ()))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    made = Tenants(dynamodb(), "parley")
    for id_ in (ONE, TWO, TenantId("wecom", "demo2", "wpC")):
        made.grant(id_, "sealed", NOW, f"hash-{id_.id}", NOW)
        tenant = made.get(id_)
        assert isinstance(tenant, Tenant)
        made.complete(tenant, "1000046", "{}", NOW)
    made.withdraw(TWO, NOW + 1, NOW)
    return made


def test_it_lists_the_companies_of_one_app(stored: Tenants, capsys: pytest.CaptureFixture[str]) -> None:
    assert parley(*ARGUMENTS) == 0
    assert capsys.readouterr().out.splitlines() == ["wpA  ACTIVE  agent 1000046  {}", "wpB  CANCELLED  agent   "]
    assert stored.get(ONE)


def test_it_says_what_it_has_deleted(stored: Tenants, capsys: pytest.CaptureFixture[str]) -> None:
    stored.client.put_item(TableName="parley", Item={"pk": {"S": "token#wecom#demo@wpB#access_token"}})
    assert parley(*ARGUMENTS, "--delete", "wpB") == 0
    assert parley(*ARGUMENTS, "--delete", "wpB") == 0
    assert capsys.readouterr().out == "token deleted: 1\nnothing found\n"


def test_it_deletes_nothing_where_rows_do_not_name_the_organisation(
    stored: Tenants, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parley("tenants", "feishu/demo", "--delete", "t1") == 1
    assert "parley forget" in capsys.readouterr().err
    assert stored.get(ONE)


def test_it_refuses_a_company_that_has_the_app(stored: Tenants, capsys: pytest.CaptureFixture[str]) -> None:
    assert parley(*ARGUMENTS, "--delete", "wpA") == 1
    assert "wpA has not removed the app demo" in capsys.readouterr().err
    assert stored.get(ONE)


def test_programs_get_the_companies_as_json(stored: Tenants, capsys: pytest.CaptureFixture[str]) -> None:
    assert parley(*ARGUMENTS, "--json") == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == ["wpA", "wpB"]


class Queue:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **request: Any) -> None:
        self.sent.append(request)


def test_it_queues_a_comparison_of_each_company_that_has_the_app(
    stored: Tenants, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = Queue()
    pairs = (QueuePair("inbound", "in-url", "dead-url"),)
    use_deployment(monkeypatch, Deployment(queue, None, stored.client, "parley", pairs))
    assert parley(*ARGUMENTS, "--compare") == 0
    assert capsys.readouterr().out == "queued: 1\n"
    [request] = queue.sent
    message = decode_message(request["MessageBody"])
    assert (request["QueueUrl"], message.app, message.context.tenant) == ("in-url", "demo", "wpA")
    assert message.context.authorisation == "compared"


@pytest.mark.parametrize("platform", ["feishu", "discord", "http", "wecom_bot", "wechat"])
def test_it_compares_nothing_where_the_platform_has_no_list(
    stored: Tenants, platform: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parley("tenants", f"{platform}/demo", "--compare") == 1
    assert "no call" in capsys.readouterr().err
    assert stored.get(ONE)


def test_it_does_not_compare_and_delete_at_once(stored: Tenants, capsys: pytest.CaptureFixture[str]) -> None:
    assert parley(*ARGUMENTS, "--compare", "--delete", "wpB") == 1
    assert "one of" in capsys.readouterr().err
    assert stored.get(TWO)
