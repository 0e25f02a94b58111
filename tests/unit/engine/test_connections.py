"""Connections of the HTTP channel: handshakes, tickets, frames, and what a client gets again after a break."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from msgspec.structs import replace

from parley.adapter import Acknowledge, App, Watch
from parley.engine import connections as module
from parley.engine.apps import Apps, UnknownAppError
from parley.engine.aws import dynamodb, sqs
from parley.engine.callback import Callback
from parley.engine.connections import Connections, _resuming
from parley.engine.floods import ACKS, FLOOD, OPENS, OTHERS, Floods
from parley.engine.notices import Notices, Pushes
from parley.engine.resuming import AT_ONCE
from parley.journal.inbox import Inbox
from parley.journal.mailbox import Mailbox
from parley.journal.table import reply_pk
from parley.journal.watchers import Watcher, Watchers
from parley.model import AnySegment, Conversation, Image, Outgoing, Reply, Source, Text, person_key
from parley.model.codec import decode_message
from parley.platforms.http import frames, inbound, outbound, sockets
from parley.platforms.http.config import Config
from tests.factories import make_message, make_reply
from tests.tokens import issuer, token
from tests.unit.conftest import Clock
from tests.unit.test_roles import SOCKET_ROWS
from tools.samples import APPS, events

pytestmark = pytest.mark.usefixtures("aws")
PAGE = "https://www.example.com"
URL = "https://abc.execute-api.eu-west-1.amazonaws.com/unit"


class Gone(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "GoneException"}}, "PostToConnection")


class Gateway:
    """API Gateway: the frames that each open connection got. A connection in `failing` takes none for so many calls."""

    class exceptions:  # noqa: N801
        GoneException = Gone

    def __init__(self) -> None:
        self.got: dict[str, list[Any]] = {}
        self.failing: dict[str, int] = {}
        self.unending: set[str] = set()
        """Connections that cannot be ended."""
        self.ended: list[str] = []

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        if ConnectionId not in self.got:
            raise Gone
        if self.failing.get(ConnectionId, 0):
            self.failing[ConnectionId] -= 1
            raise EndpointConnectionError(endpoint_url=URL)
        assert len(Data) <= 32_768
        self.got[ConnectionId].append(json.loads(Data))

    def delete_connection(self, ConnectionId: str) -> None:  # noqa: N803
        if ConnectionId in self.unending:
            raise EndpointConnectionError(endpoint_url=URL)
        self.ended.append(ConnectionId)
        if self.got.pop(ConnectionId, None) is None:
            raise Gone


class OneApp(Apps):
    """Has the app `web`."""

    sockets: bool = True
    limit: int = 60
    config: Config | None = None

    def get(self, platform: str, name: str) -> App:
        if self.config is not None:
            return App(platform, name, self.config)
        if name != "web":
            raise UnknownAppError(name)
        config = Config(issuers=(issuer(),), sockets=self.sockets, requests_per_minute=self.limit, origins=(PAGE,))
        return App(platform, name, config)

    def reread(self, app: App) -> App | None:
        return None


class Stage:
    """The function of connections, the gateway before it, and the deliverer behind it."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.gateway, self.apps = clock, Gateway(), OneApp()
        self.watchers = Watchers(dynamodb(), "parley", 86_400)
        self.mailbox = Mailbox(dynamodb(), "parley", 86_400)
        self.made = 0
        self.floods = Floods(sockets)

    def function(self) -> Connections:
        """A process of its own, but for the memory of floods."""
        return Connections(
            "http",
            sockets,
            Callback("http", inbound, self.apps, self.clock),
            self.watchers,
            self.pushes,
            _resuming,
            URL,
            self.floods,
            self.clock,
        )

    def pushes(self) -> Pushes:
        return Pushes(self.gateway, self.clock, lambda _seconds: None)

    def request(self, method: str = "POST", app: str = "web", headers: dict[str, str] | None = None) -> Any:
        event = {"httpMethod": method, "pathParameters": {"app": app}, "headers": {"Origin": PAGE, **(headers or {})}}
        answer = self.function()({**event, "requestContext": {}}, None)
        return answer["statusCode"], answer["headers"], json.loads(answer["body"] or "{}")

    def ticket(self, **claims: Any) -> str:
        status, _headers, body = self.request(headers=bearer(self.clock, **claims))
        assert status == 201
        return body["ticket"]

    def connect(
        self, id_: str, query: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        context = {"eventType": "CONNECT", "routeKey": "$connect", "connectionId": id_}
        event = {"headers": headers or {}, "queryStringParameters": query, "requestContext": context}
        answer = self.function()(event, None)
        if answer["statusCode"] == 200:
            self.gateway.got[id_] = []
        return answer

    def connected(self, id_: str = "c1", **claims: Any) -> str:
        """A new connection of Lin, who may use the room `team`."""
        answer = self.connect(id_, {"app": "web"}, bearer(self.clock, **claims))
        assert answer["statusCode"] == 200, answer
        return id_

    def send(self, id_: str, **frame: Any) -> list[Any]:
        """Send one frame. Returns those that came until its function was done."""
        return self.send_text(id_, json.dumps(frame))

    def send_text(self, id_: str, body: str) -> list[Any]:
        before = len(self.gateway.got.get(id_, ()))
        got = self.gateway.got.get(id_, [])
        context = {"eventType": "MESSAGE", "routeKey": "$connect", "connectionId": id_}
        assert self.function()({"body": body, "requestContext": context}, None) == {"statusCode": 200}
        return got[before:]

    def disconnect(self, id_: str) -> None:
        self.gateway.got.pop(id_, None)
        self.function()({"requestContext": {"eventType": "DISCONNECT", "connectionId": id_}}, None)

    def decided(
        self,
        text: str,
        *,
        room: str = "",
        person: str = "lin",
        private: bool = False,
        segments: tuple[AnySegment, ...] = (),
    ) -> Outgoing:
        """A reply that is stored, and not delivered yet."""
        self.made += 1
        message = make_message(f"m{self.made}", platform="http", app="web", room=f"#{room}" if room else "")
        out = make_reply(message, text, created=self.clock())
        to = replace(out.to, user_id=person)
        out = replace(out, to=to, reply=Reply(segments=segments or (Text(text=text),), private=private))
        Inbox(dynamodb(), "parley", 86_400).add(out, self.clock())
        return out

    def deliver(self, out: Outgoing, *, notify: bool = True) -> int:
        number = self.mailbox.put(out, self.clock())
        assert number is not None
        if notify:
            Notices(self.watchers, self.pushes, clock=self.clock).send(outbound, out, number)
        return number

    def queued(self) -> list[Any]:
        url = sqs().get_queue_url(QueueName="inbound.fifo")["QueueUrl"]
        found = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [decode_message(each.get("Body", "")) for each in found]


def bearer(clock: Callable[[], float], **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(clock(), **{'rooms': ['team'], **claims})}"}


def texts(found: list[Any]) -> list[Any]:
    return [each["reply"]["text"] if "reply" in each else each["cursor"] for each in found if each["type"] == "reply"]


@pytest.fixture
def stage(clock: Clock) -> Stage:
    return Stage(clock)


# --- handshakes and tickets


def test_a_client_connects_with_a_ticket_a_header_or_a_sub_protocol(stage: Stage) -> None:
    jwt = token(stage.clock())
    ways = [
        ({"app": "web", "ticket": stage.ticket()}, {}),
        ({"app": "web"}, {"authorization": f"Bearer {jwt}"}),
        ({"app": "web"}, {"Sec-WebSocket-Protocol": f"parley.v1, bearer.{jwt}"}),
    ]
    for number, (query, headers) in enumerate(ways):
        answer = stage.connect(f"c{number}", query, headers)
        assert answer["statusCode"] == 200
        offered = "Sec-WebSocket-Protocol" in headers
        assert answer["headers"] == ({"Sec-WebSocket-Protocol": "parley.v1"} if offered else {})
        (ready,) = stage.send(f"c{number}", type="hello", version=1)
        assert ready == {"type": "ready", "version": 1, "person": "lin", "until": ready["until"]}
        assert stage.clock() < ready["until"] <= stage.clock() + 7200


def test_a_ticket_names_where_to_connect_and_a_page_can_read_it(stage: Stage) -> None:
    status, headers, body = stage.request(headers=bearer(stage.clock))
    assert (status, body["expires_in"]) == (201, 60)
    assert body["url"] == f"wss{URL[5:]}?app=web&ticket={body['ticket']}"
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert headers["Cache-Control"] == "no-store"
    status, headers, _body = stage.request("OPTIONS")
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, PAGE)


def test_no_ticket_without_a_token(stage: Stage) -> None:
    status, headers, document = stage.request(headers={})
    assert (status, document["error"]) == (401, "forged")
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert stage.request(app="other", headers=bearer(stage.clock))[0] == 404


def test_tickets_count_against_the_limit_of_the_person(stage: Stage) -> None:
    stage.apps.limit = 2
    statuses = [stage.request(headers=bearer(stage.clock)) for _ in range(3)]
    assert [status for status, *_ in statuses] == [201, 201, 429]
    assert statuses[-1][1]["Access-Control-Allow-Origin"] == PAGE


def test_a_ticket_that_was_used_has_expired_or_is_for_another_app_is_refused(stage: Stage) -> None:
    used, late = stage.ticket(), stage.ticket()
    assert stage.connect("c1", {"app": "web", "ticket": used})["statusCode"] == 200
    for ticket in (used, "made up"):
        assert stage.connect("c2", {"app": "web", "ticket": ticket})["statusCode"] == 401
    stage.clock.now += 60
    assert stage.connect("c2", {"app": "web", "ticket": late})["statusCode"] == 401
    assert stage.watchers.connection("c2") is None


def test_a_token_that_is_forged_or_has_expired_is_refused(stage: Stage) -> None:
    for headers in (
        {},
        {"authorization": "Bearer x.y.z"},
        bearer(stage.clock, exp=int(stage.clock()) - 61),
        {"Sec-WebSocket-Protocol": "parley.v1, bearer.x"},
    ):
        answer = stage.connect("c1", {"app": "web"}, headers)
        assert answer["statusCode"] == 401
        assert "body" not in answer
    for query in (None, {}, {"app": "other"}):
        assert stage.connect("c1", query, bearer(stage.clock))["statusCode"] == 404


def test_an_app_without_sockets_refuses_connections_and_ends_those_that_there_are(stage: Stage) -> None:
    stage.connected()
    stage.apps.sockets = False
    assert stage.connect("c2", {"app": "web"}, bearer(stage.clock))["statusCode"] == 403
    assert stage.request(headers=bearer(stage.clock))[0] == 403
    (error,) = stage.send("c1", type="ping")
    assert (error["status"], error["error"]) == (403, "not_allowed")
    assert stage.gateway.ended == ["c1"]


def test_a_connection_ends_with_its_token_and_after_two_hours_at_the_latest(stage: Stage) -> None:
    stage.connected("c1", exp=int(stage.clock()) + 100)
    stage.connected("c2", exp=int(stage.clock()) + 10**30)
    assert stage.send("c1", type="ping") == stage.send("c2", type="ping") == [{"type": "pong"}]
    for seconds, id_ in ((160, "c1"), (7200, "c2")):
        stage.clock.now += seconds
        (error,) = stage.send(id_, type="ping")
        assert (error["status"], error["error"]) == (401, "stale")
    assert stage.gateway.ended == ["c1", "c2"]


def test_a_frame_of_a_connection_without_a_row_ends_it(stage: Stage) -> None:
    stage.gateway.got["c9"] = []
    assert stage.send("c9", type="ping") == []
    assert stage.gateway.ended == ["c9"]


# --- messages


def test_a_message_is_accepted_after_it_is_queued_and_only_once(stage: Stage) -> None:
    stage.connected()
    frame = {"type": "message", "key": "k1", "text": "hi", "room": "team"}
    first, again = stage.send("c1", **frame), stage.send("c1", **frame)
    assert first == again == [{"type": "accepted", "key": "k1", "id": first[0]["id"]}]
    (message,) = stage.queued()
    assert (message.id, message.content.text, message.context.room_id) == (first[0]["id"], "hi", "#team")
    assert (message.sender.id, message.app) == ("lin", "web")


def test_the_same_key_by_http_and_by_a_socket_names_one_message(stage: Stage) -> None:
    stage.connected()
    (accepted,) = stage.send("c1", type="message", key="k1", text="hi")
    headers = {**bearer(stage.clock), "Idempotency-Key": "k1"}
    event = {"httpMethod": "POST", "pathParameters": {"app": "web"}, "headers": headers, "body": '{"text": "hi"}'}
    answer = Callback("http", inbound, stage.apps, stage.clock)(event, None)
    assert json.loads(answer["body"])["id"] == accepted["id"]


@pytest.mark.parametrize(
    ("frame", "status", "error"),
    [
        ({"type": "message", "key": "k1", "text": "hi", "room": "other"}, 403, "not_allowed"),
        ({"type": "message", "key": "k1", "text": " "}, 400, "malformed"),
        ({"type": "message", "key": "k1", "txt": "hi"}, 400, "malformed"),
        ({"type": "message", "text": "hi"}, 400, "malformed"),
        ({"type": "open", "room": "other"}, 403, "not_allowed"),
        ({"type": "open", "room": "me"}, 403, "not_allowed"),
        ({"type": "ack", "room": "other", "cursor": "1"}, 403, "not_allowed"),
        ({"type": "ack", "cursor": "1"}, 400, "malformed"),
        ({"type": "who knows"}, 400, "malformed"),
        ({"type": "hello", "version": 2}, 400, "malformed"),
    ],
)
def test_a_frame_that_is_refused_is_answered_and_stores_nothing(
    stage: Stage, frame: dict[str, Any], status: int, error: str
) -> None:
    stage.connected()
    (found,) = stage.send("c1", **frame)
    assert (found["type"], found["status"], found["error"]) == ("error", status, error)
    assert found["detail"]
    assert found.get("key", "") in ("", "k1")
    assert stage.queued() == []
    assert stage.gateway.ended == (["c1"] if frame["type"] == "hello" else [])


def test_a_frame_that_is_no_json_is_answered(stage: Stage) -> None:
    stage.connected()
    assert [stage.send_text("c1", text)[0]["status"] for text in ("", "{", "[]", "\ud800")] == [400] * 4


def test_a_frame_over_128_kb_ends_the_connection_and_one_over_32_kb_is_stored(stage: Stage) -> None:
    stage.connected()
    (accepted,) = stage.send("c1", type="message", key="k1", text="x" * 40_000)
    assert accepted["type"] == "accepted"
    (error,) = stage.send("c1", type="message", key="k2", text="x" * 131_072)
    assert (error["status"], error["error"]) == (413, "too_large")
    assert stage.gateway.ended == ["c1"]
    assert len(stage.queued()) == 1


def test_messages_over_the_limit_of_the_person_are_refused_with_the_time_to_wait(stage: Stage) -> None:
    stage.apps.limit = 2
    stage.connected()
    found = [stage.send("c1", type="message", key=f"k{number}", text="hi")[0] for number in range(2)]
    assert [each["type"] for each in found] == ["accepted", "error"]
    assert (found[1]["status"], found[1]["error"], found[1]["key"]) == (429, "too_many", "k1")
    assert found[1]["retry_after"] >= 1


def test_a_message_that_cannot_be_stored_is_not_accepted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.connected()
    monkeypatch.setenv("PARLEY_INBOUND_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/none.fifo")
    (error,) = stage.send("c1", type="message", key="k1", text="hi")
    assert (error["status"], error["error"], error["key"], error["retry_after"]) == (503, "unavailable", "k1", 1)


# --- replies


def test_a_reply_is_pushed_to_each_connection_that_watches_with_consecutive_numbers(stage: Stage) -> None:
    for id_ in ("c1", "c2"):
        stage.connected(id_)
        (opened,) = stage.send(id_, type="open")
        assert (opened["type"], opened["cursor"]) == ("opened", opened["last"])
    for text in "ab":
        stage.deliver(stage.decided(text))
    for id_ in ("c1", "c2"):
        got = stage.gateway.got[id_]
        assert texts(got) == ["a", "b"]
        assert [int(each["cursor"]) - int(opened["cursor"]) for each in got[1:]] == [1, 2]


def test_a_client_that_connects_again_gets_what_it_has_missed_once_and_in_order(stage: Stage) -> None:
    stage.connected()
    stage.send("c1", type="open")
    last = stage.deliver(stage.decided("a"))
    stage.disconnect("c1")
    for text in "bc":
        stage.deliver(stage.decided(text))
    stage.connected("c2")
    opened, *missed = stage.send("c2", type="open", after=str(last))
    assert opened == {"type": "opened", "room": "", "cursor": str(last), "last": str(last + 2)}
    assert texts(missed) == ["b", "c"]
    stage.deliver(stage.decided("d"))
    assert texts(stage.gateway.got["c2"]) == ["b", "c", "d"]


def test_without_a_number_a_client_goes_on_from_the_last_acknowledged_reply_of_its_person(stage: Stage) -> None:
    first = stage.deliver(stage.decided("a"))
    stage.connected("c1")
    opened, *none = stage.send("c1", type="open")
    assert (opened["cursor"], none) == (str(first), [])
    second = stage.deliver(stage.decided("b"))
    assert stage.send("c1", type="ack", cursor=str(second)) == []
    assert stage.send("c1", type="ack", cursor=str(first)) == []
    (error,) = stage.send("c1", type="ack", cursor=str(second + 1))
    assert (error["status"], error["room"]) == (400, "")
    stage.deliver(stage.decided("c"))
    stage.connected("c2")
    assert texts(stage.send("c2", type="open")) == ["c"]


def test_a_number_that_is_none_means_the_nearest_that_there_is(stage: Stage) -> None:
    last = stage.deliver(stage.decided("a"))
    stage.connected()
    opened, *none = stage.send("c1", type="open", after=str(last + 5))
    assert (opened["cursor"], none) == (str(last), [])
    opened, *found = stage.send("c1", type="open", after="0")
    assert (opened["cursor"], texts(found)) == (str(last - 1), ["a"])


def test_more_than_one_open_may_be_needed_for_many_replies(stage: Stage) -> None:
    stage.connected()
    (opened,) = stage.send("c1", type="open")
    made = [stage.deliver(stage.decided(str(number)), notify=False) for number in range(AT_ONCE + 1)]
    opened, *found = stage.send("c1", type="open", after=opened["cursor"])
    assert (opened["last"], opened["more"]) == (str(made[-2]), True)
    assert texts(found) == [str(number) for number in range(AT_ONCE)]
    opened, *found = stage.send("c1", type="open", after=opened["last"])
    assert ("more" in opened, texts(found)) == (False, [str(AT_ONCE)])


def test_a_reply_between_the_opening_and_its_reading_comes_at_least_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.connected()
    span, delivered = Mailbox.span, list[int]()

    def interrupt(self: Mailbox, conversation: str) -> Any:
        if not delivered:
            delivered.append(0)
            delivered.append(stage.deliver(stage.decided("meanwhile")))
        return span(self, conversation)

    monkeypatch.setattr(Mailbox, "span", interrupt)
    found = stage.send("c1", type="open", after="0")
    assert {each["cursor"] for each in found if each["type"] == "reply"} == {str(delivered[1])}


def test_a_room_is_watched_by_several_persons_and_a_private_reply_is_shown_to_one(stage: Stage) -> None:
    stage.connected("c1")
    stage.connected("c2", sub="bob")
    for id_ in ("c1", "c2"):
        stage.send(id_, type="open", room="team")
    stage.deliver(stage.decided("for all", room="team"))
    number = stage.deliver(stage.decided("for lin", room="team", private=True))
    assert texts(stage.gateway.got["c1"]) == ["for all", "for lin"]
    assert texts(stage.gateway.got["c2"]) == ["for all", str(number)]
    assert texts(stage.send("c2", type="open", room="team", after=str(number - 1))) == [str(number)]


def test_a_reply_that_has_expired_leaves_its_number(stage: Stage) -> None:
    outs = [stage.decided(text) for text in "ab"]
    numbers = [stage.deliver(out) for out in outs]
    dynamodb().delete_item(TableName="parley", Key={"pk": {"S": reply_pk(outs[0].id)}})
    stage.connected()
    assert texts(stage.send("c1", type="open", after="0")) == [str(numbers[0]), "b"]


def test_a_large_reply_is_only_named(stage: Stage) -> None:
    stage.connected()
    stage.send("c1", type="open")
    number = stage.deliver(stage.decided("x" * 40_000))
    expected = {"type": "reply", "room": "", "cursor": str(number), "large": True}
    assert stage.gateway.got["c1"][-1] == expected
    assert stage.send("c1", type="open", after=str(number - 1))[-1] == expected


def test_a_connection_that_is_gone_is_forgotten(stage: Stage) -> None:
    stage.connected()
    stage.send("c1", type="open")
    del stage.gateway.got["c1"]
    out = stage.decided("a")
    stage.deliver(out)
    assert stage.watchers.watching(out.to.key, stage.clock()) == []


def test_a_connection_that_takes_no_frame_is_ended_and_one_that_fails_for_a_moment_is_not(stage: Stage) -> None:
    for id_ in ("c1", "c2"):
        stage.connected(id_)
        stage.send(id_, type="open")
    stage.gateway.failing = {"c1": 2, "c2": 3}
    stage.deliver(stage.decided("a"))
    assert texts(stage.gateway.got["c1"]) == ["a"]
    assert stage.gateway.ended == ["c2"]


def test_a_reply_that_is_delivered_again_has_the_same_number(stage: Stage) -> None:
    stage.connected()
    stage.send("c1", type="open")
    out = stage.decided("a")
    assert stage.deliver(out, notify=False) == stage.deliver(out)
    assert texts(stage.gateway.got["c1"]) == ["a"]


def test_a_conversation_with_too_many_watchers_takes_no_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parley.journal.watchers.MAX_WATCHERS", 1)
    for id_ in ("c1", "c2"):
        stage.connected(id_)
    assert stage.send("c1", type="open")[0]["type"] == "opened"
    (error,) = stage.send("c2", type="open")
    assert (error["status"], error["room"]) == (503, "")


def test_a_connector_gets_the_number_of_a_reply_in_its_queue(stage: Stage) -> None:
    url = sqs().create_queue(QueueName="parley-unit-tcp-1")["QueueUrl"]
    out = stage.decided("a")
    stage.watchers.watch(out.to.key, Watcher("tcp/parley-unit-tcp-1", int(stage.clock()) + 60), stage.clock())
    number = stage.deliver(out)
    (message,) = sqs().receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message.get("Body", "")) == {"conversation": out.to.key, "number": number}


class SlowQueues:
    """SQS, which needs five seconds for each message."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.sent = clock, list[str]()

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        self.clock.now += 5
        self.sent.append(QueueUrl.rpartition("/")[2])


def test_a_slow_queue_keeps_no_notice_from_websockets_and_delays_the_reply_for_one_message_at_most(
    stage: Stage,
) -> None:
    queues: Any = SlowQueues(stage.clock)
    stage.connected()
    stage.send("c1", type="open")
    out = stage.decided("a")
    for number in (1, 2, 3):
        watcher = Watcher(f"tcp/parley-unit-tcp-{number}", int(stage.clock()) + 60)
        stage.watchers.watch(out.to.key, watcher, stage.clock())
    number = stage.deliver(out, notify=False)
    Notices(stage.watchers, stage.pushes, lambda: queues, stage.clock, at_once=1).send(outbound, out, number)
    assert stage.gateway.got["c1"][-1]["cursor"] == str(number)
    assert queues.sent == ["parley-unit-tcp-1"]
    assert len(stage.watchers.watching(out.to.key, stage.clock())) == 4


def test_a_connection_that_can_be_neither_written_to_nor_ended_gets_the_next_notice(stage: Stage) -> None:
    stage.connected()
    stage.send("c1", type="open")
    stage.gateway.failing["c1"] = 3
    stage.gateway.unending.add("c1")
    stage.deliver(stage.decided("a"))
    assert stage.gateway.ended == []
    number = stage.deliver(stage.decided("b"))
    assert stage.gateway.got["c1"][-1]["cursor"] == str(number)


def test_typing_is_shown_to_those_that_watch(stage: Stage) -> None:
    stage.connected()
    stage.send("c1", type="open", room="team")
    out = stage.decided("", room="team")
    Notices(stage.watchers, stage.pushes, clock=stage.clock).send(outbound, out, None)
    assert stage.gateway.got["c1"][-1] == {"type": "typing", "room": "team"}


def test_frames_have_addresses_of_media_in_the_bucket(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_MEDIA_HOST", "media.s3.us-east-1.amazonaws.com")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    image = Image(key="k", source=Source(platform="http", app="web", key="k"))
    stage.connected()
    stage.send("c1", type="open")
    out = stage.decided("", segments=(image,))
    number = stage.deliver(out)
    again = stage.send("c1", type="open", after=str(number - 1))
    for frame in (stage.gateway.got["c1"][1], again[-1]):
        assert frame["cursor"] == str(number)
        (shown,) = frame["reply"]["segments"]
        assert shown["url"].startswith("https://media.s3.us-east-1.amazonaws.com/web/k?")


def test_the_direct_chat_is_that_of_http(stage: Stage) -> None:
    place = Conversation(platform="http", app="web", user_id="lin")
    assert stage.decided("a").to.key == place.key
    assert module.TICKET_LASTS == 60
    assert frames.MAX_PUSH < 32_768


# --- floods -----------------------------------------------------------------------------------------------------------


LINS = person_key("http", "web", "lin")
WATCH, ACKNOWLEDGE = Watch("x", ""), Acknowledge("x", "", 1)


def rows() -> int:
    """How many rows the table has."""
    return dynamodb().scan(TableName="parley")["Count"]


def flood(stage: Stage, action: Watch | Acknowledge, times: int) -> None:
    """Lin has sent so many frames, none of which was refused."""
    for _ in range(times):
        assert stage.floods.checked(action, LINS, stage.clock()) is action


def test_too_many_frames_of_a_person_are_refused_and_nothing_is_stored(stage: Stage) -> None:
    for id_ in ("c1", "c2"):
        stage.connected(id_)
    flood(stage, WATCH, OPENS.burst - 1)
    assert stage.send("c1", type="open", room="team")[0]["type"] == "opened"
    before = rows()
    (error,) = stage.send("c2", type="open", room="")
    assert (error["status"], error["error"], error["room"]) == (429, "too_many", "")
    assert error["retry_after"] == 1
    assert "again later" in error["detail"]
    assert rows() == before
    stage.clock.now += 1
    assert stage.send("c2", type="open")[0]["type"] == "opened"
    assert rows() == before + 2  # the direct chat: its watchers and its mailbox


def test_acknowledgements_have_a_limit_of_their_own_and_other_persons_theirs(stage: Stage) -> None:
    stage.connected("c1")
    number = stage.deliver(stage.decided("a"))
    flood(stage, ACKNOWLEDGE, ACKS.burst)
    before = rows()
    (error,) = stage.send("c1", type="ack", cursor=str(number))
    assert (error["status"], error["room"]) == (429, "")
    assert rows() == before
    assert stage.send("c1", type="ping") == [{"type": "pong"}]
    assert stage.send("c1", type="open")[0]["type"] == "opened"
    assert stage.floods.checked(ACKNOWLEDGE, person_key("http", "web", "sam"), stage.clock()) is ACKNOWLEDGE


def test_a_client_that_goes_on_is_disconnected(stage: Stage) -> None:
    stage.connected("c1")
    flood(stage, WATCH, OPENS.burst)
    for _ in range(FLOOD - 1):
        assert stage.send("c1", type="open")[0]["status"] == 429
    assert stage.gateway.ended == []
    assert stage.send("c1", type="open")[0]["status"] == 429
    assert stage.gateway.ended == ["c1"]


def test_one_accepted_frame_does_not_hide_a_flood(stage: Stage) -> None:
    stage.connected("c1")
    flood(stage, WATCH, OPENS.burst)
    for _ in range(2):
        for _ in range(FLOOD - 2):
            stage.send("c1", type="open")
        assert stage.floods.checked(ACKNOWLEDGE, LINS, stage.clock()) is ACKNOWLEDGE
    assert stage.gateway.ended == ["c1"]


@pytest.mark.parametrize("frame", [{"type": "ping"}, {"type": "unknown"}, {"type": "message"}])
def test_frames_that_do_nothing_have_a_limit_too(stage: Stage, frame: dict[str, str]) -> None:
    stage.connected("c1")
    for _ in range(OTHERS.burst):
        assert stage.send("c1", **frame)[0].get("status") != 429
    assert stage.gateway.ended == []
    assert stage.send("c1", **frame)[0]["status"] == 429
    assert stage.gateway.ended == ["c1"]


def test_a_process_knows_a_limited_number_of_persons() -> None:
    floods, watch = Floods(sockets, most=2), Watch("x", "")
    for person in ("a", "b"):
        for _ in range(OPENS.burst):
            assert floods.checked(watch, person, 0) is watch
    assert floods.checked(watch, "a", 0) is not watch
    assert floods.checked(watch, "c", 0) is watch
    assert floods.checked(watch, "a", 0) is not watch
    assert floods.checked(watch, "b", 0) is watch  # the one of whom it has heard nothing for the longest time


# --- rights and samples -----------------------------------------------------------------------------------------------


def test_it_uses_the_rows_that_its_role_allows_and_no_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    used = set[tuple[str, str]]()
    out, kind = stage.decided("a"), type(dynamodb())
    stage.deliver(out)
    make: Any = kind._make_api_call  # type: ignore[attr-defined]

    def recording(self: Any, operation: str, request: dict[str, Any]) -> Any:
        of_table = [request] if "TableName" in request else []
        keys = [(each.get("Key") or each["Item"])["pk"]["S"] for each in of_table]
        keys += [key["pk"]["S"] for each in request.get("RequestItems", {}).values() for key in each["Keys"]]
        for pk in keys:
            parts = pk.split("#")[: 2 if pk.startswith("limit#") else 1]
            used.add((f"dynamodb:{operation}", "#".join((*parts, "*"))))
        return make(self, operation, request)

    monkeypatch.setattr(kind, "_make_api_call", recording)
    stage.connect("c1", {"app": "web", "ticket": stage.ticket()})
    opened = stage.send("c1", type="open", after="0")[0]
    stage.send("c1", type="open", room="team")
    stage.send("c1", type="message", key="k1", text="/stop")
    stage.send("c1", type="ack", cursor=opened["last"])
    monkeypatch.setattr("parley.journal.watchers.MAX_WATCHERS", 1)
    stage.connected("c2")
    assert stage.send("c2", type="open")[0]["status"] == 503
    stage.disconnect("c1")
    assert used == SOCKET_ROWS


def test_the_samples_of_connections_are_accepted(stage: Stage) -> None:
    made = events(int(stage.clock()))
    config = msgspec.convert(APPS["http"]("http://127.0.0.1:8400"), type=Config)
    stage.apps.config = config
    handle = stage.function()
    assert handle(made["socket/ticket.json"], None)["statusCode"] == 201
    assert handle(made["socket/connect.json"], None)["statusCode"] == 200
    id_ = made["socket/message.json"]["requestContext"]["connectionId"]
    stage.gateway.got[id_] = []
    handle(made["socket/message.json"], None)
    assert [frame["type"] for frame in stage.gateway.got[id_]] == ["accepted"]
    handle(made["socket/disconnect.json"], None)
    assert stage.watchers.connection(id_) is None
