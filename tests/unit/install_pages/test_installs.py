"""The install page of an app of a provider, from the page to the first answer in the company."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from botocore.exceptions import ClientError

from parley.adapter import App, Outbound
from parley.engine import install_pages
from parley.engine.calls import asking_at
from parley.journal.grants import Grants
from parley.journal.tenants import TenantState
from parley.model import Destination
from parley.platforms.wecom import outbound, suites
from parley.platforms.wecom.config import Config
from tests.faults.test_tenants import SUITE
from tests.unit.install_pages.scene import BACK, COMPANY, PAGE, Scene, Visitor

REFUSED = ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def scene(stack: ExitStack) -> Scene:
    return Scene(stack)


def test_a_company_installs_from_the_page_and_the_bot_answers_there(scene: Scene) -> None:
    visitor = Visitor(scene)
    page = visitor.open(PAGE)
    query = {name: values[0] for name, values in parse_qs(urlsplit(page.link).query).items()}
    assert (page.status, query["suite_id"], query["redirect_uri"]) == (200, SUITE["suite_id"], BACK)
    assert visitor.open(visitor.install(page)).status == 200
    scene.wait(10)
    assert scene.state_of() is TenantState.ACTIVE
    scene.say(COMPANY, "one")
    scene.wait(10)
    assert scene.shown(COMPANY) == ["one 111"]
    assert scene.rows == {}


def test_wecom_learns_the_domain_of_the_page_and_the_page_loads_nothing(scene: Scene) -> None:
    """WeCom refuses a browser that comes from another domain, or without a Referer."""
    page = Visitor(scene).open(PAGE)
    assert page.headers["referrer-policy"] == "origin"
    assert page.headers["cache-control"] == "no-store"
    for part in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'none'"):
        assert part in page.headers["content-security-policy"]
    assert page.body.count("href=") == 1
    assert Visitor(scene).open(BACK).headers["referrer-policy"] == "no-referrer"


def test_the_pages_are_in_the_language_of_the_browser(scene: Scene) -> None:
    visitor = Visitor(scene)
    assert "安装应用" in visitor.open(PAGE, accept="zh-CN,zh;q=0.9").body
    assert "Install the app" in visitor.open(PAGE).body
    assert "正在安装" in visitor.open(visitor.back(), accept="zh-CN").body


def test_a_browser_may_open_several_pages_and_end_each(scene: Scene) -> None:
    visitor = Visitor(scene)
    first, second = visitor.open(PAGE), visitor.open(PAGE)
    assert visitor.open(visitor.install(second, "wpSecondCompany1")).status == 200
    assert visitor.open(visitor.install(first)).status == 200
    scene.wait(10)
    assert {scene.state_of(), scene.state_of("wpSecondCompany1")} == {TenantState.ACTIVE}


def test_an_installation_again_after_a_removal_counts_although_the_page_is_older(scene: Scene) -> None:
    visitor = Visitor(scene)
    visitor.open(visitor.back())
    scene.wait(10)
    page = visitor.open(PAGE)
    scene.wait(5)
    scene.emit("removed", COMPANY)
    scene.wait(5)
    assert scene.state_of() is TenantState.CANCELLED
    visitor.open(visitor.install(page))
    scene.wait(10)
    assert scene.state_of() is TenantState.ACTIVE


def test_a_test_installation_is_declared_to_wecom(stack: ExitStack) -> None:
    scene = Scene(stack, test=True)
    scene.suite.is_released = False
    visitor = Visitor(scene)
    assert visitor.open(visitor.back()).status == 200
    assert scene.suite.tests == {COMPANY}


def test_without_a_ticket_there_is_a_page_and_no_link(stack: ExitStack) -> None:
    scene = Scene(stack, ticket=False)
    page = Visitor(scene).open(PAGE)
    assert (page.status, "href" in page.body, scene.rows) == (503, False, {})
    scene.emit("ticket")
    scene.wait()
    assert Visitor(scene).open(PAGE).status == 200


def test_a_suite_token_that_wecom_has_revoked_is_fetched_again(scene: Scene) -> None:
    assert Visitor(scene).open(PAGE).status == 200
    scene.wecom.tokens.expire_by("demo", "suite", 0)
    assert Visitor(scene).open(PAGE).status == 200


def test_a_code_that_could_not_be_queued_is_not_lost(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor(scene)
    back = visitor.back()

    def fail(*_: Any, **__: Any) -> None:
        raise REFUSED

    with monkeypatch.context() as patched:
        patched.setattr(install_pages.queues, "send_messages", fail)
        late = visitor.open(back)
    assert (late.status, "Reload" in late.body) == (503, True)
    assert visitor.open(back).status == 200
    scene.wait(10)
    assert scene.state_of() is TenantState.ACTIVE


def test_a_code_that_is_queued_twice_is_exchanged_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function died after it had queued the code, and the browser sends the request again a second later."""
    visitor = Visitor(scene)
    back = visitor.back()

    def fail(*_: Any, **__: Any) -> None:
        raise REFUSED

    with monkeypatch.context() as patched:
        patched.setattr(Grants, "take", fail)
        assert visitor.open(back).status == 200
        scene.sim.clock.now += 1
        assert visitor.open(back).status == 200
    scene.plan.armed = True
    scene.wait(60)
    assert (scene.exchanges(), scene.state_of(), scene.lost()) == (1, TenantState.ACTIVE, False)


def test_a_code_that_is_refused_after_another_try_is_a_dead_letter(scene: Scene) -> None:
    """A worker that died may have exchanged it, or it waited for a ticket for too long: an operator has to know."""
    visitor = Visitor(scene)
    back = visitor.back()
    scene.suite.tickets.clear()
    scene.wecom.tokens.expire_by("demo", "suite", 0)
    visitor.open(back)
    scene.wait(30)
    scene.emit("code_expired")
    scene.emit("ticket")
    scene.wait(200)
    assert (scene.state_of(), scene.lost()) == (None, True)


def test_the_pre_auth_calls_of_an_app_have_a_limit_of_their_own() -> None:
    app = App("wecom", "demo", msgspec.convert(SUITE, type=Config))
    context = asking_at(Destination(platform="wecom", app="demo"), app, cast("Outbound", outbound))
    (bucket,) = outbound.limits(suites.pre_auth_call(app), context.out, app)
    assert (bucket.key, bucket.limit, bucket.period) == (f"wecom#{SUITE['suite_id']}#pre_auth", 60, 60)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"install": {"redirect_uri": "https://bot.example.com/done"}}, "redirect_uri"),
        ({"install": {"redirect_uri": f"{BACK}?x=1"}}, "redirect_uri"),
        ({"install": {"redirect_uri": BACK, "site": "open.work.weixin.qq.com"}}, "install.site"),
        ({"install": {"redirect_uri": BACK, "extra": 1}}, "extra"),
        ({"install": {"redirect_uri": BACK}, "suite_id": "dk5b1c2d3e4f5a6b7c"}, "template"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(config: dict[str, Any], text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=text):
        msgspec.convert({**SUITE, **config}, type=Config)


def test_an_app_of_one_company_has_no_install_page() -> None:
    own = {"corp_id": "ww1", "agent_id": 1, "secret": "s", "token": "t", "encoding_aes_key": "k" * 43}
    with pytest.raises(msgspec.ValidationError, match="install"):
        msgspec.convert({**own, "install": {"redirect_uri": BACK}}, type=Config)
