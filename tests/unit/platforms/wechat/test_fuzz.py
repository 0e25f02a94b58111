"""Any request is refused or becomes valid messages, without an exception. Any reply becomes calls within the limits."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from parley.adapter import Accepted, Rejected, Request, Sent, UndeliverableError
from parley.model import (
    AnySegment,
    Button,
    Card,
    Destination,
    File,
    Image,
    Link,
    Markdown,
    Other,
    Outgoing,
    Reply,
    Text,
)
from parley.model.codec import decode_message, encode
from parley.platforms.wechat import outbound
from parley.platforms.wechat.inbound import passive_reply, receive
from tests.conformance.adapters.wechat import APP, PLAIN, TOKEN, delivery, fields
from tests.conformance.tencent import query_of, xml
from tests.factories import answers_to

NOW = 1_718_000_200.0
NAMES = st.sampled_from(
    [
        "MsgType",
        "Event",
        "EventKey",
        "FromUserName",
        "CreateTime",
        "MsgId",
        "Content",
        "bizmsgmenuid",
        "Location_X",
        "MsgID",
    ]
)
LEAVES = st.one_of(st.text(max_size=20), st.integers(), st.floats(allow_nan=False), st.none(), st.booleans())
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=8
)
QUERIES = st.dictionaries(
    st.sampled_from(["signature", "msg_signature", "timestamp", "nonce", "echostr", "encrypt_type"]),
    st.one_of(st.text(max_size=30), st.sampled_from(["aes", "raw"])),
)


@settings(max_examples=150)
@given(st.binary(max_size=300), QUERIES)
def test_any_unsigned_request_is_refused_without_an_exception(body: bytes, query: dict[str, str]) -> None:
    for app in (APP, PLAIN):
        for method in ("GET", "POST", "PUT"):
            assert isinstance(receive(Request(method=method, query=query, body=body), app, NOW), Rejected)


@settings(max_examples=150)
@given(st.dictionaries(NAMES, TREES, max_size=8), st.booleans())
def test_any_signed_fields_are_refused_or_become_a_valid_message(payload: dict[str, Any], as_json: bool) -> None:
    content = {**fields(NOW), **payload}
    request = delivery(json.dumps(content) if as_json else xml(content).encode("utf-8", "surrogatepass"), NOW)
    outcome = receive(request, APP, NOW)
    if isinstance(outcome, Accepted):
        for message in outcome.messages:
            assert decode_message(encode(message)) == message
            assert message.id
            passive_reply(request, APP, message, answers_to(message, Reply.of("x")), NOW)


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_any_signed_bytes_are_handled_without_an_exception(payload: bytes) -> None:
    assert isinstance(receive(delivery(payload, NOW), APP, NOW), Accepted | Rejected)
    request = Request(query=query_of(TOKEN, NOW, name="signature"), body=payload)
    assert isinstance(receive(request, PLAIN, NOW), Accepted | Rejected)


TEXTS = st.text(alphabet="你好 ab.。\n🙂<*`[](#)>@", max_size=3000)
URLS = st.sampled_from(["", "https://e.com/a.png", "https://e.com", "not a url"])
SEGMENTS = st.one_of(
    TEXTS.map(lambda text: Text(text=text)),
    TEXTS.map(lambda text: Markdown(text=text)),
    st.builds(Link, url=URLS, title=st.text(max_size=60), image=URLS),
    st.builds(Image, key=st.sampled_from(["", "M"]), url=URLS, name=st.text(max_size=20)),
    st.builds(File, key=st.sampled_from(["", "M"]), url=URLS, name=st.text(max_size=20)),
    st.builds(Other, name=st.sampled_from(["typing", "template", "miniprogram", "sticker"]), text=st.text(max_size=20)),
    st.builds(
        Card,
        title=st.text(max_size=600),
        text=TEXTS,
        buttons=st.lists(
            st.builds(
                Button, id=st.text(max_size=20), label=st.text(max_size=20), value=st.text(max_size=60), url=URLS
            ),
            max_size=23,
        ).map(tuple),
    ),
)


@settings(max_examples=150)
@given(st.lists(SEGMENTS, max_size=5).map(tuple))
def test_any_reply_is_sent_within_the_limits(segments: tuple[AnySegment, ...]) -> None:
    to = Destination(platform="wechat", app="demo", user_id="o1")
    out = Outgoing(id="a" * 32, message_key="k", ordinal=0, to=to, reply=Reply(segments=segments), created=0)
    try:
        steps = outbound.deliver(out, APP, NOW)
        call = next(steps)
        while True:
            _within_limits(call.json or {})
            call = steps.send(Sent(id="MEDIA"))
    except (StopIteration, UndeliverableError):
        return


def _within_limits(body: dict[str, Any]) -> None:
    kind = body.get("msgtype", "")
    content = body.get(kind, {})
    if kind == "text":
        assert 0 < len(content["content"].encode("utf-8", "surrogatepass")) <= 2048
    if kind == "news":
        assert len(content["articles"]) == 1
    if kind == "msgmenu":
        assert 1 <= len(content["list"]) <= 10
        assert len(content["head_content"].encode("utf-8", "surrogatepass")) <= 1024
