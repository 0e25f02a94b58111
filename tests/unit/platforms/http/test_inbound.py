"""Requests of clients: who sends, what they may do, and what they read."""

import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from parley.adapter import Accepted, App, Headers, Read, Rejected, Request, Response
from parley.model import Conversation, Destination, Outgoing, Reply, Text
from parley.platforms.http.config import Config
from parley.platforms.http.inbound import key_set, read, receive, rejection
from tests.tokens import SECRET, issuer, public, token

NOW = 1_800_000_000.0
APP = App("http", "web", Config(issuers=(issuer(),)))
PAGE = "https://www.example.com"


def request(
    body: Any = None,
    *,
    method: str = "POST",
    key: str | None = "k1",
    query: dict[str, str] | None = None,
    parameters: dict[str, str] | None = None,
    origin: str = "",
    **claims: Any,
) -> Request:
    """A request of Lin, who may use the room `team`."""
    headers = {"Authorization": f"Bearer {token(NOW, **{'rooms': ['team'], **claims})}"}
    headers |= {} if key is None else {"Idempotency-Key": key}
    headers |= {"Origin": origin} if origin else {}
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method, Headers(headers), query or {}, raw, {"app": "web", **(parameters or {})})


def accepted(sent: Request, app: App = APP) -> Accepted:
    outcome = receive(sent, app, NOW)
    assert isinstance(outcome, Accepted), outcome
    return outcome


def refused(sent: Request, app: App = APP) -> tuple[Rejected, dict[str, Any]]:
    """The rejection, and its problem document."""
    outcome = receive(sent, app, NOW)
    assert isinstance(outcome, Rejected), outcome
    assert outcome.response is not None
    assert outcome.response.content_type == "application/problem+json"
    document = json.loads(outcome.response.body)
    assert document["status"] == outcome.response.status == outcome.status
    assert {"type", "title", "detail", "error"} < document.keys()
    return outcome, document


def ids(**more: Any) -> str:
    return accepted(request({"text": "hi"}, **more)).messages[0].id


# --- messages ---------------------------------------------------------------------------------------------------------


def test_a_message_is_that_of_the_person_in_the_token() -> None:
    outcome = accepted(request({"text": "hi", "room": "team", "thread": "t1", "reply_to": "r1", "locale": "zh-CN"}))
    (message,) = outcome.messages
    assert (message.sender.id, message.sender.name) == ("lin", "Lin Mei")
    assert (message.context.room_id, message.context.thread_id, message.context.private) == ("#team", "t1", False)
    assert (message.content.text, message.reply_to, message.context.locale) == ("hi", "r1", "zh-CN")
    assert outcome.response.status == 202
    assert json.loads(outcome.response.body) == {"id": message.id, "state": "pending"}
    assert outcome.response.headers["Location"] == f"messages/{message.id}"


def test_a_message_without_a_room_is_in_the_direct_chat() -> None:
    (message,) = accepted(request({"text": "hi"})).messages
    assert (message.context.room_id, message.context.private) == ("", True)


@pytest.mark.parametrize("field", ["sender", "user", "sub", "name", "platform", "app", "id", "timestamp", "kind"])
def test_a_body_cannot_claim_to_be_somebody_else(field: str) -> None:
    _, document = refused(request({"text": "hi", field: "sam"}))
    assert field in document["detail"]


def test_a_press_has_its_values_its_form_and_its_choices() -> None:
    action = {"id": "tea", "value": "1", "message_id": "r1", "form": {"size": "l"}, "options": ["a"]}
    (message,) = accepted(request({"action": action})).messages
    assert message.kind == "action"
    assert message.action is not None
    assert (message.action.id, message.action.form, message.action.options) == ("tea", {"size": "l"}, ("a",))


WRONG: tuple[Any, ...] = (
    *(b"", b"{", b"[]", b"null", b'"x"', {}, {"text": ""}, {"text": " \n"}, {"text": 1}, {"text": "a", "extra": 1}),
    *({"text": "a", "action": {"id": "x"}}, {"action": {}}, {"action": {"id": ""}}),
    {"action": {"id": "x", "form": {"a": 1}}},
)


@pytest.mark.parametrize("body", WRONG, ids=str)
def test_a_wrong_body_is_refused_with_a_reason(body: Any) -> None:
    rejected, document = refused(request(body))
    assert (rejected.status, rejected.reason) == (400, "malformed")
    assert document["detail"].endswith(".")


def test_a_reason_names_the_field_and_never_its_value() -> None:
    _, document = refused(request({"text": "hi", "room": 7654321}))
    assert "room" in document["detail"]
    assert "7654321" not in document["detail"]


# --- idempotency ------------------------------------------------------------------------------------------------------


def test_the_same_key_of_the_same_person_in_the_same_place_is_the_same_message() -> None:
    first = accepted(request({"text": "one"})).messages[0].id
    assert accepted(request({"text": "one"})).messages[0].id == first
    others = {
        ids(key="k2"),
        ids(sub="sam"),
        accepted(request({"text": "one", "room": "team"})).messages[0].id,
    }
    assert len(others | {first}) == 4


@pytest.mark.parametrize("key", [None, "", "x" * 256, "a\nb", "é"])
def test_a_message_without_a_usable_key_is_refused(key: str | None) -> None:
    rejected, document = refused(request({"text": "hi"}, key=key))
    assert rejected.status == 400
    assert "Idempotency-Key" in document["detail"]


# --- rights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rooms", [None, [], ["lab"], "team", ["Team"], [7], {"team": 1}])
def test_a_room_that_the_token_does_not_name_is_forbidden(rooms: Any) -> None:
    for sent in (
        request({"text": "hi", "room": "team"}, rooms=rooms),
        request(method="GET", parameters={"room": "team"}, rooms=rooms),
    ):
        rejected, _ = refused(sent)
        assert (rejected.status, rejected.reason) == (403, "not_allowed")


@pytest.mark.parametrize("room", ["../lab", "a/b", "#team", "", "me", "x" * 65])
def test_a_room_with_another_form_is_forbidden_also_if_a_token_names_it(room: str) -> None:
    rejected, _ = refused(request(method="GET", parameters={"room": "team/x"}, rooms=[room, "team/x"]))
    assert rejected.status == 403
    if room:
        assert refused(request({"text": "hi", "room": room}, rooms=[room]))[0].status == 403


def test_a_room_is_not_the_direct_chat_of_a_person_with_its_name() -> None:
    (in_room,) = accepted(request({"text": "hi", "room": "sam"}, rooms=["sam"])).messages
    (direct,) = accepted(request({"text": "hi"}, sub="sam")).messages
    assert Conversation.of(in_room).key != Conversation.of(direct).key


def test_half_an_emoji_in_a_name_is_no_reason_to_fail() -> None:
    (message,) = accepted(request({"text": "hi"}, name="Lin \ud83d")).messages
    assert message.sender.name == "Lin \ufffd"
    msgspec.json.encode(message)


@pytest.mark.parametrize("subject", ["#team", "", "a\nb", "a\ud83d", "x" * 201, None, 7])
def test_a_person_with_an_impossible_id_is_refused(subject: Any) -> None:
    rejected, _ = refused(request({"text": "hi"}, sub=subject))
    assert (rejected.status, rejected.reason) == (401, "forged")


def test_an_issuer_speaks_for_its_own_persons_only() -> None:
    other = issuer(issuer="https://other.example.com", prefix="other:")
    app = App("http", "web", Config(issuers=(issuer(), other)))
    (message,) = accepted(request({"text": "hi"}, iss="https://other.example.com"), app).messages
    assert message.sender.id == "other:lin"


@pytest.mark.parametrize(
    ("names", "subject"), [(("", "other:"), "other:lin"), (("a", "ab"), "blin"), (("", "a", "ab"), "ablin")]
)
def test_an_issuer_whose_prefix_begins_that_of_another_cannot_speak_for_its_persons(
    names: tuple[str, ...], subject: str
) -> None:
    others = [issuer(issuer=f"https://{name}.example.com", prefix=name) for name in names[1:]]
    app = App("http", "web", Config(issuers=(issuer(prefix=names[0]), *others)))
    rejected, _ = refused(request({"text": "hi"}, sub=subject), app)
    assert (rejected.status, rejected.reason) == (401, "forged")
    assert accepted(request({"text": "hi"}, sub="lin"), app)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic eA=="])
def test_a_request_without_a_token_is_unauthorized(header: str) -> None:
    rejected, _ = refused(Request(headers=Headers({"Authorization": header}), body=b'{"text": "hi"}'))
    assert rejected.response is not None
    assert rejected.response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert rejected.reason == "forged"


def test_an_expired_token_is_stale() -> None:
    assert refused(request({"text": "hi"}, exp=int(NOW) - 61))[0].reason == "stale"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
def test_another_method_is_refused(method: str) -> None:
    assert refused(request(method=method))[0].status == 405


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_post_that_waits_reads_its_own_message() -> None:
    outcome = accepted(request({"text": "hi"}, query={"wait": "25"}))
    assert outcome.reading is not None
    assert (outcome.reading.message.id if outcome.reading.message else "") == outcome.messages[0].id
    assert outcome.reading.wait == 25
    assert accepted(request({"text": "hi"})).reading is None


@pytest.mark.parametrize("wait", ["26", "-1", "1.5", "x", "", "999"])
def test_a_wrong_wait_is_refused(wait: str) -> None:
    for sent in (request({"text": "hi"}, query={"wait": wait}), request(method="GET", query={"wait": wait})):
        assert refused(sent)[0].status == 400


def test_a_person_reads_their_own_messages_only() -> None:
    id_ = ids()
    outcome = accepted(request(method="GET", parameters={"id": id_}))
    assert outcome.messages == ()
    assert outcome.reading is not None
    assert (outcome.reading.message.id if outcome.reading.message else "") == id_
    for sent in (
        request(method="GET", parameters={"id": id_}, sub="sam"),
        request(method="GET", parameters={"id": "x"}),
        request(method="GET", parameters={"id": id_.upper()}),
        request(method="GET"),
    ):
        rejected, _ = refused(sent)
        assert (rejected.status, rejected.reason) == (404, "not_found")


def test_a_conversation_is_read_by_its_key() -> None:
    for room, place in (
        ("me", Destination(platform="http", app="web", user_id="lin")),
        ("team", Destination(platform="http", app="web", room_id="#team", user_id="lin")),
    ):
        reading = accepted(request(method="GET", parameters={"room": room}, query={"after": "7"})).reading
        assert reading is not None
        assert (reading.conversation, reading.after) == (place.key, 7)


@pytest.mark.parametrize("after", ["x", "-1", "1" * 16, ""])
def test_a_wrong_cursor_is_refused(after: str) -> None:
    assert refused(request(method="GET", parameters={"room": "me"}, query={"after": after}))[0].status == 400


def out(text: str, *, user: str = "lin", private: bool = False) -> Outgoing:
    to = Destination(platform="http", app="web", room_id="#team", user_id=user)
    reply = Reply(segments=(Text(text=text),), private=private)
    return Outgoing(id=text, message_key="k", ordinal=0, to=to, reply=reply, created=NOW)


def shown(sent: Request, found: Read, app: App = APP) -> tuple[Response, dict[str, Any]]:
    reading = accepted(sent, app).reading
    assert reading is not None
    response = read(sent, app, reading, found)
    return response, json.loads(response.body)


def test_a_private_reply_in_a_room_is_read_by_its_person_only() -> None:
    replies = (out("all"), out("for lin", private=True), out("for sam", user="sam", private=True))
    sent = request(method="GET", parameters={"room": "team"})
    response, document = shown(sent, Read(replies, cursor=9))
    assert [reply["text"] for reply in document["replies"]] == ["all", "for lin"]
    assert document["cursor"] == "9"
    assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize(("done", "status", "state"), [(True, 200, "done"), (False, 202, "pending")])
def test_a_post_that_waits_says_whether_all_replies_are_there(done: bool, status: int, state: str) -> None:
    response, document = shown(request({"text": "hi"}, query={"wait": "5"}), Read((out("one"),), done=done))
    assert (response.status, document["state"]) == (status, state)
    assert [reply["text"] for reply in document["replies"]] == ["one"]


# --- browsers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [((PAGE,), PAGE, PAGE), ((PAGE,), "https://evil.example.com", None), ((), PAGE, None), (("*",), PAGE, "*")],
)
def test_pages_of_the_configured_origins_may_read_every_response(
    origins: tuple[str, ...], origin: str, allowed: str | None
) -> None:
    app = App("http", "web", Config(issuers=(issuer(),), origins=origins))
    preflight = Request("OPTIONS", Headers({"Origin": origin}))
    good, bad = request({"text": "hi"}, origin=origin), request({}, origin=origin)
    responses = [accepted(preflight, app).response, accepted(good, app).response, refused(bad, app)[0].response]
    for response in responses:
        assert response is not None
        assert response.headers.get("Access-Control-Allow-Origin") == allowed
    assert responses[0] is not None
    assert responses[0].status == 204
    assert "Idempotency-Key" in responses[0].headers["Access-Control-Allow-Headers"]


# --- keys and rejections ----------------------------------------------------------------------------------------------


def test_the_key_set_of_the_issuer_is_asked_for_by_its_address() -> None:
    remote = issuer("ES256", keys=(), key_set_url="https://login.example.com/keys")
    app = App("http", "web", Config(issuers=(remote,)))
    headers = {"Authorization": f"Bearer {token(NOW, 'ES256')}", "Idempotency-Key": "k"}
    sent = Request(headers=Headers(headers), body=b'{"text": "hi"}')
    assert key_set(sent, app) == ("https://login.example.com/keys", "k1")
    assert receive(sent, app, NOW).__class__ is Rejected
    accepted(replace(sent, key_set={"keys": [public("ES256")]}), app)


def test_no_key_set_is_asked_for_without_need() -> None:
    assert key_set(request({"text": "hi"}), APP) is None
    assert key_set(Request(), APP) is None


@pytest.mark.parametrize(("status", "reason"), [(413, "too_large"), (404, "unknown_app"), (503, "unavailable")])
def test_rejections_of_the_engine_are_problem_documents(status: int, reason: Any) -> None:
    response = rejection(Rejected(status, reason, "a detail for the log"), Request(), None)
    document = json.loads(response.body)
    assert (document["status"], document["error"]) == (status, reason)
    assert document["detail"]
    assert "for the log" not in document["detail"]
    assert ("Retry-After" in response.headers) == (status == 503)


def test_no_part_of_a_message_holds_a_credential() -> None:
    (message,) = accepted(request({"text": "hi"})).messages
    assert SECRET not in repr(message)
    assert "Bearer" not in repr(message)
