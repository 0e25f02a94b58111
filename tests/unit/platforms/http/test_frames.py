"""Frames of the sockets: what clients send, and what they get."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from parley.adapter import Rejected
from parley.model import Card, Destination, Image, Outgoing, Reply, Source, Text
from parley.platforms.http import frames
from parley.platforms.http.frames import Ack, FrameError, Hello, Open, Ping, Post, decode, encode, reply_frame
from parley.platforms.http.inbound import KEY
from parley.platforms.http.problems import problem


def sent(**fields: Any) -> str:
    return json.dumps(fields)


def refused(data: bytes | str) -> frames.Error:
    with pytest.raises(FrameError) as caught:
        decode(data)
    return frames.error_frame(caught.value.rejected)


def out(text: str = "hello", *, private: bool = False) -> Outgoing:
    to = Destination(platform="http", app="web", room_id="#team", user_id="lin")
    reply = Reply(segments=(Text(text=text),), private=private)
    return Outgoing(id="0" * 32, message_key="k", ordinal=0, to=to, reply=reply, created=1_800_000_000)


def test_frames_of_clients() -> None:
    assert decode(sent(type="hello", version=1, token="t", app="web")) == Hello(token="t", app="web")
    assert decode(sent(type="open")) == Open()
    assert decode(sent(type="open", room="team", after="12")) == Open(room="team", after="12")
    assert decode(sent(type="ack", cursor="12").encode()) == Ack(cursor="12")
    assert decode(sent(type="ping")) == Ping()


def test_a_message_has_the_body_of_the_same_post() -> None:
    found = decode(sent(type="message", key="k1", text="hi", room="team"))
    assert isinstance(found, Post)
    assert found.key == "k1"
    assert json.loads(found.body) == {"text": "hi", "room": "team"}


@pytest.mark.parametrize(
    "data",
    [
        "",
        "no JSON",
        "[]",
        "1",
        "null",
        "{}",
        b"\xff",
        '{"type": "open"} {"type": "open"}',
        "[" * 5000,
        sent(type="reply", room="", cursor="1"),
        sent(type=1),
        sent(type="open", after="-1"),
        sent(type="open", after="1\n"),
        sent(type="open", after=1),
        sent(type="open", after="1" * 16),
        sent(type="open", affter="1"),
        sent(type="open", room=["team"]),
        sent(type="ack"),
        sent(type="ack", cursor=""),
        sent(type="hello", version="1"),
        sent(type="message", text="secret"),
        sent(type="message", key="", text="secret"),
        sent(type="message", key="k\n", text="secret"),
        sent(type="message", key="k" * 256, text="secret"),
        sent(type="message", key=1, text="secret"),
    ],
)
def test_a_frame_that_cannot_be_read_is_named(data: bytes | str) -> None:
    error = refused(data)
    assert (error.status, error.error) == (400, "malformed")
    assert error.detail
    assert "secret" not in error.detail


def test_a_frame_that_is_too_large_ends_the_connection() -> None:
    body = sent(type="message", key="k", text="x" * frames.MAX_FRAME)
    error = refused(body)
    assert (error.status, error.error) == (413, "too_large")
    assert error.status in frames.CLOSING
    just = sent(type="message", key="k", text="")
    assert isinstance(decode(just.replace('""', f'"{"x" * (frames.MAX_FRAME - len(just))}"')), Post)


def test_a_lone_surrogate_is_no_reason_to_fail() -> None:
    found = decode('{"type": "message", "key": "k", "text": "\\ud83d"}')
    assert isinstance(found, Post)
    assert json.loads(found.body) == {"text": "\ufffd"}


def test_frames_for_clients() -> None:
    shown = [
        (frames.Ready(person="lin", until=9), {"type": "ready", "person": "lin", "until": 9, "version": 1}),
        (
            frames.Opened(room="", cursor="1", last="3"),
            {"type": "opened", "room": "", "cursor": "1", "last": "3"},
        ),
        (frames.Typing(room="team"), {"type": "typing", "room": "team"}),
        (frames.Accepted(key="k", id="i"), {"type": "accepted", "key": "k", "id": "i"}),
        (frames.Pong(), {"type": "pong"}),
    ]
    for frame, expected in shown:
        assert json.loads(encode(frame)) == expected


def test_a_reply_that_is_private_is_shown_to_its_person_only() -> None:
    secret = out("secret", private=True)
    assert json.loads(reply_frame("team", 7, secret, "lin", 9999))["reply"]["text"] == "secret"
    assert json.loads(reply_frame("team", 7, secret, "bob", 9999)) == {"type": "reply", "room": "team", "cursor": "7"}
    assert json.loads(reply_frame("team", 7, out(), "bob", 9999))["reply"]["text"] == "hello"


def test_a_reply_that_has_expired_keeps_its_number() -> None:
    assert json.loads(reply_frame("", 7, None, "lin", 9999)) == {"type": "reply", "room": "", "cursor": "7"}


def test_a_reply_with_media_of_the_bucket_is_only_named_without_their_address() -> None:
    received = Image(source=Source(platform="http", app="web", key="k"), key="k")
    elsewhere = replace(received, source=Source(platform="feishu", app="web", key="k"))
    for segment, named in (
        (received, True),
        (Card(images=(received,)), True),
        (replace(received, url="https://bucket.example.com/k?signed"), False),
        (elsewhere, False),
        (Image(url="https://example.com/a.png"), False),
    ):
        made = out()
        made = replace(made, reply=replace(made.reply, segments=(segment,)))
        assert json.loads(reply_frame("team", 7, made, "lin", 9999)).get("large", False) is named


def test_a_key_is_that_of_a_request() -> None:
    for key in ("k", " k", "k ", "k k", "k" * 255, "k" * 256, "", "\n", "é"):
        try:
            decode(sent(type="message", key=key, text="hi"))
        except FrameError:
            assert not KEY.fullmatch(key)
        else:
            assert KEY.fullmatch(key)


def test_a_reply_that_is_too_large_is_only_named() -> None:
    whole = reply_frame("team", 7, out("中" * 10_000), "lin", frames.MAX_FRAME)
    assert len(json.loads(whole)["reply"]["text"]) == 10_000
    assert reply_frame("team", 7, out("中" * 10_000), "lin", len(whole)) == whole
    cut = reply_frame("team", 7, out("中" * 10_000), "lin", len(whole) - 1)
    assert json.loads(cut) == {"type": "reply", "room": "team", "cursor": "7", "large": True}


def test_errors_have_the_words_of_problem_documents() -> None:
    rejected = Rejected(503, "unavailable", "for the log")
    shown = json.loads(encode(frames.error_frame(rejected, "k")))
    document = json.loads(problem(rejected).body)
    assert shown == {
        "type": "error",
        "status": 503,
        "error": "unavailable",
        "detail": document["detail"],
        "key": "k",
        "retry_after": 1,
    }
    forged = json.loads(encode(frames.error_frame(Rejected(401, "forged", "for the log"), room="")))
    assert forged == {"type": "error", "status": 401, "error": "forged", "detail": forged["detail"], "room": ""}
    assert "log" not in forged["detail"]
