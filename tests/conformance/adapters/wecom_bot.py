"""WeCom smart bots: vectors, and callbacks that wechatpy encrypts and signs, for an empty receiver."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from parley.adapter import Answer, App, Call, Request
from parley.model import Message, Outgoing
from parley.platforms.tencent import envelope
from parley.platforms.wecom_bot import media, response_url
from parley.platforms.wecom_bot.config import Config
from parley.platforms.wecom_bot.content_limits import LIMITS
from parley.platforms.wecom_bot.inbound import passive_reply
from parley.text import split, utf8_size
from tests.conformance.attacks import wrong_types
from tests.conformance.kit import (
    Adapter,
    Sample,
    Vector,
    expect,
    expect_accepted,
    expect_equal,
    expect_rejected,
    receive,
)
from tests.conformance.tencent import check_content, check_encryption, encrypt, moment, query_of

BOT, TOKEN = "aibX2mQ7zR4kW9tYc0LbN3Vd", "7hKqZ2mP0sVx"
KEY, OTHER_KEY = "R2k5VbT8wQzYc1NfXh4LmP7sUa0DgJeKoI3rBnM6tWq", "Zx9Cv8Bn7Ml6Kj5Hg4Fd3Sa2Qw1Er0Ty9Ui8Op7As6D"
URL = "https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=RESP-CODE"
SIGNED = ("msg_signature", "timestamp", "nonce")


def make_app(token: str = TOKEN, key: str = KEY, **more: Any) -> App:
    """An app with these credentials."""
    return App("wecom_bot", "demo", Config(token=token, encoding_aes_key=key, name="Helper", **more))


APP = make_app(bot_id=BOT)


# --- requests as WeCom makes them -------------------------------------------------------------------------------------


def fields(kind: str = "text", **more: Any) -> dict[str, Any]:
    """The fields of every message in a group, and `more`."""
    place = {"chatid": "wrkSFfCgAAq1", "chattype": "group", "from": {"userid": "lisi"}}
    return {"msgid": "c3de897d66ec3738", "aibotid": BOT, **place, "response_url": URL, "msgtype": kind, **more}


def chat() -> dict[str, Any]:
    """A text with a quote."""
    return fields(text={"content": "@Helper 你好 🙂"}, quote={"msgtype": "text", "text": {"content": "earlier"}})


def mixed() -> dict[str, Any]:
    """Words and a picture."""
    items = [{"msgtype": "text", "text": {"content": "see"}}, {"msgtype": "image", "image": {"url": "https://e.com/1"}}]
    return fields("mixed", mixed={"msg_item": items})


def click(now: float) -> dict[str, Any]:
    """A click on a template card, with an option chosen."""
    chosen = {"selected_item": [{"question_key": "q1", "option_ids": {"option_id": ["a"]}}]}
    details = {"card_type": "button_interaction", "event_key": "ok", "task_id": "task-42", "selected_items": chosen}
    event = {"eventtype": "template_card_event", "template_card_event": details}
    return fields("event", create_time=int(now), event=event)


def poll() -> dict[str, Any]:
    """A poll for the answer to `chat`."""
    return {**fields("stream", stream={"id": b"c3de897d66ec3738".hex()}), "msgid": "poll-1"}


def entered(now: float) -> dict[str, Any]:
    """A person opens the chat."""
    return fields("event", create_time=int(now), chattype="single", event={"eventtype": "enter_chat"})


def delivery(payload: bytes | str, now: float) -> Request:
    """A callback with `payload`."""
    encrypted = encrypt(KEY, payload, "")
    return Request(query=query_of(TOKEN, now, encrypted), body=json.dumps({"encrypt": encrypted}).encode())


def verification(now: float) -> Request:
    """The request that the console sends when the callback address is saved."""
    echo = encrypt(KEY, "5120873390176450217", "")
    return Request(method="GET", query=query_of(TOKEN, now, echo, echostr=echo))


def samples(now: float) -> tuple[Sample, ...]:
    """One valid request of each type. The signature covers only the encrypted part of the body."""
    posted = {"text": (chat(), 1), "mixed": (mixed(), 1), "card click": (click(now), 1), "poll": (poll(), 0)}
    posted["opened chat"] = entered(now), 1
    return (
        *(
            Sample(name, delivery(json.dumps(payload), now), APP, count, query=SIGNED, body=False)
            for name, (payload, count) in posted.items()
        ),
        Sample("url verification", verification(now), APP, 0, query=(*SIGNED, "echostr"), body=False),
    )


def wrap(payload: bytes, now: float) -> tuple[Request, App]:
    """`payload`, encrypted and signed."""
    return delivery(payload, now), APP


def payloads() -> Iterator[bytes]:
    """Messages and events of every type, with each field replaced by values of wrong types."""
    now = 1_718_000_002.0
    media_types = [fields(kind, **{kind: {"url": "https://e.com/1"}}) for kind in ("image", "video", "file")]
    voice = fields("voice", voice={"content": "hello"})
    for payload in (chat(), mixed(), click(now), poll(), entered(now), voice, *media_types):
        yield from wrong_types(json.dumps(payload).encode())


# --- vectors ----------------------------------------------------------------------------------------------------------


def _app(vector: Vector) -> App:
    """The app that the vector is for."""
    inputs = vector.inputs
    fields = {"token": inputs["token"], "encoding_aes_key": inputs["encoding_aes_key"]}
    return App("wecom_bot", "demo", Config(**fields, name=inputs.get("bot_name", "")))


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
    response = expect_accepted(receive("wecom_bot", request, _app(vector), moment(request))).response
    expect_equal(response.body.decode(), vector.expected["response_body"], "answer")


def _posted(vector: Vector) -> None:
    check_content(vector, "")
    request, app = _request(vector), _app(vector)
    accepted = expect_accepted(receive("wecom_bot", request, app, moment(request)))
    expected = vector.expected["normalised"]
    if expected["kind"] == "poll":
        answer = _plain(accepted.response.body, app)["stream"]
        expect_equal(answer, {"id": expected["stream_id"], "finish": True, "content": ""}, "answer to an unknown poll")
        return
    (message,) = accepted.messages
    _check_message(message, expected, app)
    kind = _plain(accepted.response.body, app)["msgtype"] if accepted.response.body else "empty"
    expect(kind in vector.expected["replies"], f"the answer is {kind}")


def _check_message(message: Message, expected: dict[str, Any], app: App) -> None:
    url = response_url.opened(message.context.reply_token, app.config) if message.context.reply_token else ""
    found = {
        "kind": message.kind,
        "id": message.id,
        "room_id": message.context.room_id,
        "private": message.context.private,
        "sender_id": message.sender.id,
        "text": message.content.text,
        "response_url": url,
        "event": message.event,
        "timestamp": message.timestamp,
    }
    wanted = {name: value for name, value in expected.items() if name in found}
    if message.kind != "message":
        wanted.pop("event" if message.kind == "action" else "text", None)
    expect_equal({name: found[name] for name in wanted}, wanted, "message")


def _plain(body: bytes, app: App) -> dict[str, Any]:
    """The content of an answer."""
    return json.loads(envelope.decrypt(app.config.encoding_aes_key, json.loads(body)["encrypt"]).text)


def _refused(vector: Vector) -> None:
    request = _request(vector)
    expect_rejected(receive("wecom_bot", request, _app(vector), moment(request)))


def _opened(vector: Vector) -> None:
    """An answer that another library has made can be read."""
    expect_equal(_plain(vector.inputs["body"].encode(), _app(vector)), vector.expected["json"], "content")


def _file(vector: Vector) -> None:
    data = media.decrypted(base64.b64decode(vector.inputs["encrypted_base64"]), (vector.inputs["encoding_aes_key"],))
    expect_equal(hashlib.sha256(data).hexdigest(), vector.expected["sha256"], "file")


def _refused_file(vector: Vector) -> None:
    try:
        _file(Vector(vector.platform, vector.name, vector.kind, {**vector.data, "expected": {"sha256": ""}}, {}))
    except ValueError:
        return
    expect(condition=False, reason="decrypted, but has to be refused")


def _limit(vector: Vector) -> None:
    """A text is cut between characters, at the limit of bytes."""
    inputs, expected = vector.inputs, vector.expected
    expect_equal(LIMITS.markdown.most, inputs["limit_bytes"], "limit")
    first, *rest = split(inputs["unit"] * inputs["times"], LIMITS.markdown.most, utf8_size)
    expect_equal(not rest, expected["fits"], "fits")
    expect_equal(utf8_size(first), expected.get("first_part_bytes", expected["bytes"]), "bytes of the first part")


CHECKS = {
    "get_verify": _verified,
    "get_verify_negative": _refused,
    "post_json": _posted,
    "post_json_negative": _refused,
    "encrypt_reply": lambda vector: check_encryption(vector, ""),
    "decrypt_reply": _opened,
    "media_decrypt": _file,
    "media_decrypt_negative": _refused_file,
    "content_limit": _limit,
}


def polled(out: Outgoing) -> dict[str, Any] | None:
    """The response to the poll for the reply `out` to `chat`."""
    if not out.to.reply_token:
        return None
    now = 1_718_000_000.0
    (message,) = expect_accepted(receive("wecom_bot", delivery(json.dumps(chat()), now), APP, now)).messages
    return _plain(passive_reply(delivery(json.dumps(poll()), now), APP, message, (out,), now).response.body, APP)


def receipt(call: Call, number: int) -> Answer:
    """Success. A `response_url` returns no id."""
    return Answer(200, b'{"errcode": 0, "errmsg": "ok"}')


ADAPTER = Adapter(
    platform="wecom_bot",
    checks=CHECKS,
    samples=samples,
    stranger=make_app("anothertoken", OTHER_KEY),
    wrap=wrap,
    payloads=payloads,
    app=APP,
    receipt=receipt,
    polled=polled,
    max_age=3600,
    max_ahead=300,
    never_in_raw=(TOKEN, KEY, "RESP-CODE"),
)
