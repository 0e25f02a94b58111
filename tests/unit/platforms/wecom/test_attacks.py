"""Valid signatures in the wrong place: exchanged parts, replayed ciphertexts, the bot's own answers, another app's
callbacks. WeChat's are here as well, because the signature is the same."""

from typing import Any

import pytest
from msgspec.structs import replace

from parley.adapter import Accepted, App, Rejected, Request
from parley.crypto import unseal
from parley.model import Message
from parley.model.codec import encode
from parley.platforms.tencent import envelope
from parley.platforms.tencent.callback import MAX_CONTENT_AGE
from parley.platforms.wechat.inbound import receive as receive_wechat
from parley.platforms.wecom.inbound import receive
from tests.conformance.adapters import wechat
from tests.conformance.adapters.wecom import APP, CORP, KEY, SECRET, SUITE, TOKEN, chat, delivery, fields, make_app
from tests.conformance.tencent import encrypt, sign, xml

NOW = 1_718_000_100.0


def refused(outcome: Accepted | Rejected) -> tuple[int, str]:
    assert isinstance(outcome, Rejected), outcome
    return outcome.status, outcome.reason


def accepted(request: Request, app: App = APP, now: float = NOW) -> Message:
    outcome = receive(request, app, now)
    assert isinstance(outcome, Accepted), outcome
    (message,) = outcome.messages
    return message


# --- D4: the ciphertext of one callback in another --------------------------------------------------------------------


def test_a_callback_replayed_as_a_verification_is_not_decrypted_for_the_caller() -> None:
    for body in (xml(chat(NOW)), '{"msgid":"1"}'):
        encrypted = encrypt(KEY, body, CORP)
        query = {"msg_signature": sign(TOKEN, str(int(NOW)), "7", encrypted), "timestamp": str(int(NOW)), "nonce": "7"}
        outcome = receive(Request(method="GET", query={**query, "echostr": encrypted}), APP, NOW)
        assert refused(outcome) == (401, "forged")


def test_a_verification_replayed_as_a_callback_is_refused() -> None:
    assert refused(receive(delivery("5000000000000000001", NOW), APP, NOW)) == (400, "malformed")


def own_answer(**more: str) -> dict[str, Any]:
    return {"ToUserName": "zhangsan", "FromUserName": CORP, "CreateTime": int(NOW), "MsgType": "text"} | more


@pytest.mark.parametrize(
    "content",
    [
        own_answer(Content="/purge"),
        own_answer(Content="/purge", ToUserName=CORP),
        own_answer(Content="/purge", MsgId="1", FromUserName="zhangsan"),
        {**chat(NOW), "ToUserName": "ww-another"},
    ],
)
def test_the_bots_own_passive_reply_is_not_a_message(content: dict[str, Any]) -> None:
    """It is signed and encrypted like a callback, under the names of its own envelope."""
    encrypted = envelope.encrypt(KEY, xml(content), CORP)
    signature = envelope.signature(TOKEN, str(int(NOW)), "7", encrypted)
    query = {"msg_signature": signature, "timestamp": str(int(NOW)), "nonce": "7"}
    body = xml({"Encrypt": encrypted, "MsgSignature": signature, "TimeStamp": str(int(NOW)), "Nonce": "7"})
    assert refused(receive(Request(query=query, body=body.encode()), APP, NOW)) == (401, "forged")


# --- D5: the signature sorts its parts --------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1.1, 10, 400])
def test_an_old_callback_does_not_pass_with_its_time_and_nonce_exchanged(days: float) -> None:
    then = NOW - days * 86_400
    for adapter, receive_ in ((None, receive), (wechat, receive_wechat)):
        token, content = (TOKEN, xml(chat(then))) if adapter is None else (wechat.TOKEN, xml(wechat.chat(then)))
        request = delivery(content, then) if adapter is None else wechat.delivery(content, then)
        encrypted = request.body.decode().partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
        old = {"timestamp": str(int(then)), "nonce": str(int(NOW) - 60)}
        signature = sign(token, old["timestamp"], old["nonce"], encrypted)
        exchanged = {"timestamp": old["nonce"], "nonce": old["timestamp"], "msg_signature": signature}
        query = {**request.query, **exchanged}
        app = APP if adapter is None else wechat.APP
        assert refused(receive_(replace(request, query=query), app, NOW)) == (401, "stale")


def test_the_time_of_a_command_is_checked_too() -> None:
    ticket = {"SuiteId": SUITE, "InfoType": "suite_ticket", "TimeStamp": str(int(NOW) - 900_000), "SuiteTicket": "T"}
    assert refused(receive(delivery(xml(ticket), NOW, SUITE), APP, NOW)) == (401, "stale")


def test_a_message_that_is_delivered_late_is_accepted_and_its_replay_has_the_same_id() -> None:
    late = NOW - MAX_CONTENT_AGE + 10
    first, again = (accepted(delivery(xml(chat(late)), at), now=at) for at in (NOW, NOW + 5))
    assert first.id == again.id


# --- D9: another app --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", ["1000003", "0", "x"])
def test_a_callback_for_another_app_of_the_company_is_refused(agent: str) -> None:
    outcome = receive(delivery(xml({**chat(NOW), "AgentID": agent}), NOW), APP, NOW)
    assert refused(outcome) == (401, "forged")
    assert isinstance(outcome, Rejected)
    assert "`agent_id`" in outcome.detail


def test_callbacks_without_an_agent_and_of_third_party_companies_are_accepted() -> None:
    for agent in ("", " "):
        assert accepted(delivery(xml({**chat(NOW), "AgentID": agent}), NOW)).id
    theirs = {**chat(NOW), "AgentID": "5", "ToUserName": "ww-customer"}
    app = make_app(receive_ids=("ww-customer",))
    assert accepted(delivery(xml(theirs), NOW, "ww-customer"), app).context.tenant == "ww-customer"


# --- B5: credentials of events ----------------------------------------------------------------------------------------


def test_the_token_of_a_customer_service_event_is_sealed_and_part_of_its_identity() -> None:
    payload = {**fields(NOW, "event", Event="kf_msg_or_event", OpenKfId="kf1"), "FromUserName": ""}
    one, other = (accepted(delivery(xml({**payload, "Token": token}), NOW)) for token in ("ENC-1", "ENC-2"))
    assert one.id != other.id
    assert accepted(delivery(xml({**payload, "Token": "ENC-1"}), NOW + 5)).id == one.id
    assert unseal(SECRET, one.context.reply_token) == "ENC-1"
    assert one.context.reply_token_expires == int(NOW) + 600
    assert b"ENC-1" not in encode(one)


def test_the_welcome_code_of_a_new_contact_is_sealed_and_valid_for_twenty_seconds() -> None:
    changed = fields(
        NOW, "event", Event="change_external_contact", ChangeType="add_external_contact", WelcomeCode="WEL-1"
    )
    found = accepted(delivery(xml(changed), NOW))
    assert unseal(SECRET, found.context.reply_token) == "WEL-1"
    assert found.context.reply_token_expires == int(NOW) + 20
    assert b"WEL-1" not in encode(found)


def test_the_code_of_an_authorisation_is_sealed_and_part_of_its_identity() -> None:
    payload = {"SuiteId": SUITE, "InfoType": "create_auth", "TimeStamp": str(int(NOW)), "State": "s"}
    one, other = (accepted(delivery(xml({**payload, "AuthCode": code}), NOW, SUITE)) for code in ("CODE-1", "CODE-2"))
    assert one.id != other.id
    assert unseal(SECRET, one.context.reply_token) == "CODE-1"
    assert b"CODE-1" not in encode(one)
