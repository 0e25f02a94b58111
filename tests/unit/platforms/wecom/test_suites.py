"""Apps of service providers: who a callback is for, what is refused, and in whose name the bot writes."""

from typing import Any

import msgspec
import pytest

from parley.adapter import Accepted, App, Rejected, TokenUnavailableError, UndeliverableError
from parley.crypto import unseal
from parley.model import Conversation, Destination, Message, Outgoing, Reply
from parley.model.codec import encode
from parley.platforms.wecom import outbound
from parley.platforms.wecom.config import Config
from parley.platforms.wecom.inbound import receive
from tests.conformance.adapters.wecom import (
    AUTH_CODE,
    COMPANY,
    KEY,
    PROVIDER,
    SUITE_APP,
    SUITE_SECRET,
    SUITES,
    TOKEN,
    company_chat,
    delivery,
    installation,
)
from tests.conformance.tencent import encrypt, query_of, xml

NOW = 1_718_000_100.0
OTHER = "wpZ9XbDAAA0000000000000000000000"


def received(fields: dict[str, Any], receiver: str) -> Accepted | Rejected:
    return receive(delivery(xml(fields), NOW, receiver), SUITES, NOW)


def message(fields: dict[str, Any], receiver: str = SUITE_APP) -> Message:
    outcome = received(fields, receiver)
    assert isinstance(outcome, Accepted), outcome
    (found,) = outcome.messages
    return found


def command(name: str, **more: str) -> dict[str, Any]:
    return {"SuiteId": SUITE_APP, "InfoType": name, "TimeStamp": str(int(NOW)), **more}


# --- callbacks


def test_persons_with_the_same_id_in_two_companies_share_nothing() -> None:
    one, other = (message({**company_chat(NOW), "ToUserName": id_}, id_) for id_ in (COMPANY, OTHER))
    assert (one.app, one.context.tenant, one.sender.id) == (f"demo@{COMPANY}", COMPANY, "zhangsan")
    assert other.app == f"demo@{OTHER}"
    assert Destination.answering(one).key != Destination.answering(other).key


@pytest.mark.parametrize(
    ("fields", "receiver"),
    [
        ({**company_chat(NOW), "ToUserName": OTHER}, COMPANY),
        ({**company_chat(NOW), "ToUserName": COMPANY.lower()}, COMPANY),
        ({**company_chat(NOW), "FromUserName": COMPANY}, COMPANY),
        (company_chat(NOW), SUITE_APP),
        ({**company_chat(NOW), "ToUserName": SUITE_APP}, SUITE_APP),
        ({**company_chat(NOW), "ToUserName": "not a company"}, "not a company"),
        ({**company_chat(NOW), "ToUserName": ""}, ""),
        (command("cancel_auth", AuthCorpId=COMPANY), COMPANY),
        (command("cancel_auth", AuthCorpId=COMPANY), PROVIDER),
        ({**command("cancel_auth", AuthCorpId=COMPANY), "SuiteId": "ww0000000000000000"}, SUITE_APP),
        ({**command("suite_ticket", SuiteTicket="T"), "SuiteId": "ww0000000000000000"}, SUITE_APP),
    ],
)
def test_what_is_addressed_to_another_company_or_app_is_refused(fields: dict[str, Any], receiver: str) -> None:
    outcome = received(fields, receiver)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.reason) == (401, "forged")


@pytest.mark.parametrize("company", ["a b", "demo@x", "x" * 65])
def test_a_command_about_what_cannot_be_a_company_is_malformed(company: str) -> None:
    outcome = received(command("cancel_auth", AuthCorpId=company), SUITE_APP)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "malformed"


@pytest.mark.parametrize(("receiver", "accepted"), [(PROVIDER, True), (SUITE_APP, False), (COMPANY, False)])
def test_the_check_of_the_url_is_for_the_company_of_the_provider(receiver: str, accepted: bool) -> None:
    echo = encrypt(KEY, "5000000000000000001", receiver)
    request = msgspec.structs.replace(
        delivery("", NOW), method="GET", query=query_of(TOKEN, NOW, echo, echostr=echo), body=b""
    )
    assert isinstance(receive(request, SUITES, NOW), Accepted) is accepted


@pytest.mark.parametrize(
    ("name", "kind"),
    [("create_auth", "granted"), ("reset_permanent_code", "granted")],
)
def test_the_code_of_an_installation_is_sealed_for_the_work_behind_the_queue(name: str, kind: str) -> None:
    found = message({**installation(NOW), "InfoType": name})
    assert (found.app, found.context.authorisation) == ("demo", kind)
    assert unseal(SUITE_SECRET, found.context.reply_token) == AUTH_CODE
    assert AUTH_CODE.encode() not in encode(found)


def test_no_installation_waits_for_another_one_in_the_queue() -> None:
    one, other = (message({**installation(NOW), "AuthCode": code}) for code in ("code-1", "code-2"))
    assert Conversation.of(one).key != Conversation.of(other).key
    assert Conversation.of(one).key == Conversation.of(message({**installation(NOW), "AuthCode": "code-1"})).key


@pytest.mark.parametrize(("name", "kind"), [("change_auth", "changed"), ("cancel_auth", "withdrawn")])
def test_changes_of_an_installation_name_the_company(name: str, kind: str) -> None:
    found = message(command(name, AuthCorpId=COMPANY))
    assert (found.app, found.context.tenant, found.context.authorisation) == ("demo", COMPANY, kind)
    assert found.timestamp == int(NOW)


@pytest.mark.parametrize("name", ["change_contact", "brand_new_event"])
def test_any_other_command_is_answered_with_success_and_is_an_event_of_its_company(name: str) -> None:
    outcome = received(command(name, AuthCorpId=COMPANY), SUITE_APP)
    assert isinstance(outcome, Accepted)
    assert outcome.response.body == b"success"
    (found,) = outcome.messages
    assert (found.event, found.app, found.context.authorisation) == (name, f"demo@{COMPANY}", msgspec.UNSET)


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("create_auth", True),
        ("change_contact", True),
        ("change_external_contact", True),
        ("change_editon", True),
        ("suite_ticket", True),
        ("brand_new_event", False),
        ("change_edition", False),
        ("Change_Contact", False),
    ],
)
def test_a_command_that_is_not_documented_is_stored_and_is_marked(name: str, is_known: bool) -> None:
    outcome = received(command(name, AuthCorpId=COMPANY), SUITE_APP)
    assert isinstance(outcome, Accepted)
    assert outcome.is_known is is_known


def test_an_app_of_one_company_knows_no_installations() -> None:
    config = Config(
        corp_id=COMPANY, agent_id=1, secret="s", token=TOKEN, encoding_aes_key=KEY, receive_ids=(SUITE_APP,)
    )
    outcome = receive(delivery(xml(installation(NOW)), NOW, SUITE_APP), App("wecom", "demo", config), NOW)
    assert isinstance(outcome, Accepted)
    assert (outcome.messages[0].app, outcome.messages[0].context.authorisation) == ("demo", msgspec.UNSET)


# --- replies

IN_COMPANY = App("wecom", f"demo@{COMPANY}", SUITES.config.of_tenant(COMPANY, "1000046"), SUITES)


def out(app: App, tenant: str = COMPANY) -> Outgoing:
    to = Destination(platform="wecom", app=app.name, tenant=tenant, user_id="zhangsan")
    return Outgoing(id="r1", message_key="m", ordinal=0, to=to, reply=Reply.of("hi"), created=NOW)


def test_a_reply_goes_out_in_the_name_of_the_app_in_its_company() -> None:
    call = next(outbound.deliver(out(IN_COMPANY), IN_COMPANY, NOW))
    assert (call.json["touser"], call.json["agentid"]) == ("zhangsan", 1000046)
    assert outbound.token_key(out(IN_COMPANY), IN_COMPANY) != outbound.token_key(out(SUITES), SUITES)
    keys = [bucket.key for bucket in outbound.limits(call, out(IN_COMPANY), IN_COMPANY)]
    assert all(COMPANY in key for key in keys)


@pytest.mark.parametrize(("app", "tenant"), [(IN_COMPANY, OTHER), (SUITES, COMPANY), (SUITES, "")])
def test_a_reply_to_another_company_or_to_none_is_not_sent(app: App, tenant: str) -> None:
    with pytest.raises(UndeliverableError, match="company"):
        next(outbound.deliver(out(app, tenant), app, NOW))


def test_without_a_ticket_there_is_no_token_until_the_next_push() -> None:
    with pytest.raises(TokenUnavailableError, match="every ten minutes") as error:
        next(outbound.token(out(SUITES), SUITES, {}, NOW))
    assert error.value.retry_after == 60


# --- configuration

GOOD = {
    "suite_id": SUITE_APP,
    "suite_secret": SUITE_SECRET,
    "provider_corp_id": PROVIDER,
    "token": TOKEN,
    "encoding_aes_key": KEY,
}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"suite_secret": ""}, "suite_secret"),
        ({"provider_corp_id": ""}, "provider_corp_id"),
        ({"corp_id": "ww1"}, "corp_id, agent_id"),
        ({"secret": "s"}, "secret"),
        ({"agent_id": 1}, "agent_id"),
        ({"suite_id": ""}, "corp_id.*agent_id.*secret.*suite_secret"),
        ({"token": ""}, "Callback Configuration › Token"),
    ],
)
def test_a_mixed_configuration_is_refused_and_shows_no_secret(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named) as error:
        msgspec.json.decode(msgspec.json.encode({**GOOD, **fields}), type=Config)
    assert SUITE_SECRET not in str(error.value)


def test_only_an_app_with_a_suite_id_has_companies() -> None:
    with pytest.raises(TypeError):
        Config(corp_id="ww1", agent_id=1, secret="s", token=TOKEN, encoding_aes_key=KEY).of_tenant(COMPANY, "1")
