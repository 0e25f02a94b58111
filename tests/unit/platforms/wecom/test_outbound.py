"""Sending on WeCom, besides the golden files: tokens, limits, outcomes, downloads, and the bytes on the wire."""

import base64
import json
from typing import Any

import httpx
import pytest

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    App,
    Call,
    Limit,
    Permanent,
    Sent,
    SupportsLimitFeedback,
    Token,
    TokenRejected,
    TokenUnavailableError,
    Transient,
    fallback,
)
from parley.engine.http import Http
from parley.errors import RetryAfter
from parley.model import Button, Card, Destination, File, Image, Outgoing, Reply, Text
from parley.platforms.wecom import outbound, robot
from tests.conformance.adapters.wecom import APP, CORP, HOOK, SECRET

PERSON = Destination(platform="wecom", app="demo", user_id="zhangsan")
SEND = Call(name="send", method="POST", url="https://x")


def out(reply: Reply, to: Destination = PERSON) -> Outgoing:
    return Outgoing(id="0123456789abcdef", message_key="k", ordinal=0, to=to, reply=reply, created=0)


def first(reply: Reply, to: Destination = PERSON, app: App = APP) -> Call:
    return next(outbound.deliver(out(reply, to), app, 0))


def answer(**body: Any) -> Answer:
    return Answer(200, json.dumps(body).encode())


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_the_token_request_has_the_corp_id_and_the_secret() -> None:
    steps = outbound.token(out(Reply.of("x")), APP, {}, 1000)
    call = next(steps)
    assert (call.method, call.url) == ("GET", "https://qyapi.weixin.qq.com/cgi-bin/gettoken")
    assert (call.query, call.auth, call.idempotent_for) == ({"corpid": CORP, "corpsecret": SECRET}, None, IDEMPOTENT)
    with pytest.raises(StopIteration) as end:
        steps.send(answer(errcode=0, errmsg="ok", access_token="T", expires_in=7200))
    assert end.value.value == Token("T", 8200)


@pytest.mark.parametrize(
    ("code", "named"),
    [(40001, "Secret"), (40091, "Secret"), (40013, "Company ID"), (60020, "Trusted IP"), (50003, "disabled")],
)
def test_refused_credentials_name_the_page_of_the_console(code: int, named: str) -> None:
    steps = outbound.token(out(Reply.of("x")), APP, {}, 1000)
    next(steps)
    with pytest.raises(TokenUnavailableError, match=named) as error:
        steps.send(answer(errcode=code, errmsg="no"))
    assert error.value.retry_after is None
    assert SECRET not in str(error.value)


def test_an_app_has_one_token_and_a_robot_none() -> None:
    assert outbound.token_key(out(Reply.of("x")), APP) == "access_token"
    hook = Destination(platform="wecom", app="demo", webhook="alerts")
    assert outbound.token_key(out(Reply.of("x"), hook), APP) is None


# --- limits -----------------------------------------------------------------------------------------------------------


def buckets(reply: Reply, to: Destination) -> dict[str, tuple[Limit, ...]]:
    return {one.key: one.limits for one in outbound.limits(first(reply, to), out(reply, to), APP)}


def test_a_message_counts_for_its_person_and_for_the_company() -> None:
    found = buckets(Reply.of("x"), PERSON)
    assert found == {
        f"wecom#{CORP}#1000002#zhangsan": (Limit(30, 60), Limit(1000, 3600)),
        f"wecom#{CORP}#send": (Limit(10_000, 60), Limit(150_000, 3600)),
    }
    # User ids are not case-sensitive.
    assert buckets(Reply.of("x"), Destination(platform="wecom", app="demo", user_id="ZhangSan")) == found


@pytest.mark.parametrize("who", ["@all", "@ALL", "party:1", "tag:2"])
def test_a_message_to_persons_who_are_not_known_counts_for_the_company_only(who: str) -> None:
    to = Destination(platform="wecom", app="demo", user_id=who)
    assert set(buckets(Reply.of("x"), to)) == {f"wecom#{CORP}#send"}


@pytest.mark.parametrize(
    ("who", "persons"),
    [("Lin@e.com", ["lin@e.com"]), ("@lin", ["@lin"]), ("a.b-c_d", ["a.b-c_d"]), ("a|B@c|a", ["a", "b@c"])],
)
def test_a_message_counts_for_each_person_that_it_names(who: str, persons: list[str]) -> None:
    to = Destination(platform="wecom", app="demo", user_id=who)
    expected = {f"wecom#{CORP}#1000002#{person}" for person in persons}
    assert set(buckets(Reply.of("x"), to)) == expected | {f"wecom#{CORP}#send"}


def test_a_message_to_a_chat_counts_for_the_chat() -> None:
    to = Destination(platform="wecom", app="demo", room_id="wr1")
    assert buckets(Reply.of("x"), to) == {
        f"wecom#{CORP}#chat#wr1": (Limit(200, 60), Limit(10_000, 86_400)),
        f"wecom#{CORP}#send_to_chat": (Limit(10_000, 60), Limit(150_000, 3600)),
    }


def test_a_push_counts_for_its_robot_without_showing_the_key() -> None:
    to = Destination(platform="wecom", app="demo", webhook="alerts")
    (bucket,) = outbound.limits(first(Reply.of("x"), to), out(Reply.of("x"), to), APP)
    assert (bucket.limit, bucket.period) == (20, 60)
    assert HOOK.partition("key=")[2] not in bucket.key
    assert not robot.limits(Call(name="upload", method="POST", url="https://x"))


def test_a_refused_call_pauses_no_other() -> None:
    """The code 45009 does not say whose limit it is: the company's, that of the address, or the robot's."""
    assert not isinstance(outbound, SupportsLimitFeedback)


# --- outcomes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (40014, TokenRejected),
        (42001, TokenRejected),
        (41001, TokenRejected),
        (45009, RetryAfter),
        (45033, RetryAfter),
        (-1, Transient),
        (6000, Transient),
        (81013, Permanent),
        (60020, Permanent),
        (48002, Permanent),
        (93000, Permanent),
        (99999, Permanent),
    ],
)
def test_the_outcome_of_an_error_code(code: int, kind: type) -> None:
    assert isinstance(outbound.outcome(SEND, answer(errcode=code, errmsg="x")), kind)


@pytest.mark.parametrize("code", [40007, 40008, 40058, 45001, 45002, 45008])
def test_a_refused_form_has_a_plain_text_fallback(code: int) -> None:
    refused = outbound.outcome(SEND, answer(errcode=code, errmsg="x"))
    assert refused == Permanent(f"{code} x", part="form")
    card = Reply.of(Card(title="T", buttons=(Button(id="a", label="A"),)))
    plain = fallback(out(card), "form")
    assert plain is not None
    assert first(plain.reply).json["text"] == {"content": "T"}


def test_an_untrusted_address_names_the_page_of_the_console() -> None:
    refused = outbound.outcome(SEND, answer(errcode=60020, errmsg="not allow to access from your ip"))
    assert isinstance(refused, Permanent)
    assert "Trusted IP" in refused.reason


def to(user_id: str) -> Call:
    return first(Reply.of("x"), Destination(platform="wecom", app="demo", user_id=user_id))


@pytest.mark.parametrize(
    ("user_id", "named", "unreached"),
    [
        ("Lin|Wang", {"invaliduser": "lin"}, "invaliduser lin"),
        ("Lin|Wang", {"unlicenseduser": "wang"}, "unlicenseduser wang"),
        ("lin|wang|li", {"invaliduser": "lin", "unlicenseduser": "wang"}, "invaliduser lin; unlicenseduser wang"),
        ("party:1|2", {"invalidparty": "2"}, "invalidparty 2"),
        ("party:1", {"unlicenseduser": "lin"}, "unlicenseduser lin"),
        ("tag:1|2", {"invalidtag": "1"}, "invalidtag 1"),
        ("@all", {"invaliduser": "lin"}, "invaliduser lin"),
        ("Lin|Wang", {"invaliduser": ["lin"]}, "invaliduser lin"),
    ],
)
def test_receivers_that_were_not_reached_are_named(user_id: str, named: dict[str, Any], unreached: str) -> None:
    found = outbound.outcome(to(user_id), answer(errcode=0, errmsg="ok", msgid="m1", **named))
    assert found == Sent(id="m1", data={"unreached": unreached})


@pytest.mark.parametrize(
    ("user_id", "named"),
    [
        ("Lin", {"unlicenseduser": "lin"}),
        ("Lin|Wang", {"invaliduser": "lin", "unlicenseduser": "wang"}),
        ("party:1|2", {"invalidparty": "1|2"}),
        ("tag:4", {"invalidtag": "4"}),
    ],
)
def test_a_message_that_reached_nobody_has_failed(user_id: str, named: dict[str, Any]) -> None:
    found = outbound.outcome(to(user_id), answer(errcode=0, errmsg="ok", msgid="m1", **named))
    assert isinstance(found, Permanent)
    assert found.reason.startswith("reached nobody: ")
    assert not found.window_closed


def test_a_message_that_reached_everybody_is_sent() -> None:
    empty = dict.fromkeys(("invaliduser", "invalidparty", "invalidtag", "unlicenseduser"), "")
    assert outbound.outcome(to("lin"), answer(errcode=0, errmsg="ok", msgid="m1", **empty)) == Sent(id="m1")


def test_a_text_has_no_idempotency_window_but_recalls_and_uploads_do() -> None:
    assert first(Reply.of("x")).idempotent_for == 0
    assert "enable_duplicate_check" not in first(Reply.of("x")).json
    assert first(Reply(op="recall", target="m1")).idempotent_for == IDEMPOTENT
    assert first(Reply.of(Image(url="https://e.com/p.png"))).idempotent_for == IDEMPOTENT


def test_a_card_is_idempotent_because_of_its_task_id() -> None:
    card = Reply.of(Card(title="T", buttons=(Button(id="a", label="A"),)))
    call = first(card)
    assert (call.json["enable_duplicate_check"], call.json["duplicate_check_interval"]) == (1, 14_400)
    assert call.idempotent_for == 14_400
    assert outbound.outcome(call, answer(errcode=42014, errmsg="taskid has existed")) == Sent()


def test_equal_texts_are_equal_calls() -> None:
    assert first(Reply.of("done")) == first(Reply.of("done"))


def test_each_card_of_a_reply_has_its_own_task_id() -> None:
    card = Card(title="T", buttons=(Button(id="a", label="A"),))
    calls = list(outbound.deliver(out(Reply(segments=(card,) * 3)), APP, 0))
    tasks = {call.json["template_card"]["task_id"] for call in calls}
    assert len(tasks) == 3
    assert all(len(task) <= 128 and set(task) <= set("0123456789abcdef@-") for task in tasks)


# --- media and addresses ----------------------------------------------------------------------------------------------


def test_media_are_fetched_by_media_id_or_address() -> None:
    call = outbound.download(File(key="M 1"), "m", APP)
    assert (call.url, call.query) == ("https://qyapi.weixin.qq.com/cgi-bin/media/get", {"media_id": "M 1"})
    assert call.auth is not None
    call = outbound.download(Image(url="https://p.qpic.cn/x"), "m", APP)
    assert (call.url, call.auth) == ("https://p.qpic.cn/x", None)


def test_callback_addresses_are_read() -> None:
    call = outbound.addresses(APP)
    assert (call.method, call.url) == ("GET", "https://qyapi.weixin.qq.com/cgi-bin/getcallbackip")
    assert outbound.read_addresses(answer(ip_list=["101.226.103.*"])) == ("101.226.103.0/24",)


# --- on the wire ------------------------------------------------------------------------------------------------------


def sent(call: Call, token: str = "") -> httpx.Request:
    """The request that the engine makes of `call`."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        return httpx.Response(200, json={"errcode": 0})

    with httpx.Client(transport=httpx.MockTransport(handler)) as client:
        Http(client).perform(call, token)
    return seen[0]


def test_the_token_is_in_the_query_and_the_body_is_utf_8() -> None:
    request = sent(first(Reply.of("你好")), "TOKEN/+=")
    assert dict(request.url.params) == {"access_token": "TOKEN/+="}
    assert "你好".encode() in request.content
    assert request.headers["content-type"] == "application/json; charset=utf-8"


def test_pushes_and_uploads_of_a_robot_use_its_key() -> None:
    to = Destination(platform="wecom", app="demo", webhook="alerts")
    assert str(sent(first(Reply.of("x"), to)).url) == HOOK
    request = sent(first(Reply.of(File(data="AAAA", name="a.pdf")), to))
    assert (request.url.path, dict(request.url.params)) == (
        "/cgi-bin/webhook/upload_media",
        {"key": HOOK.partition("key=")[2], "type": "file"},
    )
    assert b'name="media"; filename="a.pdf"' in request.content


def test_white_space_alone_is_not_a_message() -> None:
    reply = Reply(segments=(Text(text=" \n"), Image(key="M1"), Text(text=" ")))
    assert [call.json["msgtype"] for call in outbound.deliver(out(reply), APP, 0)] == ["image"]


def test_a_large_image_is_pushed_to_a_robot_as_a_file() -> None:
    to = Destination(platform="wecom", app="demo", webhook="alerts")
    image = Image(data=base64.b64encode(bytes(2_097_153)).decode(), name="a.png")
    call = first(Reply.of(image), to)
    assert (call.name, call.query["type"]) == ("upload", "file")
