"""Simulated WeCom's install page: it serves what the real one does, and refuses what that one refuses."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from playground.platforms.exchange import Request, Response
from tests.unit.playground.test_wecom_provider import COMPANY, CONFIG, SUITE, Provider

SITE = "https://bot.example.com"
BACK = f"{SITE}/install/wecom/demo/done"


class Site(Provider):
    """A provider with an install page of its own."""

    def __init__(self) -> None:
        super().__init__()
        config: dict[str, Any] = {**CONFIG, "install": {"redirect_uri": BACK}}
        self.wecom.add_app("demo", config)
        self.token = self.suite_token()["suite_access_token"]

    def pre_auth_code(self) -> str:
        return self.http.get("service/get_pre_auth_code", params={"suite_access_token": self.token}).json()[
            "pre_auth_code"
        ]

    def test(self, code: str, auth_type: Any = 1) -> int:
        info = {"appid": [], "auth_type": auth_type}
        return self.call("set_session_info", self.token, pre_auth_code=code, session_info=info).get("errcode", 0)

    def page(self, code: str = "", referer: str = f"{SITE}/", **changed: str) -> Response:
        query = {
            "suite_id": SUITE,
            "pre_auth_code": code or self.pre_auth_code(),
            "redirect_uri": BACK,
            "state": "s1",
            "company": COMPANY,
        }
        return self.wecom.api(Request("GET", "/3rdapp/install", {**query, **changed}, {"referer": referer}))


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_installation_sends_the_browser_back_with_a_code_and_no_command(site: Site) -> None:
    site.wecom.drain_outbox()
    address = site.page().headers["location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{BACK}?")
    assert (query["expires_in"], query["state"]) == ("600", "s1")
    assert site.wecom.drain_outbox() == []
    answer = site.call("v2/get_permanent_code", site.token, auth_code=query["auth_code"])
    assert answer["auth_corp_info"]["corpid"] == COMPANY


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({"suite_id": "ww0"}, "40083"),
        ({"code": "invented"}, "40077"),
        ({"redirect_uri": "https://evil.example/install/wecom/demo/done"}, "redirect_uri"),
        ({"redirect_uri": ""}, "redirect_uri"),
        ({"referer": ""}, "Referer"),
        ({"referer": "https://evil.example/"}, "Referer"),
        ({"state": "a-b"}, "state"),
        ({"state": "a" * 129}, "state"),
    ],
)
def test_it_redirects_nowhere_else_and_wants_the_page_on_the_same_domain(
    site: Site, changed: dict[str, str], title: str
) -> None:
    page = site.page(**changed)
    assert (page.status, f"<h1>{title}</h1>" in page.body.decode(), page.headers.get("location")) == (200, True, None)
    assert site.wecom.suites["demo"].companies == {}


def test_a_pre_auth_code_is_good_once_and_for_twenty_minutes(site: Site) -> None:
    code, late = site.pre_auth_code(), site.pre_auth_code()
    assert site.page(code).status == 302
    assert b"40077" in site.page(code).body
    site.clock.now += 1201
    assert b"42007" in site.page(late).body
    assert (site.test(code), site.test(late)) == (40077, 42007)


def test_an_app_that_is_not_released_takes_ten_companies_that_test_it(site: Site) -> None:
    suite = site.wecom.suites["demo"]
    suite.is_released = False
    assert b"60246" in site.page().body
    for number in range(11):
        code = site.pre_auth_code()
        assert site.test(code) == 0
        assert site.page(code, company=f"wpTest{number:010}").status == (302 if number < 10 else 200)
    suite.is_released = True
    assert b"test" in site.page(company="wpTest0000000000").body
    assert site.test(site.pre_auth_code(), 2) == 40058


def test_the_calls_need_the_token_of_the_provider(site: Site) -> None:
    for token, code in (("", 41023), ("no", 40082)):
        answer = site.http.get("service/get_pre_auth_code", params={"suite_access_token": token}).json()
        assert answer["errcode"] == code
