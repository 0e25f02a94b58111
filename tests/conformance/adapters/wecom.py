"""WeCom: vectors, and callbacks that wechatpy encrypts and signs."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from parley.adapter import Answer, App, Permanent, Request, TokenRejected, TokenUnavailableError, Transient
from parley.errors import RetryAfter
from parley.platforms.wecom import outbound, suites
from parley.platforms.wecom.config import Config, Webhook
from tests.conformance.kit import (
    Adapter,
    Sample,
    Vector,
    expect,
    expect_accepted,
    expect_action,
    expect_equal,
    expect_rejected,
    receive,
)
from tests.conformance.tencent import (
    check_content,
    check_encryption,
    check_nothing_lost,
    encrypt,
    every_wrong_payload,
    moment,
    query_of,
    receipt,
    xml,
)

CORP, SUITE = "wwa1b2c3d4e5f60718", "dka1b2c3d4e5f607182"
TOKEN, SECRET = "7hKqZ2mP0sVx", "Qn3-appsecret-0123456789abcdef"
KEY, OTHER_KEY = "R2k5VbT8wQzYc1NfXh4LmP7sUa0DgJeKoI3rBnM6tWq", "Zx9Cv8Bn7Ml6Kj5Hg4Fd3Sa2Qw1Er0Ty9Ui8Op7As6D"
HOOK = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
SIGNED = ("msg_signature", "timestamp", "nonce")


def make_app(token: str = TOKEN, key: str = KEY, **more: Any) -> App:
    """An app with these credentials."""
    fields = {"corp_id": CORP, "agent_id": 1000002, "secret": SECRET, "token": token, "encoding_aes_key": key, **more}
    return App("wecom", "demo", Config(**fields))


PROVIDER, SUITE_APP, SUITE_SECRET = "ww1f0a2b3c4d5e6f70", "ww9a8b7c6d5e4f3021", "suite-secret-0123456789"


def make_suite(token: str = TOKEN, key: str = KEY, suite: str = SUITE_APP, **more: Any) -> App:
    """An app of a service provider."""
    fields = {"suite_id": suite, "suite_secret": SUITE_SECRET, "provider_corp_id": PROVIDER, "token": token}
    return App("wecom", "demo", Config(**{**fields, "encoding_aes_key": key, **more}))


COMPANY, AUTH_CODE = "wpQ7XbDAAA0Zk3vN5yTgR2mJ8hL1cE4s", "AUTH-CODE-0123456789"
SUITES = make_suite()
APP = make_app(receive_ids=(SUITE,), webhooks={"alerts": Webhook(url=HOOK)})


# --- requests as WeCom makes them -------------------------------------------------------------------------------------


def fields(now: float, kind: str = "text", **more: Any) -> dict[str, Any]:
    """The fields of every message to an app, and `more`."""
    common = {"ToUserName": CORP, "FromUserName": "zhangsan", "CreateTime": str(int(now)), "MsgType": kind}
    return {**common, **more, "AgentID": "1000002"}


def chat(now: float) -> dict[str, Any]:
    """A text message."""
    return fields(now, Content="你好 🙂 <b>&amp;", MsgId="7234567890123456789")


def click(now: float) -> dict[str, Any]:
    """A click on a template card, with two options chosen."""
    chosen = {"SelectedItem": {"QuestionKey": "q1", "OptionIds": {"OptionId": ["a", "b"]}}}
    return fields(
        now,
        "event",
        Event="template_card_event",
        EventKey="btn_ok",
        TaskId="task-42",
        CardType="button_interaction",
        ResponseCode="RESP-CODE",
        SelectedItems=chosen,
    )


def ticket(now: float) -> dict[str, Any]:
    """The ticket of a third-party app."""
    return {"SuiteId": SUITE, "InfoType": "suite_ticket", "TimeStamp": str(int(now)), "SuiteTicket": "TICKET-1"}


def installation(now: float) -> dict[str, Any]:
    """A company has installed the app of a provider."""
    return {"SuiteId": SUITE_APP, "AuthCode": AUTH_CODE, "InfoType": "create_auth", "TimeStamp": str(int(now))}


def company_chat(now: float) -> dict[str, Any]:
    """A text message to the app of a provider in one company."""
    return {**chat(now), "ToUserName": COMPANY}


OTHERS: tuple[dict[str, Any], ...] = (
    {"MsgType": "image", "PicUrl": "https://p.qpic.cn/x", "MediaId": "m1", "MsgId": "1"},
    {"MsgType": "voice", "MediaId": "m2", "Format": "amr", "MsgId": "2"},
    {"MsgType": "video", "MediaId": "m3", "ThumbMediaId": "t3", "MsgId": "3"},
    {"MsgType": "location", "Location_X": "39.9", "Location_Y": "116.4", "Scale": "15", "Label": "HQ", "MsgId": "4"},
    {"MsgType": "link", "Title": "T", "Description": "D", "Url": "https://e.com", "PicUrl": "p", "MsgId": "5"},
    {"MsgType": "event", "Event": "LOCATION", "Latitude": "39.9", "Longitude": "116.4", "Precision": "65"},
    {"MsgType": "event", "Event": "scancode_push", "EventKey": "k", "ScanCodeInfo": {"ScanResult": "42"}},
    {"MsgType": "event", "Event": "change_contact", "ChangeType": "create_user", "UserID": "lisi"},
)


def delivery(payload: bytes | str, now: float, receiver: str = CORP) -> Request:
    """A callback with `payload`."""
    encrypted = encrypt(KEY, payload, receiver)
    body = f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    return Request(query=query_of(TOKEN, now, encrypted), body=body.encode())


def verification(now: float) -> Request:
    """The request that the console sends when the callback address is saved."""
    echo = encrypt(KEY, "5000000000000000001", CORP)
    return Request(method="GET", query=query_of(TOKEN, now, echo, echostr=echo))


def samples(now: float) -> tuple[Sample, ...]:
    """One valid request of each type. The signature covers only the encrypted part of the body."""
    return (
        Sample("text", delivery(xml(chat(now)), now), APP, query=SIGNED, body=False),
        Sample("card click", delivery(xml(click(now)), now), APP, query=SIGNED, body=False),
        Sample("suite ticket", delivery(xml(ticket(now)), now, SUITE), APP, 0, query=SIGNED, body=False),
        Sample("installation", delivery(xml(installation(now)), now, SUITE_APP), SUITES, query=SIGNED, body=False),
        Sample(
            "message of a company", delivery(xml(company_chat(now)), now, COMPANY), SUITES, query=SIGNED, body=False
        ),
        Sample("url verification", verification(now), APP, 0, query=(*SIGNED, "echostr"), body=False),
    )


def wrap(payload: bytes, now: float) -> tuple[Request, App]:
    """`payload`, encrypted and signed."""
    return delivery(payload, now), APP


def payloads() -> Iterator[bytes]:
    """Messages and events of every type, with each field replaced by values of wrong types."""
    now = 1_718_000_002.0
    others = [{**fields(now), **more} for more in OTHERS]
    yield from every_wrong_payload([chat(now), click(now), ticket(now), *others])


# --- vectors ----------------------------------------------------------------------------------------------------------


def _app(vector: Vector) -> App:
    """The app that the vector is for: the agent id is in the content only."""
    receiver = vector.inputs["receiveid"]
    if is_third_party(vector) and not vector.kind.endswith("_negative"):
        return make_suite(vector.inputs["token"], vector.inputs["encoding_aes_key"], _suite_of(vector))
    agent = re.search(r"<AgentID>(?:<!\[CDATA\[)?([0-9]+)", vector.expected.get("plaintext", ""))
    more: dict[str, Any] = {"corp_id": receiver} if receiver else {"receive_ids": ("",)}
    more |= {"agent_id": int(agent[1])} if agent else {}
    return make_app(vector.inputs["token"], vector.inputs["encoding_aes_key"], **more)


def is_third_party(vector: Vector) -> bool:
    """Whether the vector is for an app of a service provider. A negative one shows the rule for one expected id."""
    return vector.document.get("set") == "third-party"


def _suite_of(vector: Vector) -> str:
    """The app that the command of a vector names."""
    fields: dict[str, Any] = vector.expected.get("fields", {})
    return str(fields.get("SuiteId", SUITE_APP))


def _receive_id(vector: Vector) -> None:
    """Which ids end a valid callback. A message is for any company, also for one that is not known yet."""
    inputs, config = vector.inputs, make_suite().config
    keys = config.verification_keys if inputs["method"] == "GET" else config.callback_keys
    expect(vector.expected["receiveid"] in keys.receivers, "the id is refused")
    expect(inputs["method"] == "POST" or inputs["suite_id"] not in keys.receivers, "a check accepts the id of the app")


def _api_request(vector: Vector) -> None:
    """A call about a company, without its token."""
    app, expected = make_suite(), vector.expected
    company = vector.expected["json"].get("auth_corpid", "none")
    in_company = App("wecom", f"demo@{company}", app.config.of_tenant(company, "1"), app)
    calls = {
        "get_suite_token": lambda: next(
            suites.token(app.config, {"suite_ticket": expected["json"]["suite_ticket"]}, 0)
        ),
        "get_permanent_code_v2": lambda: suites.exchange_call("AUTH", app),
        "get_auth_info_v2": lambda: suites.authorisation_call(company, "PERM", app),
        "get_corp_token": lambda: suites.tenant_token_call("PERM", in_company),
    }
    call = calls[vector.inputs["call"]]()
    expect_equal((call.method, call.url), (expected["method"], expected["url"]), "method and URL")
    expect_equal(call.json, {**expected["json"], **({"suite_secret": SUITE_SECRET} if not call.auth else {})}, "body")
    expect_equal([call.auth.name] if call.auth else [], list(expected["query"]), "query")


def _error_class(vector: Vector) -> None:
    """What the engine does after an error."""
    app, code = make_suite(), int(vector.inputs["errcode"])
    answer = Answer(200, json.dumps({"errcode": code, "errmsg": "refused"}).encode())
    found = outbound.outcome(suites.exchange_call("AUTH", app), answer)
    if vector.expected["class"] == "wait_for_ticket":
        steps = suites.token(app.config, {"suite_ticket": "T"}, 0)
        next(steps)
        try:
            steps.send(answer)
        except TokenUnavailableError as error:
            expect_equal(error.retry_after, 60, "seconds until the next ticket")
            return
    kinds: dict[str, type] = {
        "renew_suite_token": TokenRejected,
        "renew_corp_token": TokenRejected,
        "retry": Transient,
        "slow_down": RetryAfter,
    }
    expect_equal(type(found), kinds.get(vector.expected["class"], Permanent), "outcome")
    expect_equal(suites.has_left(answer), vector.expected["class"] == "uninstalled", "has left")
    expect_equal(_is_over(answer), vector.expected["class"] == "restart_install", "the code of an installation is over")


def _is_over(answer: Answer) -> bool:
    """Whether the code of an installation is over, and not only refused for now."""
    try:
        return suites.read_grant(answer) is None
    except RetryAfter:
        return False


def _request(vector: Vector) -> Request:
    """The request of a vector. Its query string, if it has one, is decoded once."""
    inputs = vector.inputs
    names = (*SIGNED, "echostr") if "echostr" in inputs else SIGNED
    query = {name: inputs[name] for name in names}
    if "query_string" in inputs:
        query = dict(parse_qsl(inputs["query_string"], strict_parsing=True))
    return Request(method="GET" if "echostr" in inputs else "POST", query=query, body=inputs.get("body", "").encode())


def _verified(vector: Vector) -> None:
    request = _request(vector)
    spaced = {**request.query, "echostr": request.query["echostr"].replace("+", " ")}
    for query in (request.query, spaced):
        outcome = receive("wecom", Request(method="GET", query=query), _app(vector), moment(request))
        response = expect_accepted(outcome).response
        expect_equal(response.body.decode(), vector.expected["response_body"], "answer")
        expect_equal((response.status, response.content_type), (200, "text/plain"), "status and type")


def _posted(vector: Vector) -> None:
    check_content(vector, vector.inputs["receiveid"])
    request = _request(vector)
    accepted = expect_accepted(receive("wecom", request, _app(vector), moment(request)))
    check_nothing_lost(vector.expected["plaintext"], accepted)
    expect_action(vector, next(iter(accepted.messages), None))


def _smart_bot(vector: Vector) -> None:
    """Smart bots use the same envelope. Their content is not for an app, so it is refused."""
    check_content(vector, vector.inputs["receiveid"])
    request = _request(vector)
    refused = expect_rejected(receive("wecom", request, _app(vector), moment(request)))
    expect_equal(refused.reason, "malformed", "reason")


def _refused(vector: Vector) -> None:
    request = _request(vector)
    expect_rejected(receive("wecom", request, _app(vector), moment(request)))


CHECKS = {
    "get_verify": _verified,
    "get_verify_negative": _refused,
    "post_xml": _posted,
    "post_xml_negative": _refused,
    "post_json": _smart_bot,
    "post_json_negative": _refused,
    "receiveid_rule": _receive_id,
    "api_request": _api_request,
    "error_class": _error_class,
    "encrypt_reply": lambda vector: check_encryption(vector, vector.inputs["receiveid"]),
}

ADAPTER = Adapter(
    platform="wecom",
    checks=CHECKS,
    samples=samples,
    stranger=make_app("anothertoken", OTHER_KEY, corp_id="ww0000000000000000"),
    wrap=wrap,
    payloads=payloads,
    app=APP,
    receipt=lambda call, number: Answer(200, receipt(call, number)),
    max_age=3600,
    max_ahead=300,
    never_in_raw=(SUITE_SECRET, AUTH_CODE, TOKEN, KEY, SECRET, "RESP-CODE", "TICKET-1"),
)
