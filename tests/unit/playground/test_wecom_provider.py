"""Simulated WeCom as service providers see it. wechatpy opens what it sends; it refuses what the real one refuses."""

from itertools import pairwise
from random import Random
from typing import Any

import httpx
import pytest
import xmltodict
from wechatpy.enterprise.crypto import WeChatCrypto

from playground.platforms.base import PRIVATE, NotFoundError
from playground.platforms.model import Attempt, Delivery, NewMessage
from playground.platforms.wecom import Wecom
from playground.transport import PlatformTransport
from tests.unit.playground.clock import Clock
from tests.unit.playground.tencent import KEY

SUITE, PROVIDER, COMPANY = "ww9a8b7c6d5e4f3021", "ww1f0a2b3c4d5e6f70", "wpQ7XbDAAA0Zk3vN5yTgR2mJ8hL1cE4s"
CONFIG = {
    "suite_id": SUITE,
    "suite_secret": "the-secret",
    "provider_corp_id": PROVIDER,
    "token": "callbacktoken",
    "encoding_aes_key": KEY,
    "host": "http://wecom.test",
}


class Provider:
    """An app of a provider, and calls of its API."""

    def __init__(self, **config: str) -> None:
        self.clock = Clock()
        self.wecom = Wecom(clock=self.clock, random=Random(7))
        self.wecom.add_app("demo", {**CONFIG, **config})
        transport = PlatformTransport({CONFIG["host"]: self.wecom})
        self.http = httpx.Client(transport=transport, base_url=f"{CONFIG['host']}/cgi-bin/")

    def emit(self, kind: str, **details: Any) -> Delivery | None:
        self.wecom.emit_event("demo", kind, details)
        found = self.wecom.drain_outbox()
        return found[-1] if found else None

    def fields(self, kind: str, **details: Any) -> dict[str, str]:
        """The fields of the command that `kind` causes."""
        delivery = self.emit(kind, **details)
        assert delivery is not None
        return opened(delivery, SUITE)

    def call(self, path: str, token: str = "", **body: Any) -> dict[str, Any]:
        return self.http.post(f"service/{path}", params={"suite_access_token": token}, json=body).json()

    def suite_token(self, ticket: str = "", **more: str) -> dict[str, Any]:
        ticket = ticket or self.fields("ticket")["SuiteTicket"]
        body = {"suite_id": SUITE, "suite_secret": "the-secret", "suite_ticket": ticket, **more}
        return self.call("get_suite_token", **body)

    def installed(self) -> tuple[str, str]:
        """Install the app in the company. Returns a token of the provider and the permanent code."""
        code, token = self.fields("installed", company=COMPANY)["AuthCode"], self.suite_token()["suite_access_token"]
        return token, self.call("v2/get_permanent_code", token, auth_code=code)["permanent_code"]


def opened(delivery: Delivery, receiver: str) -> dict[str, str]:
    """The content of a callback for `receiver`. wechatpy raises if it is for another one, or not signed."""
    query = delivery.wire.query
    crypto = WeChatCrypto("callbacktoken", KEY, receiver)
    plain = crypto.decrypt_message(delivery.wire.body, query["msg_signature"], query["timestamp"], query["nonce"])
    return xmltodict.parse(plain)["xml"]


@pytest.fixture
def provider() -> Provider:
    return Provider()


def test_commands_end_in_the_app_messages_in_the_company_and_the_check_in_the_provider(provider: Provider) -> None:
    found = provider.fields("installed", company=COMPANY, state="s1")
    assert (found["InfoType"], found["SuiteId"], found["State"]) == ("create_auth", SUITE, "s1")
    provider.wecom.send_message(f"demo@{COMPANY}", PRIVATE, "lin", NewMessage(text="hi"))
    (message,) = provider.wecom.drain_outbox()
    assert (opened(message, COMPANY)["ToUserName"], message.endpoint) == (COMPANY, "demo")
    query = provider.wecom.challenge("demo").wire.query
    crypto = WeChatCrypto("callbacktoken", KEY, PROVIDER)
    crypto.check_signature(query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"])


@pytest.mark.parametrize(("body", "state"), [(b"success", "delivered"), (b"", "retrying"), (b"ok", "retrying")])
def test_a_command_has_to_be_answered_with_success(provider: Provider, body: bytes, state: str) -> None:
    delivery = provider.emit("ticket")
    assert delivery is not None
    provider.wecom.record_attempt(delivery, Attempt(provider.clock.now, 5, 200), {}, body)
    assert (delivery.state, delivery.deadline) == (state, 1.0)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"suite_id": "ww0"}, 40083),
        ({"suite_secret": "no"}, 40080),
        ({"suite_ticket": "no"}, 40085),
    ],
)
def test_a_token_needs_the_secret_and_the_ticket(provider: Provider, more: dict[str, str], code: int) -> None:
    assert provider.suite_token(**more)["errcode"] == code


def test_a_ticket_is_good_for_half_an_hour_and_gives_the_same_token(provider: Provider) -> None:
    ticket = provider.fields("ticket")["SuiteTicket"]
    first = provider.suite_token(ticket)
    assert "errcode" not in first
    assert provider.suite_token(ticket)["suite_access_token"] == first["suite_access_token"]
    provider.clock.now += 1801
    assert provider.suite_token(ticket)["errcode"] == 40085


def test_a_code_is_good_once_and_for_ten_minutes(provider: Provider) -> None:
    token = provider.suite_token()["suite_access_token"]
    codes = [provider.fields("installed", company=COMPANY)["AuthCode"] for _ in range(3)]
    first = provider.call("v2/get_permanent_code", token, auth_code=codes[0])
    assert first["auth_corp_info"]["corpid"] == COMPANY
    assert not {"access_token", "auth_info", "errcode"} & first.keys()
    provider.clock.now += 601
    answers = [provider.call("v2/get_permanent_code", token, auth_code=code) for code in (*codes[:2], "short")]
    assert [answer["errcode"] for answer in answers] == [40078, 40078, 40058]
    fresh = provider.fields("installed", company=COMPANY)["AuthCode"]
    provider.emit("code_expired")
    assert provider.call("v2/get_permanent_code", token, auth_code=fresh)["errcode"] == 40078


def test_the_token_of_a_provider_is_checked_and_is_no_access_token(provider: Provider) -> None:
    token, _ = provider.installed()
    assert provider.call("v2/get_auth_info", "", auth_corpid=COMPANY)["errcode"] == 41023
    assert provider.call("v2/get_auth_info", "no", auth_corpid=COMPANY)["errcode"] == 40082
    assert provider.http.post("message/send", params={"access_token": token}, json={}).json()["errcode"] == 40014
    provider.clock.now += 7201
    assert provider.call("v2/get_auth_info", token, auth_corpid=COMPANY)["errcode"] == 42009


def test_a_company_that_has_removed_the_app_is_refused(provider: Provider) -> None:
    token, code = provider.installed()
    company = {"auth_corpid": COMPANY, "permanent_code": code}
    access = provider.call("get_corp_token", token, **company)["access_token"]
    assert provider.call("get_corp_token", token, **{**company, "auth_corpid": COMPANY.lower()})["errcode"] == 40084
    assert provider.fields("scope_changed", company=COMPANY, persons=["Lin"])["InfoType"] == "change_auth"
    (agent,) = provider.call("v2/get_auth_info", token, **company)["auth_info"]["agent"]
    assert agent["privilege"]["allow_user"] == ["Lin"]
    assert provider.fields("removed", company=COMPANY)["AuthCorpId"] == COMPANY
    assert provider.call("get_corp_token", token, **company)["errcode"] == 40084
    assert provider.call("v2/get_auth_info", token, **company)["errcode"] == 40084
    assert provider.http.post("message/send", params={"access_token": access}, json={}).json()["errcode"] == 42001
    with pytest.raises(NotFoundError):
        provider.emit("removed", company=COMPANY)


@pytest.mark.parametrize(("suite", "code"), [(SUITE, 40001), ("dk5b1c2d3e4f5a6b7c", None)])
def test_the_code_is_a_secret_for_gettoken_in_customised_apps_only(suite: str, code: int | None) -> None:
    provider = Provider(suite_id=suite)
    provider.emit("installed", company=COMPANY)
    secret = provider.wecom.suites["demo"].companies[COMPANY].code
    answer = provider.http.get("gettoken", params={"corpid": COMPANY, "corpsecret": secret}).json()
    assert (answer["errcode"] or None) == code


# --- the page ---------------------------------------------------------------------------------------------------------


def test_a_ticket_is_pushed_every_ten_minutes() -> None:
    provider = Provider()
    pushed: list[float] = []
    for _ in range(100):
        provider.wecom.tick()
        pushed += [delivery.at for delivery in provider.wecom.drain_outbox()]
        provider.clock.now += 30
    assert [after - before for before, after in pairwise(pushed)] == [600] * 4


def test_the_page_knows_the_companies_of_an_app_that_companies_install() -> None:
    provider = Provider()
    assert provider.wecom.installations("demo") == {"app": "demo", "tenants": []}
    provider.emit("installed", company="wpA")
    provider.emit("installed")
    first, second = provider.wecom.installations("demo@wpA")["tenants"]  # type: ignore[index]
    assert (first["id"], first["app"], first["is_installed"]) == ("wpA", "demo@wpA", True)
    assert second["id"].startswith("wp")
    provider.emit("removed", company="wpA")
    assert not provider.wecom.installations("demo")["tenants"][0]["is_installed"]  # type: ignore[index]


def test_people_write_to_the_app_in_their_company_only() -> None:
    provider = Provider()
    provider.emit("installed", company=COMPANY)
    with pytest.raises(NotFoundError, match="demo@COMPANY"):
        provider.wecom.send_message("demo", PRIVATE, "lin", NewMessage(text="hi"))
    assert provider.wecom.send_message(f"demo@{COMPANY}", PRIVATE, "lin", NewMessage(text="hi"))


def test_an_internal_app_has_no_companies() -> None:
    wecom = Wecom()
    app = {"corp_id": "ww1", "agent_id": 1, "secret": "s", "token": "t", "encoding_aes_key": KEY}
    wecom.add_app("own", app)
    assert wecom.installations("own") is None
