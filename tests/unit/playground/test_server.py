"""The playground over real HTTP: its control API, its deliveries, its faults, its page."""

import base64
import io
import json
import re
import threading
import warnings

import httpx
import pytest

from playground.platforms.feishu import wire
from playground.sample_image import png
from playground.server import STATIC
from playground.stack import Stack, StackUnavailableError
from playground.transport import PlatformTransport
from tests.unit.playground.serving import APP, receiving, serving, wait_until


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


@pytest.fixture
def running(tmp_path, receiver):
    with serving(tmp_path, receiver) as made:
        yield made


@pytest.fixture
def http(running):
    return running[1]


@pytest.fixture
def feishu(running):
    return running[0].platforms["feishu"]


def send_message(http, text="hi", room="private", **more):
    body = {"platform": "feishu", "app": "demo", "room": room, "sender": "lin", "text": text, **more}
    return http.post("/api/messages", json=body)


def login(http):
    body = {"app_id": APP["app_id"], "app_secret": APP["app_secret"]}
    token = http.post("/feishu/open-apis/auth/v3/tenant_access_token/internal", json=body).json()
    return {"Authorization": f"Bearer {token['tenant_access_token']}"}


def send(http, headers, room, text="hi", **more):
    body = {"receive_id": room, "msg_type": "text", "content": json.dumps({"text": text}), **more}
    path = "/feishu/open-apis/im/v1/messages"
    return http.post(path, params={"receive_id_type": "chat_id"}, headers=headers, json=body)


def text_of(body):
    plain = json.loads(wire.decrypt(APP["encrypt_key"], json.loads(body)["encrypt"]))
    return json.loads(plain["event"]["message"]["content"])["text"]


class TestSay:
    def test_what_is_said_is_delivered_encrypted(self, http, receiver):
        said = send_message(http, "hello").json()
        assert [text_of(body) for body in receiver.wait(1)] == ["hello"]
        (message,) = http.get("/api/messages", params={"platform": "feishu", "room": said["room"]}).json()["messages"]
        assert (message["id"], message["text"], message["sender"]["name"]) == (said["message_id"], "hello", "Lin Mei")

    def test_the_first_name_of_the_endpoint_still_works(self, http, receiver):
        body = {"platform": "feishu", "app": "demo", "room": "private", "sender": "lin", "text": "hello"}
        assert http.post("/api/say", json=body).json()["message_id"]
        assert [text_of(each) for each in receiver.wait(1)] == ["hello"]

    def test_a_room_keeps_its_order(self, http, receiver):
        for number in range(20):
            send_message(http, str(number))
        assert [text_of(body) for body in receiver.wait(20)] == [str(number) for number in range(20)]

    def test_a_failed_delivery_is_tried_again_and_holds_nobody_up(self, http, feishu, receiver):
        feishu.retry_delays = (0.2, 0.2)
        receiver.statuses = [500]
        first = send_message(http, "first").json()["message_id"]
        send_message(http, "second")
        assert [text_of(body) for body in receiver.wait(3)] == ["first", "second", "first"]
        delivery = wait_until(lambda: feishu.deliveries[feishu.delivery_ids[first]])
        wait_until(lambda: delivery.state == "delivered")
        assert [attempt.status for attempt in delivery.attempts] == [500, 200]

    def test_a_callback_that_is_late_is_a_failure(self, http, feishu, receiver):
        feishu.retry_delays = ()
        release = threading.Event()
        receiver.answer = lambda _body: b"{}" if release.wait(10) else b""
        feishu.listeners.append(lambda kind, value: setattr(value, "deadline", 0.1) if kind == "delivery" else None)
        message = send_message(http).json()["message_id"]
        delivery = feishu.deliveries[feishu.delivery_ids[message]]
        wait_until(lambda: delivery.state == "failed")
        release.set()
        assert delivery.attempts[0].error == "no response within 0.1 s"

    @pytest.mark.parametrize(
        ("body", "status", "words"),
        [
            ({"platform": "msn", "text": "x"}, 404, "there is no platform 'msn'"),
            ({"platform": "feishu", "app": "other", "text": "x"}, 404, "no app 'other'"),
            ({"platform": "feishu"}, 400, "the message is empty"),
            ({"platform": "feishu", "text": 5}, 400, "text must be a string"),
            ({"platform": "feishu", "text": "x", "mention": "yes"}, 400, "mention must be"),
            ({"platform": "feishu", "image": "%%"}, 400, "image must be Base64"),
            ({"platform": "feishu", "file": "a"}, 400, "file must be {name, data}"),
            ({"platform": "feishu", "native": {"type": "text"}}, 400, "native must be {type, content}"),
            ({"platform": "feishu", "text": "x", "reply_to": "om_none"}, 404, "no message 'om_none'"),
            ([], 400, "must be a JSON object"),
        ],
    )
    def test_a_mistake_is_told_in_clear_words(self, http, body, status, words):
        answer = http.post("/api/messages", json=body)
        assert answer.status_code == status
        assert words in answer.json()["error"]

    def test_a_body_that_is_no_json_is_told(self, http):
        assert http.post("/api/messages", content=b"x").json()["error"].startswith("the body must be JSON")
        headers = {"content-type": "application/json"}
        assert (
            http.post("/api/messages", content=b"{", headers=headers).json()["error"].startswith("the body is not JSON")
        )

    def test_pictures_are_said_and_shown(self, http, receiver):
        room = send_message(http, "", image=True).json()["room"]
        receiver.wait(1)
        (message,) = http.get("/api/messages", params={"platform": "feishu", "room": room}).json()["messages"]
        (part,) = message["parts"]
        shown = http.get(f"/api/media/feishu/{part['key']}")
        assert (part["kind"], shown.headers["content-type"]) == ("image", "image/png")
        data = base64.b64encode(shown.content).decode()
        assert send_message(http, "", image=data).status_code == 200
        assert send_message(http, "", file={"name": "a.txt", "data": "aGk="}).status_code == 200
        assert http.get("/api/media/feishu/none").status_code == 404


class TestPressAndDeliver:
    @pytest.fixture
    def card(self, http):
        room = send_message(http).json()["room"]
        card = {"elements": [{"tag": "button", "text": {"tag": "plain_text", "content": "Go"}, "value": "go"}]}
        sent = send(http, login(http), room, msg_type="interactive", content=json.dumps(card))
        return sent.json()["data"]["message_id"]

    def test_a_press_is_delivered_and_its_toast_told(self, http, receiver, card):
        receiver.wait(1)
        receiver.answer = lambda _body: b'{"toast":{"type":"info","content":"ok"}}'
        body = {"platform": "feishu", "app": "demo", "message_id": card, "button": "Go", "sender": "lin"}
        pressed = http.post("/api/press", json=body).json()
        assert (pressed["state"], pressed["result"]["toast"]["content"]) == ("delivered", "ok")
        assert http.post("/api/press", json=body | {"button": "Stop"}).status_code == 404

    def test_an_event_is_delivered_again_genuine_or_forged(self, http, receiver):
        message = send_message(http).json()["message_id"]
        receiver.wait(1)
        again = http.post("/api/deliver", json={"message_id": message, "times": 3}).json()
        assert [attempt["status"] for attempt in again["attempts"]] == [200, 200, 200]
        forged = http.post("/api/deliver", json={"message_id": message, "forge": "truncated"}).json()
        assert forged["attempts"][0]["forged"] == "truncated"
        bodies = receiver.wait(5)
        assert bodies[0] == bodies[1] == bodies[2] == bodies[3]
        assert len(bodies[4]) < len(bodies[0])

    @pytest.mark.parametrize(
        ("more", "status"), [({"times": 0}, 400), ({"times": 101}, 400), ({"times": True}, 400), ({"forge": "x"}, 404)]
    )
    def test_a_repetition_that_makes_no_sense_is_refused(self, http, more, status):
        message = send_message(http).json()["message_id"]
        assert http.post("/api/deliver", json={"message_id": message, **more}).status_code == status

    def test_what_was_never_delivered_cannot_be_delivered_again(self, http):
        message = send_message(http, room="team", mention=False).json()["message_id"]
        assert http.post("/api/deliver", json={"message_id": message}).status_code == 404

    def test_the_callback_url_is_verified(self, http, receiver):
        def echo(body):
            plain = json.loads(wire.decrypt(APP["encrypt_key"], json.loads(body)["encrypt"]))
            return json.dumps({"challenge": plain["challenge"]}).encode()

        body = {"platform": "feishu", "app": "demo"}
        assert http.post("/api/challenge", json=body).json()["ok"] is False
        receiver.answer = echo
        assert http.post("/api/challenge", json=body).json()["ok"] is True

    def test_other_things_happen_too(self, http, receiver):
        message = send_message(http).json()["message_id"]
        body = {"platform": "feishu", "app": "demo", "kind": "recall", "message_id": message, "sender": "lin"}
        assert http.post("/api/events", json=body).json()["event_id"]
        receiver.wait(2)
        found = http.get("/api/messages", params={"platform": "feishu"}).json()["messages"]
        assert [one["recalled"] for one in found] == [True]


class TestFaults:
    def test_faults_are_set_listed_and_cleared(self, http):
        body = {"platform": "feishu", "kind": "http_500", "rate": 0.5, "seed": 3}
        expected = [{"platform": "feishu", "kind": "http_500", "hits": 0, "rate": 0.5, "seed": 3}]
        assert http.post("/api/faults", json=body).json() == {"faults": expected}
        assert http.get("/api/faults", params={"platform": "feishu"}).json() == {"faults": expected}
        assert http.delete("/api/faults").json() == {"faults": []}
        assert "kind must be" in http.post("/api/faults", json={"platform": "feishu", "kind": "x"}).json()["error"]

    def test_a_dropped_answer_breaks_the_connection_after_the_work(self, http, feishu):
        room = feishu.room_id("team", "group")
        headers = login(http)
        http.post("/api/faults", json={"platform": "feishu", "kind": "drop_response"})
        with pytest.raises(httpx.TransportError):
            send(http, headers, room, "done")
        assert [m.content["text"] for m in feishu.messages.values()] == ["done"]

    def test_a_held_answer_makes_the_client_wait(self, http, feishu):
        room = feishu.room_id("team", "group")
        headers = login(http)
        for timeout, error in ((0.1, httpx.ReadTimeout), (5, httpx.TransportError)):
            http.post("/api/faults", json={"platform": "feishu", "kind": "timeout"})
            http.timeout = timeout
            with pytest.raises(error):
                send(http, headers, room)
            http.timeout = 10
        assert not feishu.messages
        assert [call["status"] for call in http.get("/api/calls", params={"platform": "feishu"}).json()] == [200, 0, 0]


RECORD = {"key": "k", "state": "DONE", "decided": 1.0, "attempts": None, "reason": "", "message": {"id": "x"}}


class TestWay:
    def test_the_way_shows_bytes_decrypted_journal_and_calls(self, running, receiver, monkeypatch):
        world, http = running
        said = send_message(http, "hello").json()
        receiver.wait(1)
        answer = send(http, login(http), said["room"], "answer").json()["data"]["message_id"]
        send(http, login(http), said["room"], "to something else")
        reply = {"receipts": [answer], "updated": 2.0, "state": "SENT"}
        asked = {}

        def journal(_stack, **what):
            asked.update(what)
            mine = what["message_id"] == said["message_id"]
            return {**RECORD, "replies": [reply] if mine else []}

        monkeypatch.setattr(Stack, "journal", journal)
        trace = http.get(f"/api/trace/{said['message_id']}").json()
        assert asked["tenant"] == world.platforms["feishu"].tenant("demo")
        assert base64.b64decode(trace["wire"]["body"]) == receiver.bodies[0]
        assert trace["plain"]["header"]["token"] != APP["verification_token"]
        assert trace["unified"] == {"id": "x"}
        assert [state["state"] for state in trace["journal"]["states"]] == ["RECEIVED", "DECIDED", "DONE"]
        assert [call["path"].rsplit("/", 1)[-1] for call in trace["calls"]] == ["internal", "messages"]
        assert http.get(f"/api/trace/{answer}").json()["message_id"] == said["message_id"]
        told = http.get(f"/api/journal/{said['message_id']}").json()
        assert (told["state"], told["replies"]) == ("DONE", [reply])

    def test_without_the_stack_the_way_says_so(self, running, receiver):
        world, http = running
        said = send_message(http).json()["message_id"]
        receiver.wait(1)
        trace = http.get(f"/api/trace/{said}").json()
        assert "not up" in trace["journal_error"]
        assert http.get(f"/api/journal/{said}").status_code == 503
        assert http.get("/api/trace/om_none").status_code == 404
        with pytest.raises(StackUnavailableError):
            world.stack.journal(platform="feishu", app="demo", tenant="", message_id=said)


class TestLark:
    """lark-oapi's own client as the bot: it must find Feishu here."""

    @pytest.fixture
    def client(self, http):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDK's imports warn of their own dependencies
            import lark_oapi as lark
        builder = lark.Client.builder().app_id(APP["app_id"]).app_secret(APP["app_secret"])
        made = builder.domain(str(http.base_url).rstrip("/")).build()
        # The SDK takes an origin only, and the imitations share one.
        vars(made)["_config"].domain += "/feishu"
        return made

    def test_it_sends_replies_uploads_reads_and_is_told_what_is_wrong(self, client, feishu):
        from lark_oapi.api.im.v1 import (
            CreateImageRequest,
            CreateImageRequestBody,
            CreateMessageRequest,
            CreateMessageRequestBody,
            GetMessageRequest,
            ReplyMessageRequest,
            ReplyMessageRequestBody,
        )

        room = feishu.room_id("team", "group")
        body = CreateMessageRequestBody.builder().receive_id(room).msg_type("text").content('{"text":"hi"}').build()
        sent = client.im.v1.message.create(
            CreateMessageRequest.builder().receive_id_type("chat_id").request_body(body).build()
        )
        assert sent.success(), sent.msg
        form = CreateImageRequestBody.builder().image_type("message").image(io.BytesIO(png())).build()
        image = client.im.v1.image.create(CreateImageRequest.builder().request_body(form).build())
        assert image.success(), image.msg
        content = json.dumps({"image_key": image.data.image_key})
        answer = ReplyMessageRequestBody.builder().msg_type("image").content(content).build()
        answer.reply_in_thread = True
        reply = client.im.v1.message.reply(
            ReplyMessageRequest.builder().message_id(sent.data.message_id).request_body(answer).build()
        )
        assert reply.success(), reply.msg
        read = client.im.v1.message.get(GetMessageRequest.builder().message_id(reply.data.message_id).build())
        (item,) = read.data.items
        assert (item.parent_id, item.thread_id) == (sent.data.message_id, reply.data.thread_id)
        body.receive_id = "oc_none"
        wrong = client.im.v1.message.create(
            CreateMessageRequest.builder().receive_id_type("chat_id").request_body(body).build()
        )
        assert (wrong.success(), wrong.code) == (False, 230034)


class TestPage:
    def test_the_page_and_all_it_loads_come_from_here(self, http):
        page = http.get("/")
        assert page.status_code == 200
        assert "http" not in page.text.replace("http-equiv", "")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        for path in ("/static/js/main.js", "/static/css/base.css", "/static/favicon.svg"):
            assert http.get(path).status_code == 200

    def test_other_sites_and_hosts_get_nothing(self, http):
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            assert http.get("/api/rooms", headers=headers).status_code == 403
            assert http.get("/", headers=headers).status_code == 403

    def test_containers_on_this_machine_are_let_in_and_public_addresses_are_not(self, http):
        for host in ("10.88.0.1:8400", "172.17.0.1:8400", "host.docker.internal:8400", "[::1]:8400"):
            assert http.get("/api/rooms", headers={"Host": host}).status_code == 200
        assert http.get("/api/rooms", headers={"Host": "8.8.8.8:8400"}).status_code == 403

    def test_both_languages_have_the_same_words(self):
        texts = [(STATIC / "js" / "locales" / f"{name}.js").read_text() for name in ("en", "zh")]
        english, chinese = (re.findall(r'^  "?([\w.]+)"?: ["\[]', text, re.MULTILINE) for text in texts)
        assert english == chinese
        assert len(english) > 100
        lines = zip(*(text.splitlines() for text in texts), strict=True)
        assert all(sorted(re.findall(r"\{\w+\}", one)) == sorted(re.findall(r"\{\w+\}", other)) for one, other in lines)

    def test_the_rooms_and_the_state_of_the_stack_are_told(self, http):
        told = http.get("/api/rooms").json()
        (feishu,) = [one for one in told["platforms"] if one["name"] == "feishu"]
        assert feishu["apps"][0]["callback"].endswith("/callback/feishu/demo")
        assert told["stack"] == {"state": "unreachable"}
        assert http.get("/healthz").json()["ok"] is True

    def test_live_updates_tell_what_happens(self, http):
        seen = []
        with http.stream("GET", "/api/stream") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: hello"
            send_message(http, "hello")
            for line in lines:
                seen.append(line)
                if line == "event: delivery" and seen.count(line) == 2:
                    break
        assert "event: message" in seen


class TestStack:
    def test_the_stack_is_missing_starting_or_ready_as_its_file_says(self, tmp_path):
        file = tmp_path / "stack.json"
        stack = Stack(file)
        assert stack.status() == {"state": "missing"}
        with pytest.raises(StackUnavailableError, match="make run"):
            stack.callback_url("feishu", "demo")
        file.write_text('{"ready": false}')
        assert stack.status() == {"state": "starting"}
        with receiving() as aws:
            file.write_text(json.dumps({"ready": True, "aws_endpoint": aws.url, "api": "http://api/local"}))
            assert stack.status() == {"state": "ready"}
        assert stack.callback_url("feishu", "new") == "http://api/local/callback/feishu/new"

    def test_an_app_beside_a_listed_one_has_its_url_beside_it(self, tmp_path):
        file = tmp_path / "stack.json"
        file.write_text(json.dumps({"ready": True, "callbacks": {"feishu": {"demo": "http://api/x/feishu/demo"}}}))
        assert Stack(file).callback_url("feishu", "second") == "http://api/x/feishu/second"


def test_the_transport_and_the_server_answer_the_same(http, feishu):
    inside = httpx.Client(transport=PlatformTransport({"http://inside": feishu}), base_url="http://inside")
    path = "/open-apis/im/v1/messages/om_none"
    one, other = inside.get(path), http.get(f"/feishu{path}")
    assert (one.status_code, one.json()["code"]) == (other.status_code, other.json()["code"]) == (400, 99991661)
