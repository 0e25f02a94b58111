"""Any request is refused or becomes valid messages, without an exception. Any reply becomes calls within the limits."""

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
    Mention,
    Outgoing,
    Reply,
    Text,
)
from parley.model.codec import decode_message, encode
from parley.platforms.wecom import outbound
from parley.platforms.wecom.inbound import passive_reply, receive
from tests.conformance.adapters.wecom import APP, delivery, fields
from tests.conformance.tencent import xml
from tests.factories import answers_to

NOW = 1_718_000_100.0
NAMES = st.sampled_from(
    [
        "MsgType",
        "Event",
        "EventKey",
        "FromUserName",
        "CreateTime",
        "MsgId",
        "Content",
        "MediaId",
        "Location_X",
        "InfoType",
    ]
)
LEAVES = st.one_of(
    st.text(max_size=20), st.sampled_from(["event", "text", "location", "template_card_event", "1", "nan"])
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=8
)


@settings(max_examples=150)
@given(
    st.binary(max_size=300),
    st.dictionaries(st.sampled_from(["msg_signature", "timestamp", "nonce", "echostr"]), st.text(max_size=30)),
)
def test_any_unsigned_request_is_refused_without_an_exception(body: bytes, query: dict[str, str]) -> None:
    for method in ("GET", "POST", "PUT"):
        assert isinstance(receive(Request(method=method, query=query, body=body), APP, NOW), Rejected)


@settings(max_examples=150)
@given(st.dictionaries(NAMES, TREES, max_size=8))
def test_any_signed_fields_are_refused_or_become_a_valid_message(payload: dict[str, Any]) -> None:
    request = delivery(xml({**fields(NOW), **payload}).encode("utf-8", "surrogatepass"), NOW)
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


TEXTS = st.text(alphabet="你好 ab.。\n🙂<*`[](#)>@", max_size=3000)
URLS = st.sampled_from(["", "https://e.com/a.png", "https://e.com", "not a url", "data:,x"])
SEGMENTS = st.one_of(
    TEXTS.map(lambda text: Text(text=text)),
    TEXTS.map(lambda text: Markdown(text=text)),
    st.builds(Link, url=URLS, title=st.text(max_size=60), description=st.text(max_size=60), image=URLS),
    st.builds(
        Image, key=st.sampled_from(["", "M"]), url=URLS, data=st.sampled_from(["", "AAAA"]), name=st.text(max_size=20)
    ),
    st.builds(File, key=st.sampled_from(["", "M"]), url=URLS, name=st.text(max_size=20)),
    st.builds(Mention, id=st.sampled_from(["all", "zhangsan"]), name=st.text(max_size=10)),
    st.builds(
        Card,
        title=st.text(max_size=80),
        text=TEXTS,
        buttons=st.lists(
            st.builds(
                Button, id=st.text(max_size=20), label=st.text(max_size=20), value=st.text(max_size=600), url=URLS
            ),
            max_size=14,
        ).map(tuple),
    ),
)
DESTINATIONS = st.sampled_from(
    [
        Destination(platform="wecom", app="demo", user_id="zhangsan"),
        Destination(platform="wecom", app="demo", room_id="wr1"),
        Destination(platform="wecom", app="demo", webhook="alerts"),
    ]
)


@settings(max_examples=150)
@given(st.lists(SEGMENTS, max_size=5).map(tuple), DESTINATIONS)
def test_any_reply_is_sent_within_the_limits(segments: tuple[AnySegment, ...], to: Destination) -> None:
    out = Outgoing(id="a" * 32, message_key="k", ordinal=0, to=to, reply=Reply(segments=segments), created=0)
    try:
        steps = outbound.deliver(out, APP, NOW)
        call = next(steps)
        while True:
            _within_limits(call.json or {})
            assert outbound.limits(call, out, APP) is not None
            call = steps.send(Sent(id="MEDIA"))
    except (StopIteration, UndeliverableError):
        return


def _within_limits(body: dict[str, Any]) -> None:
    kind = body.get("msgtype", "")
    content = body.get(kind, {})
    if kind == "text":
        assert 0 < len(content["content"].encode("utf-8", "surrogatepass")) <= 2048
    if kind == "markdown":
        assert 0 < len(content["content"].encode("utf-8", "surrogatepass")) <= 4096
    if kind == "news":
        assert 1 <= len(content["articles"]) <= 8
    if kind == "template_card":
        assert 1 <= len(content["button_list"]) <= 6
        assert content["main_title"]["title"]
        assert all(len(one.get("key", "").encode()) <= 1024 for one in content["button_list"])
