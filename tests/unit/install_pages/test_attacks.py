"""What attackers try with the install page: everybody can open it."""

from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from parley.journal.grants import Grants, Pending
from parley.journal.tenants import TenantState
from tests.unit.install_pages.scene import BACK, COMPANY, PAGE, Scene, Visitor
from tools.faults.processes import TABLE


@pytest.fixture
def scene() -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(stack)


def handled(scene: Scene) -> int:
    """Exchanges after everything that was queued is handled."""
    scene.plan.armed = True
    scene.wait(60)
    return scene.exchanges()


def test_a_replayed_return_is_refused_and_does_nothing_twice(scene: Scene) -> None:
    visitor = Visitor(scene)
    back = visitor.back()
    assert [visitor.open(back).status for _ in range(3)] == [200, 410, 410]
    assert (handled(scene), scene.state_of(), scene.lost()) == (1, TenantState.ACTIVE, False)


def test_a_state_of_another_browser_is_refused_and_stays_good_for_its_own(scene: Scene) -> None:
    """The attacker's link, finished by an administrator; and the attacker's code in an administrator's browser."""
    attacker, victim = Visitor(scene), Visitor(scene)
    back = attacker.back()
    assert victim.open(back).status == 410  # without a cookie
    victim.open(PAGE)
    assert victim.open(back).status == 410  # with a cookie of its own
    assert attacker.open(back).status == 200


def test_a_return_that_is_late_is_refused(scene: Scene) -> None:
    visitor = Visitor(scene)
    back = visitor.back()
    scene.sim.clock.now += 601
    assert visitor.open(back).status == 410
    assert (handled(scene), scene.lost()) == (0, False)
    assert visitor.open(visitor.back()).status == 200


@pytest.mark.parametrize("state", ["", "0" * 64, "x", "../..", "0" * 63, "0" * 10_000, "\x00"])
def test_an_unknown_state_is_refused(scene: Scene, state: str) -> None:
    visitor = Visitor(scene)
    visitor.open(PAGE)
    query = urlencode({"auth_code": "c" * 128, "state": state, "expires_in": "600"})
    assert visitor.open(f"{BACK}?{query}").status == 410


@pytest.mark.parametrize("code", ["", "short", "c" * 63, "c" * 513, "c" * 70 + "\n", "授" * 64, "c " * 40])
def test_what_cannot_be_a_code_is_not_queued_and_the_right_one_still_counts(scene: Scene, code: str) -> None:
    visitor = Visitor(scene)
    back = visitor.back()
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert visitor.open(f"{BACK}?{urlencode({'auth_code': code, 'state': state})}").status == 400
    assert visitor.open(back).status == 200


def test_an_invented_code_is_no_dead_letter_and_no_company(scene: Scene) -> None:
    """It would raise an alarm, and everybody can invent one."""
    visitor = Visitor(scene)
    state = parse_qs(urlsplit(visitor.open(PAGE).link).query)["state"][0]
    assert visitor.open(f"{BACK}?{urlencode({'auth_code': 'c' * 128, 'state': state})}").status == 200
    assert (handled(scene), scene.lost()) == (1, False)
    assert not [key for key in scene.sim.aws.dynamodb.items if key.startswith("tenant#")]


def test_a_code_of_another_installation_installs_the_company_that_it_is_for(scene: Scene) -> None:
    """A stolen code gives the thief nothing: the company is that of the code."""
    thief, owner = Visitor(scene), Visitor(scene)
    stolen = parse_qs(urlsplit(owner.back()).query)["auth_code"][0]
    state = parse_qs(urlsplit(thief.open(PAGE).link).query)["state"][0]
    thief.open(f"{BACK}?{urlencode({'auth_code': stolen, 'state': state})}")
    scene.wait(10)
    assert scene.state_of() is TenantState.ACTIVE


@pytest.mark.parametrize("name", ["state", "auth_code"])
def test_a_parameter_that_comes_twice_is_refused(scene: Scene, name: str) -> None:
    visitor = Visitor(scene)
    back = visitor.back()
    assert visitor.open(f"{back}&{name}=x").status == 410
    assert visitor.open(back).status == 200


def test_a_state_of_one_app_is_refused_at_another(scene: Scene) -> None:
    other = scene.sim.targets["wecom"].apps["demo"]
    page = {**other["install"], "redirect_uri": BACK.replace("/demo/", "/second/")}
    scene.sim.configure("wecom", "second", {**other, "install": page})
    visitor = Visitor(scene)
    back = visitor.back()
    assert visitor.open(back.replace("/demo/", "/second/")).status == 410
    assert visitor.open(back).status == 200


def test_the_state_of_a_login_is_no_installation_and_stays_good(scene: Scene) -> None:
    visitor = Visitor(scene)
    back = visitor.back()
    (secret,) = visitor.cookies.values()
    grants = Grants(scene.installs.calls.client, TABLE)
    login = Pending(platform="wecom", app="demo", timer="t", place="t.0", expires=scene.sim.clock() + 600)
    grants.begin("a" * 64, secret, login)
    query = urlencode({"auth_code": "c" * 128, "state": "a" * 64})
    assert visitor.open(f"{BACK}?{query}").status == 410
    assert grants.find("a" * 64, secret, scene.sim.clock()) == login
    assert visitor.open(back).status == 200


@pytest.mark.parametrize("path", ["/install/wecom/nobody", "/install/feishu/demo", "/install/nothing/demo"])
def test_apps_without_an_install_page_have_none(scene: Scene, path: str) -> None:
    assert Visitor(scene).open(f"https://bot.example.com{path}").status in (404, 503)


def test_a_company_of_the_app_has_no_page_of_its_own(scene: Scene) -> None:
    visitor = Visitor(scene)
    visitor.open(visitor.back())
    scene.wait(10)
    assert visitor.open(f"{PAGE}@{COMPANY}").status == 404


def test_a_redirect_uri_of_another_app_is_an_error_of_the_configuration(scene: Scene) -> None:
    page = {"redirect_uri": BACK.replace("/demo/", "/other/")}
    scene.sim.configure("wecom", "third", {**scene.sim.targets["wecom"].apps["demo"], "install": page})
    assert Visitor(scene).open(PAGE.replace("/demo", "/third")).status == 503


def test_the_page_leads_to_the_configured_site_and_back_only(scene: Scene) -> None:
    more = "?redirect_uri=https://evil.example&site=https://evil.example&suite_id=x&state=y"
    page = Visitor(scene).open(PAGE + more)
    query = parse_qs(urlsplit(page.link).query)
    assert page.link.startswith("http://wecom.imitation/3rdapp/install?")
    assert query["redirect_uri"] == [BACK]
    assert "evil" not in page.body


def test_a_page_shows_nothing_of_the_request(scene: Scene) -> None:
    query = urlencode({"state": "0" * 64, "auth_code": "<script>alert(1)</script>"})
    assert "alert" not in Visitor(scene).open(f"{BACK}?{query}").body


def test_one_address_opens_ten_pages_at_once_and_others_still_get_theirs(scene: Scene) -> None:
    visitor = Visitor(scene)
    statuses = [visitor.open(PAGE).status for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    late = visitor.open(PAGE)
    assert 1 <= int(late.headers["retry-after"]) <= 6
    assert Visitor(scene, "198.51.100.1").open(PAGE).status == 200
    scene.sim.clock.now += 6
    assert visitor.open(PAGE).status == 200


def test_many_addresses_and_processes_share_one_limit_and_returns_do_not_count(scene: Scene) -> None:
    visitor = Visitor(scene, "192.0.2.1")
    back = visitor.back()
    before = len(scene.rows)
    statuses = list[int]()
    for number in range(70):
        if number % 10 == 0:
            scene.restart()
        statuses.append(Visitor(scene, f"198.51.100.{number}").open(PAGE).status)
    assert statuses.count(200) <= 59
    assert (statuses[-1], len(scene.rows) - before) == (429, statuses.count(200))
    assert visitor.open(back).status == 200


def test_a_flood_of_pages_without_a_token_makes_no_flood_of_calls_for_one(scene: Scene) -> None:
    scene.suite.tickets.clear()
    scene.wecom.tokens.expire_by("demo", "suite", 0)
    scene.plan.armed = True
    for number in range(100):
        scene.sim.clock.now += 0.1
        assert Visitor(scene, f"198.51.100.{number}").open(PAGE).status in (429, 503)
    assert 1 <= scene.plan.calls.count("POST /cgi-bin/service/get_suite_token") <= 60


def test_no_secret_is_in_a_row_in_the_queue_or_in_the_event_of_the_bot(scene: Scene) -> None:
    visitor = Visitor(scene)
    page = visitor.open(PAGE)
    back = visitor.install(page)
    given = parse_qs(urlsplit(back).query)
    pre_auth_code = parse_qs(urlsplit(page.link).query)["pre_auth_code"][0]
    (secret,) = visitor.cookies.values()
    stored = [str(scene.sim.aws.dynamodb.items)]
    visitor.open(back)
    taken = iter(lambda: scene.sim.inbound.receive(scene.sim.random), None)
    stored += [record.body for record in taken]
    assert "create_auth" in stored[-1]
    for each in (given["state"][0], given["auth_code"][0], pre_auth_code, secret):
        assert each not in "".join(stored)


def test_the_cookie_is_bound_to_this_host_and_out_of_reach_of_scripts(scene: Scene) -> None:
    name, *attributes = Visitor(scene).open(PAGE).headers["set-cookie"].split("; ")
    assert name.startswith("__Host-parley-login=")
    assert set(attributes) == {"Path=/", "Max-Age=600", "Secure", "HttpOnly", "SameSite=Lax"}
