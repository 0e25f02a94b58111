"""Organisations install and remove apps that need no code of theirs: the table knows them on every platform."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from msgspec import convert

from parley.adapter import Accepted, App, Headers, Request, Token
from parley.bot import Bot, Turn
from parley.engine.aws import dynamodb
from parley.engine.calls import Calls
from parley.engine.processor import Processor
from parley.engine.rate_limiter import RateLimiter
from parley.engine.tenants import Tenancy
from parley.engine.tokens import Tokens
from parley.journal.inbox import Inbox
from parley.journal.tenants import Tenant, TenantId, Tenants, TenantState
from parley.model import Context, Message
from parley.model.codec import encode
from parley.platforms import NAMES, config_type, inbound, installations, portable_events
from tests.factories import make_message
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
MakeRecord = Callable[..., dict[str, Any]]
AT = 1_800_000_000
STORE_APP = {"app_id": "cli_a", "app_secret": "s", "encrypt_key": "", "verification_token": "v", "app_type": "store"}


class OneApp:
    """The configuration of one app, for the work on tenants."""

    def __init__(self, app: App) -> None:
        self.app = app

    def get(self, *_: str) -> App:
        return self.app


def store_app() -> App:
    return App("feishu", "demo", convert(STORE_APP, config_type("feishu")))


@pytest.fixture
def tenants() -> Tenants:
    return Tenants(dynamodb(), "parley")


def event(name: str, at: float, platform: str = "feishu", tenant: str = "t1") -> Message:
    return make_message(
        f"{name}-{at}", kind="event", event=name, platform=platform, timestamp=at, context=Context(tenant=tenant)
    )


def found(tenants: Tenants, platform: str = "feishu") -> Tenant | None:
    return tenants.get(TenantId(platform, "demo", "t1"))


class Work:
    """The processor with a bot that says which events it gets."""

    def __init__(self, record: MakeRecord, clock: Clock) -> None:
        self.record, self.seen = record, list[str]()
        bot = Bot()

        @bot.event("app_installed")
        @bot.event("app_removed")
        @bot.event("bot_added")
        @bot.event("bot_removed")
        def seen(turn: Turn) -> None:
            self.seen.append(turn.message.event)

        tokens = Tokens(dynamodb(), "parley", clock=clock)
        calls = Calls(cast("Any", None), tokens, RateLimiter(dynamodb(), "parley"), dynamodb(), "parley")
        tenancy = Tenancy(calls, cast("Any", OneApp(store_app())), clock)
        self.tokens = tokens
        self.processor = Processor(bot, Inbox(dynamodb(), "parley", 86_400), clock=clock, tenancy=tenancy)

    def __call__(self, *messages: Message) -> None:
        for message in messages:
            self.processor(self.record(encode(message)))


@pytest.fixture
def work(record: MakeRecord, clock: Clock) -> Work:
    return Work(record, clock)


def test_a_store_app_of_feishu_is_installed_and_removed_and_the_bot_knows_it(work: Work, tenants: Tenants) -> None:
    work(event("app_open", AT))
    tenant = found(tenants)
    assert tenant is not None
    assert (tenant.state, tenant.code, tenant.authorised) == (TenantState.ACTIVE, "", AT)
    work(event("app_uninstalled", AT + 1))
    tenant = found(tenants)
    assert tenant is not None
    assert (tenant.state, tenant.withdrawn) == (TenantState.CANCELLED, AT + 1)
    assert work.seen == ["app_open", "app_uninstalled"]


@pytest.mark.parametrize("late", ["app_open", "app_uninstalled"])
def test_an_event_that_comes_late_or_twice_changes_nothing(work: Work, tenants: Tenants, late: str) -> None:
    last = "app_uninstalled" if late == "app_open" else "app_open"
    work(event(last, AT + 10))
    before = found(tenants)
    work(event(late, AT), event(last, AT + 10), event(late, AT))
    assert found(tenants) == before


def test_an_app_that_is_removed_and_installed_again_is_installed(work: Work, tenants: Tenants) -> None:
    work(event("app_open", AT), event("app_uninstalled", AT + 1), event("app_open", AT + 2))
    tenant = found(tenants)
    assert tenant is not None
    assert tenant.state is TenantState.ACTIVE


def test_the_token_of_an_organisation_that_leaves_is_deleted(work: Work) -> None:
    name = "feishu#demo#https://open.feishu.cn|cli_a|t1"
    work.tokens.get(name, lambda: Token("secret", AT + 7200))
    assert "secret" in str(dynamodb().scan(TableName="parley")["Items"])
    work(event("app_open", AT), event("app_uninstalled", AT + 1))
    assert "secret" not in str(dynamodb().scan(TableName="parley")["Items"])


def test_a_server_of_discord_is_a_tenant_while_the_bot_is_on_it(work: Work, tenants: Tenants) -> None:
    work(event("APPLICATION_AUTHORIZED", AT, "discord"), event("GUILD_CREATE", AT + 1, "discord"))
    tenant = found(tenants, "discord")
    assert tenant is not None
    assert tenant.state is TenantState.ACTIVE
    work(event("GUILD_DELETE", AT + 2, "discord"))
    tenant = found(tenants, "discord")
    assert tenant is not None
    assert tenant.state is TenantState.CANCELLED


def test_an_event_without_an_organisation_is_for_the_bot_alone(work: Work, tenants: Tenants) -> None:
    work(event("APPLICATION_AUTHORIZED", AT, "discord", tenant=""))
    assert work.seen == ["APPLICATION_AUTHORIZED"]
    assert found(tenants, "discord") is None


@pytest.mark.parametrize("platform", NAMES)
def test_events_of_installations_have_portable_names(platform: str) -> None:
    assert installations(platform).keys() <= portable_events(platform).keys()


def test_the_event_of_feishu_names_its_organisation() -> None:
    """Feishu docs: app_open, version 1."""
    body = b'{"uuid":"u1","token":"v","ts":"1800000000.5","type":"event_callback","event":{"app_id":"cli_a",'
    body += b'"tenant_key":"t1","type":"app_open","installer":{"open_id":"ou_1"}}}'
    request = Request(headers=Headers({"content-type": "application/json"}), body=body)
    accepted = inbound("feishu").receive(request, store_app(), AT)
    assert isinstance(accepted, Accepted)
    (message,) = accepted.messages
    assert (message.event, message.context.tenant, message.timestamp) == ("app_open", "t1", AT)
