"""Tenants: the state of an organisation never goes back, in any order of its events."""

from itertools import permutations
from typing import Any

import pytest

from parley.adapter import name_in
from parley.engine.aws import dynamodb
from parley.errors import RetryAfter
from parley.journal import table as t
from parley.journal.inbox import Decision, Inbox
from parley.journal.memory import Change
from parley.journal.tenant_eraser import StillInstalledError, TenantEraser
from parley.journal.tenants import EXCHANGE, Tenant, TenantId, Tenants, TenantState
from parley.model import Context, Message, Sender
from tests.factories import make_message, make_reply

pytestmark = pytest.mark.usefixtures("aws")
NOW = 1_800_000_000.0
ID = TenantId("wecom", "demo", "wpAbC")


@pytest.fixture
def tenants() -> Tenants:
    return Tenants(dynamodb(), "parley")


def found(tenants: Tenants) -> Tenant:
    tenant = tenants.get(ID)
    assert tenant is not None
    return tenant


def install(tenants: Tenants, at: float, code: str = "sealed") -> None:
    tenants.grant(ID, code, at, f"hash-{at}-{code}", NOW)


def test_an_installation_waits_until_the_scope_is_known(tenants: Tenants) -> None:
    assert tenants.get(ID) is None
    install(tenants, NOW)
    assert (found(tenants).state, found(tenants).code) == (TenantState.WAITING, "sealed")
    assert tenants.complete(found(tenants), "1000046", "{}", NOW)
    assert (found(tenants).state, found(tenants).agent, found(tenants).scope) == (TenantState.ACTIVE, "1000046", "{}")


@pytest.mark.parametrize("order", [*permutations(range(4)), (0, 1, 2, 3, 2, 1, 0)])
def test_in_every_order_the_last_authorisation_and_the_last_removal_decide(
    tenants: Tenants, order: tuple[int, ...]
) -> None:
    events: list[Any] = [
        lambda: install(tenants, NOW + 1, "first"),
        lambda: tenants.withdraw(ID, NOW + 2, NOW),
        lambda: install(tenants, NOW + 3, "second"),
        lambda: tenants.withdraw(ID, NOW + 4, NOW),
    ]
    for number in order:
        events[number]()
    assert (found(tenants).state, found(tenants).code) == (TenantState.CANCELLED, "")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_every_order_an_app_that_was_installed_again_is_installed(tenants: Tenants, order: tuple[int, ...]) -> None:
    events: list[Any] = [
        lambda: install(tenants, NOW + 1, "first"),
        lambda: tenants.withdraw(ID, NOW + 2, NOW),
        lambda: install(tenants, NOW + 3, "second"),
    ]
    for number in order:
        events[number]()
    assert (found(tenants).state, found(tenants).code) == (TenantState.WAITING, "second")


def test_a_removal_that_comes_again_does_not_end_an_installation_of_the_same_second(tenants: Tenants) -> None:
    assert tenants.withdraw(ID, NOW, NOW)
    install(tenants, NOW)
    assert not tenants.withdraw(ID, NOW, NOW)
    assert found(tenants).state is TenantState.WAITING


def test_a_removal_deletes_the_code_and_is_remembered_for_a_month(tenants: Tenants) -> None:
    install(tenants, NOW, "the-code")
    tenants.withdraw(ID, NOW + 1, NOW)
    row = t.get(dynamodb(), "parley", ID.pk)
    assert "the-code" not in str(row)
    assert t.get_number(row, "ttl") == NOW + 30 * 86_400
    install(tenants, NOW + 2, "another")
    assert t.get_number(t.get(dynamodb(), "parley", ID.pk), "ttl") is None


def test_what_was_asked_before_the_row_changed_is_not_stored(tenants: Tenants) -> None:
    install(tenants, NOW)
    before = found(tenants)
    tenants.withdraw(ID, NOW + 1, NOW)
    assert not tenants.complete(before, "1", "{}", NOW)
    assert not tenants.lost(before, NOW)
    assert found(tenants).state is TenantState.CANCELLED


def test_a_code_that_the_platform_refuses_ends_that_installation_and_no_later_one(tenants: Tenants) -> None:
    install(tenants, NOW)
    assert tenants.lost(found(tenants), NOW + 500)
    assert found(tenants).state is TenantState.CANCELLED
    install(tenants, NOW + 1, "second")
    assert found(tenants).code == "second"


def test_ids_that_differ_in_case_are_two_tenants(tenants: Tenants) -> None:
    install(tenants, NOW)
    assert tenants.get(TenantId("wecom", "demo", ID.id.lower())) is None
    assert tenants.get(TenantId("wecom", "other", ID.id)) is None


def test_one_worker_exchanges_a_code_until_its_time_is_over_or_it_is_exchanged(tenants: Tenants) -> None:
    tenants.begin_exchange("h", "one", NOW)
    with pytest.raises(RetryAfter):
        tenants.begin_exchange("h", "two", NOW + EXCHANGE - 1)
    tenants.begin_exchange("h", "two", NOW + EXCHANGE + 1)
    tenants.end_exchange("h", "one")  # too late: it is not its own any more
    with pytest.raises(RetryAfter):
        tenants.begin_exchange("h", "three", NOW + EXCHANGE + 2)
    tenants.end_exchange("h", "two")
    tenants.begin_exchange("h", "three", NOW + EXCHANGE + 3)
    tenants.grant(ID, "sealed", NOW, "h", NOW)
    assert tenants.exchanged("h") == ID.id
    with pytest.raises(RetryAfter):
        tenants.begin_exchange("h", "four", NOW + 10 * EXCHANGE)


def test_a_code_that_came_too_late_is_exchanged_and_not_stored(tenants: Tenants) -> None:
    tenants.withdraw(ID, NOW + 5, NOW)
    tenants.grant(ID, "sealed", NOW, "h", NOW)
    assert (tenants.exchanged("h"), found(tenants).state) == (ID.id, TenantState.CANCELLED)


# --- deletion


def talk(company: str, id_: str = "m1") -> Message:
    """A person of `company` has written, and the bot has answered. All persons have the same id."""
    message = make_message(
        id_, platform="wecom", app=name_in("demo", company), sender=Sender(id="lin"), context=Context(tenant=company)
    )
    inbox = Inbox(dynamodb(), "parley", 86_400)
    changes = [Change(inbox.memory(scope, message), {"n": 1}) for scope in ("state", "user", "shared", "talk")]
    inbox.decide(message, inbox.open(message), Decision(states=changes, replies=[make_reply(message, "hi")]), NOW)
    dynamodb().put_item(TableName="parley", Item=t.key(f"limit#wecom#{company}#send"))
    dynamodb().put_item(TableName="parley", Item=t.key(f"token#wecom#demo@{company}#access_token"))
    dynamodb().put_item(TableName="parley", Item=t.key(f"name#wecom#demo@{company}#lin"))
    return message


def rows() -> list[str]:
    return sorted(t.get_text(item, "pk") for item in dynamodb().scan(TableName="parley")["Items"])


def eraser(page: int = 2) -> TenantEraser:
    return TenantEraser(dynamodb(), "parley", lambda: None, page)


def test_what_is_stored_of_a_tenant_is_deleted_and_nothing_of_another(tenants: Tenants) -> None:
    talk("wpAb")
    others = rows()
    talk(ID.id)
    install(tenants, NOW)
    with pytest.raises(StillInstalledError):
        eraser()(ID)
    tenants.withdraw(ID, NOW + 1, NOW)

    report = eraser()(ID)

    kinds = ("conv", "in", "limit", "name", "out", "shared", "talk", "token", "user")
    assert report == dict.fromkeys(kinds, 1) | {name: 1 for name in report if name in ("queued", "heard")}
    assert [pk for pk in rows() if pk not in others] == [t.install_pk(f"hash-{NOW}-sealed"), ID.pk]
    assert set(others) <= set(rows())
    assert eraser()(ID) == {}
