"""The data map is complete: every kind of row and every attribute has a decision about privacy, and an end."""

import re
from collections import defaultdict
from inspect import signature
from pathlib import Path
from random import Random
from typing import Any, cast, get_args

import pytest

from connectors.discord.lease import Lease, Timing
from connectors.discord.session import Saved
from parley.adapter import App
from parley.engine.aws import dynamodb
from parley.engine.limit_row import TTL
from parley.engine.names import KNOWN_FOR
from parley.journal import forget, table
from parley.journal.credentials import store_credentials
from parley.journal.forget import Forget
from parley.journal.grants import Grant, GrantId, Grants, Pending
from parley.journal.heard import KEPT
from parley.journal.inbox import Decision, Inbox
from parley.journal.memory import Change, Memory, changed, memory_pk
from parley.journal.names import Person, store_person
from parley.journal.privacy import KINDS, Forgotten, kind_of
from parley.journal.tenants import KEEP_CANCELLED, KEEP_EXCHANGE, Tenant, TenantId, Tenants
from parley.journal.watchers import Client, Watchers
from parley.model.agenda import Agenda, Numbered, Reminder
from parley.model.state import Scope
from tests.factories import NOW, make_message
from tools.faults import random_runs
from tools.faults.aws import isolated
from tools.faults.bot import make_bot
from tools.faults.dynamodb import DynamoDB
from tools.faults.policies import FaultPlan
from tools.faults.processes import TABLE
from tools.faults.random_runs import Run
from tools.faults.renderings import renderings_of
from tools.faults.simulation import Simulation
from tools.faults.targets import TARGETS

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [ROOT / "docs" / "privacy.md", ROOT / "docs" / "privacy.zh-CN.md"]
FORGOTTEN = {
    "masked": ("masked", "遮蔽"),
    "emptied": ("emptied", "清空"),
    "deleted": ("deleted", "删除"),
    "kept": ("kept", "保留"),
}
ALWAYS = frozenset({"pk"})
Seen = dict[str, list[dict[str, Any]]]


def empty_states() -> None:
    """Store the states of a person and of an app, and empty them."""
    inbox = Inbox(dynamodb(), TABLE, 86_400)
    scopes: tuple[Scope, ...] = ("user", "shared", "talk")
    for id_, state in (("m1", {"count": 1}), ("m2", {})):
        message = make_message(id_)
        changes = [Change(inbox.memory(scope, message), state) for scope in scopes]
        inbox.decide(message, inbox.open(message), Decision(states=changes), NOW)


def connect_and_watch() -> None:
    """A client with a ticket connects, watches a conversation and acknowledges a reply."""
    watchers = Watchers(dynamodb(), TABLE, 86_400)
    client = Client(platform="http", app="web", person="lin", name="Lin", rooms=frozenset(), until=int(NOW) + 600)
    watchers.add_ticket("t", client, int(NOW) + 60)
    watchers.connect("c", client, NOW)
    connection = watchers.connection("c")
    assert connection is not None
    watchers.open(connection, "conversation", NOW)
    watchers.acknowledge("conversation", client.key, 7, NOW)


def log_in() -> None:
    """A person logs in, and their token is refreshed."""
    grants, person = Grants(dynamodb(), TABLE), GrantId("feishu", "demo", "ou_1")
    pending = Pending(platform="feishu", app="demo", timer="t", place="t.0", expires=NOW + 600)
    grants.begin("state", "browser", pending)
    grants.store(Grant(id=person, tokens="sealed", scopes="a b", expires=NOW + 60, ends=NOW + 600), NOW)
    found = cast("Grant", grants.get(person))
    assert grants.begin_refresh(found, "owner", NOW)
    assert grants.refreshed(found, found, NOW)


@pytest.fixture(scope="module")
def seen() -> Seen:
    """The rows that the engine writes on all platforms while calls fail and processes die, by kind."""
    rows: Seen = defaultdict(list)
    store = DynamoDB._store

    def record(self: DynamoDB, item: Any) -> None:
        rows[kind_of(item["pk"]["S"])].append(item)
        store(self, item)

    patch = pytest.MonkeyPatch()
    patch.setattr(DynamoDB, "_store", record)
    with isolated():
        for target in TARGETS:
            random_runs.run(Run(seed=5, messages=80, conversations=8, merge=1.5), target, renderings_of(target))
        Simulation((TARGETS[0],), FaultPlan(), make_bot(), Random(0))
        app = App(platform="wecom", name="demo", config=None)
        store_credentials(dynamodb(), TABLE, app, {"ticket": "t"}, NOW)
        store_person(dynamodb(), TABLE, make_message(), Person("Ann", ("1",)), NOW + KNOWN_FOR)
        empty_states()
        lease = Lease(dynamodb(), TABLE, table.gateway_pk("discord", "demo", "shard0"), "owner", Timing())
        assert lease.take() == Saved()
        assert lease.renew(Saved(session_id="s", resume_url="wss://x", seq=7, user_id="1"))
        tenants, company = Tenants(dynamodb(), TABLE), TenantId("wecom", "demo", "wp1")
        tenants.begin_exchange("hash", "owner", NOW)
        tenants.grant(company, "sealed", NOW, "hash", NOW)
        tenants.complete(cast("Tenant", tenants.get(company)), "1000046", "{}", NOW)
        tenants.withdraw(company, NOW + 1, NOW + 1)
        log_in()
        inbox, message = Inbox(dynamodb(), TABLE, 86_400), make_message("heard")
        inbox.decide(message, inbox.open(message), Decision(hear=1), NOW)
        connect_and_watch()
        Forget(dynamodb(), TABLE, lambda: NOW, lambda _seconds: None)("feishu", "demo", "person")
    patch.undo()
    return rows


def test_every_key_of_the_table_has_a_kind() -> None:
    functions = {name: value for name, value in vars(table).items() if name.endswith("_pk")}
    keys = {function(*("x" for _ in signature(function).parameters)) for function in functions.values()}
    assert {kind_of(key) for key in keys} == KINDS.keys()


def test_every_attribute_of_the_table_is_decided_for_each_kind() -> None:
    assert set().union(*(kind.personal | kind.other for kind in KINDS.values())) | ALWAYS == table.ATTRIBUTES
    assert [name for name, kind in KINDS.items() if kind.personal & kind.other] == []
    assert {kind.forgotten for kind in KINDS.values()} == set(get_args(Forgotten)) == FORGOTTEN.keys()


def test_every_kind_is_written_by_the_engine_and_only_with_its_attributes(seen: Seen) -> None:
    assert seen.keys() == KINDS.keys()
    written = {kind: set().union(*rows) - ALWAYS for kind, rows in seen.items()}
    assert {kind: names - KINDS[kind].personal - KINDS[kind].other for kind, names in written.items()} == {
        kind: set() for kind in KINDS
    }


def test_every_row_expires_or_has_a_reason_to_stay(seen: Seen) -> None:
    assert {kind for kind, rows in seen.items() if not all("ttl" in row for row in rows)} == {
        name for name, kind in KINDS.items() if kind.stays
    }
    assert {kind for kind, rows in seen.items() if any("ttl" in row for row in rows)} == {
        name for name, kind in KINDS.items() if kind.expires
    }


def test_a_conversation_without_a_state_and_plans_expires_with_the_numbers_on_its_cards() -> None:
    message, numbers = make_message(), (Numbered(number=1, at=NOW, id="s", value="about tea"),)
    plan = Reminder(id="r", at=NOW + 60, by="person")
    for agenda, state, expires in (
        (Agenda(numbers=numbers), {}, True),
        (Agenda(numbers=numbers), {"count": 1}, False),
        (Agenda(numbers=numbers, reminders={"r": plan}), {}, False),
        (Agenda(reminders={"r": plan}), {}, False),
        (Agenda(), {}, True),
    ):
        change = Change(Memory("state", memory_pk("state", message)), state, agenda)
        item = changed(TABLE, change, message, NOW, 99).get("Put", {}).get("Item", {})
        assert ("ttl" in item) is expires, agenda


def test_times_are_those_of_the_code() -> None:
    assert KINDS["name"].expires == f"{KNOWN_FOR / 86_400:g} day"
    assert KINDS["heard"].expires == f"{KEPT / 3600:g} hour"
    assert KINDS["limit"].expires == f"{TTL / 86_400:g} days"
    assert KINDS["tenant"].expires == f"{KEEP_CANCELLED / 86_400:g} days"
    assert KINDS["install"].expires == f"{KEEP_EXCHANGE / 86_400:g} days"
    assert KINDS["forget"].expires == f"{forget.KEEP_PROGRESS / 86_400:g} days"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_document_has_the_map_of_the_code(document: Path) -> None:
    rows = re.findall(r"^\| `(\w+)#` \|[^|]+\|([^|]+)\|([^|]+)\| (\S+) \|$", document.read_text(), re.MULTILINE)
    assert [name for name, *_ in rows] == list(KINDS)
    for name, personal, kept, done in rows:
        kind = KINDS[name]
        assert set(re.findall(r"`(\w+)`", personal)) == kind.personal, name
        assert done in FORGOTTEN[kind.forgotten], name
        expires = {
            kind.expires,
            kind.expires.replace("days", "天").replace("day", "天").replace("hours", "小时").replace("hour", "小时"),
        }
        assert any(text in kept for text in expires), name
        assert bool(kind.stays) == any(word in kept for word in ("until", "no limit", "直到", "不限")), name
