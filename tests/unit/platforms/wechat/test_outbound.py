"""Sending on WeChat, besides the golden files: tokens, limits, outcomes, downloads, and the bytes on the wire."""

import json
import re
from typing import Any

import httpx
import msgspec
import pytest

from parley.adapter import (
    IDEMPOTENT,
    Answer,
    App,
    Bucket,
    Call,
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
from parley.model import (
    AnySegment,
    Button,
    Card,
    Destination,
    File,
    Image,
    Link,
    Other,
    Outgoing,
    Reply,
    Select,
    Text,
    Video,
)
from parley.model.instant import Choice
from parley.platforms.tencent.buttons import unpack
from parley.platforms.wechat import outbound
from parley.platforms.wechat.render import messages
from tests.conformance.adapters.wechat import APP, APP_ID, OPENID, SECRET

PERSON = Destination(platform="wechat", app="demo", user_id=OPENID)
SEND = Call(name="send", method="POST", url="https://x")


def out(reply: Reply, to: Destination = PERSON) -> Outgoing:
    return Outgoing(id="0123456789abcdef", message_key="k", ordinal=0, to=to, reply=reply, created=0)


def first(reply: Reply) -> Call:
    return next(outbound.deliver(out(reply), APP, 0))


def answer(**body: Any) -> Answer:
    return Answer(200, json.dumps(body).encode())


def test_the_stable_token_is_requested_without_force_refresh() -> None:
    steps = outbound.token(out(Reply.of("x")), APP, {}, 1000)
    call = next(steps)
    assert (call.method, call.url) == ("POST", "https://api.weixin.qq.com/cgi-bin/stable_token")
    assert call.json == {
        "grant_type": "client_credential",
        "appid": APP_ID,
        "secret": SECRET,
        "force_refresh": False,
    }
    with pytest.raises(StopIteration) as end:
        steps.send(answer(access_token="T", expires_in=300))
    assert end.value.value == Token("T", 1300)
    assert outbound.token_key(out(Reply.of("x")), APP) == "access_token"


@pytest.mark.parametrize(
    ("code", "named"),
    [(40001, "AppSecret"), (40125, "AppSecret"), (40013, "AppID"), (40164, "IP Allow-list"), (48004, "banned")],
)
def test_refused_credentials_name_the_page_of_the_console(code: int, named: str) -> None:
    steps = outbound.token(out(Reply.of("x")), APP, {}, 1000)
    next(steps)
    with pytest.raises(TokenUnavailableError, match=named) as error:
        steps.send(answer(errcode=code, errmsg="no"))
    assert error.value.retry_after is None
    assert SECRET not in str(error.value)


def test_an_account_has_2000_calls_a_minute() -> None:
    assert outbound.limits(SEND, out(Reply.of("x")), APP) == (Bucket(f"wechat#{APP_ID}", 2000, 60),)


def test_a_refused_call_pauses_no_other() -> None:
    """The codes name one API of the account, and the account's bucket holds the calls to all of them."""
    assert not isinstance(outbound, SupportsLimitFeedback)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (40001, TokenRejected),
        (40014, TokenRejected),
        (42001, TokenRejected),
        (41001, TokenRejected),
        (45011, RetryAfter),
        (45009, RetryAfter),
        (-1, Transient),
        (45065, Sent),
        (43004, Permanent),
        (40003, Permanent),
        (99999, Permanent),
    ],
)
def test_the_outcome_of_an_error_code(code: int, kind: type) -> None:
    assert isinstance(outbound.outcome(SEND, answer(errcode=code, errmsg="x")), kind)


def test_a_used_up_day_quota_waits_longer_than_a_minute_limit() -> None:
    minute, day = (outbound.outcome(SEND, answer(errcode=code)) for code in (45011, 45009))
    assert isinstance(minute, RetryAfter)
    assert isinstance(day, RetryAfter)
    assert minute.seconds * 10 < day.seconds


@pytest.mark.parametrize("code", [45015, 45047, 48001])
def test_a_refused_message_is_deferred_only_if_a_passive_reply_can_carry_it(code: int) -> None:
    def is_deferred(segment: str | Other, app: App, code: int) -> bool:
        call = next(outbound.deliver(out(Reply.of(segment)), app, 100))
        refused = outbound.outcome(call, answer(errcode=code, errmsg="x"))
        assert isinstance(refused, Permanent)
        return refused.window_closed

    passive = App("wechat", "demo", msgspec.structs.replace(APP.config, reply_mode="passive"))
    template = Other(name="template", data={"template_id": "T"})
    assert is_deferred("text", passive, code)
    assert not is_deferred(template, passive, code)
    assert not is_deferred("text", passive, 43019)
    assert not is_deferred("text", APP, code)


@pytest.mark.parametrize("code", [45080, 45081, 48001, 45011])
def test_a_refused_typing_sign_counts_as_sent(code: int) -> None:
    typing = first(Reply.of(Other(name="typing")))
    assert outbound.outcome(typing, answer(errcode=code, errmsg="x")) == Sent()
    assert isinstance(outbound.outcome(typing, answer(errcode=40001, errmsg="x")), TokenRejected)


def test_the_typing_sign_is_a_short_call() -> None:
    call = outbound.typing(out(Reply()), APP)
    assert (call.name, call.json) == ("typing", {"touser": OPENID, "command": "Typing"})
    assert call.timeout <= 1


@pytest.mark.parametrize("code", [40007, 40033, 45002, 45008])
def test_a_refused_form_has_a_plain_text_fallback(code: int) -> None:
    assert outbound.outcome(SEND, answer(errcode=code, errmsg="x")) == Permanent(f"{code} x", part="form")
    plain = fallback(out(Reply.of(Card(title="T", buttons=(Button(id="a", label="A"),)))), "form")
    assert plain is not None
    assert first(plain.reply).json["text"] == {"content": "T"}


def test_a_message_has_no_idempotency_window_and_a_template_has_its_client_msg_id() -> None:
    assert first(Reply.of("x")).idempotent_for == 0
    template = Reply.of(Other(name="template", data={"template_id": "T"}))
    assert first(template).idempotent_for == 600
    assert first(template).json["client_msg_id"] == first(template).json["client_msg_id"]
    two = Reply(segments=template.segments * 2)
    assert len({call.json["client_msg_id"] for call in outbound.deliver(out(two), APP, 0)}) == 2
    assert first(Reply.of(Other(name="typing"))).idempotent_for == IDEMPOTENT


def test_media_are_fetched_by_media_id_or_address() -> None:
    call = outbound.download(File(key="M1"), "m", APP)
    assert (call.url, call.query) == ("https://api.weixin.qq.com/cgi-bin/media/get", {"media_id": "M1"})
    call = outbound.download(Image(url="http://mmbiz.qpic.cn/x"), "m", APP)
    assert (call.url, call.auth) == ("http://mmbiz.qpic.cn/x", None)


def test_the_answer_for_a_video_is_its_address() -> None:
    call = outbound.download(Video(key="M1"), "m", APP)
    found = outbound.outcome(call, answer(video_url="http://v.qq.com/x.mp4"))
    assert found == Sent(data={"url": "http://v.qq.com/x.mp4"})
    assert isinstance(outbound.outcome(call, answer(errcode=40007, errmsg="x")), Permanent)


def test_callback_addresses_are_read() -> None:
    call = outbound.addresses(APP)
    assert (call.method, call.url) == ("GET", "https://api.weixin.qq.com/cgi-bin/getcallbackip")
    assert outbound.read_addresses(answer(ip_list=["1.2.3.4"])) == ("1.2.3.4/32",)


def test_chinese_is_sent_as_utf_8_without_escapes() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        return httpx.Response(200, json={"errcode": 0})

    with httpx.Client(transport=httpx.MockTransport(handler)) as client:
        Http(client).perform(first(Reply.of("你好 🙂")), "TOKEN")
    assert "你好 🙂".encode() in seen[0].content
    assert b"\\u" not in seen[0].content
    assert dict(seen[0].url.params) == {"access_token": "TOKEN"}
    assert seen[0].headers["content-type"] == "application/json; charset=utf-8"


ESCAPED = "C:\\users \\u4f60"


@pytest.mark.parametrize(
    "segment",
    [
        Text(text=ESCAPED),
        Card(text=ESCAPED, literal=True, title=ESCAPED, buttons=(Button(id="a", label=ESCAPED),)),
        Card(selects=(Select(id="s", label=ESCAPED, choices=(Choice(label=ESCAPED, value="1"),)),)),
        Link(url="https://example.com", title=ESCAPED, description=ESCAPED, image="https://example.com/a.png"),
        Other(name="template", data={"template_id": "t", "data.name": ESCAPED}),
        Other(name="miniprogram", data={"title": ESCAPED, "appid": "a"}),
    ],
)
def test_words_that_look_like_an_escape_are_sent(segment: AnySegment) -> None:
    """WeChat refuses the whole body (40033) for what a person may write: `\\uXXXX`."""
    for rendered in messages((segment,)):
        body = json.dumps(rendered.content, ensure_ascii=False)
        assert "C:\\\\users" in body
        assert "\\\\\u200bu4f60" in body
        assert "\\u4f60" not in body


@pytest.mark.parametrize("text", [ESCAPED, "\\u4f60", "100%\\u0041", "~u~%5Cu4f60"])
def test_an_id_or_a_value_that_looks_like_an_escape_is_sent_and_comes_back(text: str) -> None:
    choice = Choice(label="1", value=text)
    card = Card(
        text="t",
        buttons=(Button(id=text, label="a"), Button(id="b", label="b", value=text)),
        selects=(Select(id=text, label="s", value=text, choices=(choice,)),),
    )
    menus = [rendered.content for rendered in messages((card,)) if rendered.kind == "msgmenu"]
    assert not re.search(r"\\u[0-9a-f]{4}", json.dumps(menus, ensure_ascii=False))
    keys = [unpack(item["id"]) for menu in menus for item in menu["list"]]
    assert keys == [(text, "", ()), ("b", text, ()), (text, text, (text,))]


def test_an_address_that_looks_like_an_escape_stays_that_address() -> None:
    address = "https://example.com/\\u4f60"
    (article,) = messages((Link(url=address, title="t", image=address),))
    (program,) = messages((Other(name="miniprogram", data={"title": "t", "appid": "a", "pagepath": "p/\\u4f60"}),))
    (template,) = messages((Other(name="template", data={"template_id": "t", "url": address}),))
    (shown,) = article.content["articles"]
    found = (shown["url"], shown["picurl"], template.content["url"])
    assert set(found) == {"https://example.com/%5Cu4f60"}
    assert program.content["pagepath"] == "p/%5Cu4f60"


def test_the_marks_between_words_count_for_the_size() -> None:
    texts = [rendered.content["content"] for rendered in messages((Text(text="\\u4f60" * 400),))]
    assert len(texts) > 1
    assert max(len(text.encode()) for text in texts) <= 2048
