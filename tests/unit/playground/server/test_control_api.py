"""The control API over HTTP: messages, presses, redeliveries, faults, live updates."""

import base64
import json
import threading

import httpx
import pytest

from playground.platforms.feishu import wire
from tests.unit.playground.serving import APP, login, send, send_message, text_of, wait_until


class TestSendMessage:
    def test_a_message_is_delivered_encrypted(self, http, receiver):
        sent = send_message(http, "hello").json()
        assert [text_of(body) for body in receiver.wait(1)] == ["hello"]
        (message,) = http.get("/api/messages", params={"platform": "feishu", "room": sent["room"]}).json()["messages"]
        assert (message["id"], message["text"], message["sender"]["name"]) == (sent["message_id"], "hello", "Lin Mei")

    def test_the_first_name_of_the_endpoint_still_works(self, http, receiver):
        body = {"platform": "feishu", "app": "demo", "room": "private", "sender": "lin", "text": "hello"}
        assert http.post("/api/say", json=body).json()["message_id"]
        assert [text_of(each) for each in receiver.wait(1)] == ["hello"]

    def test_messages_of_a_room_are_delivered_in_order(self, http, receiver):
        for number in range(20):
            send_message(http, str(number))
        assert [text_of(body) for body in receiver.wait(20)] == [str(number) for number in range(20)]

    def test_a_failed_delivery_is_retried_and_does_not_delay_others(self, http, feishu, receiver):
        feishu.retry_delays = (0.2, 0.2)
        receiver.statuses = [500]
        first = send_message(http, "first").json()["message_id"]
        send_message(http, "second")
        assert [text_of(body) for body in receiver.wait(3)] == ["first", "second", "first"]
        delivery = wait_until(lambda: feishu.deliveries[feishu.delivery_ids[first]])
        wait_until(lambda: delivery.state == "delivered")
        assert [attempt.status for attempt in delivery.attempts] == [500, 200]

    def test_a_late_response_is_a_failure(self, http, feishu, receiver):
        feishu.retry_delays = ()
        release = threading.Event()
        receiver.make_body = lambda _body: b"{}" if release.wait(10) else b""
        feishu.listeners.append(lambda kind, value: setattr(value, "deadline", 0.1) if kind == "delivery" else None)
        message = send_message(http).json()["message_id"]
        delivery = feishu.deliveries[feishu.delivery_ids[message]]
        wait_until(lambda: delivery.state == "failed")
        release.set()
        assert delivery.attempts[0].error == "no response within 0.1 s"

    @pytest.mark.parametrize(
        ("body", "status", "reason"),
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
            ({"platform": "feishu", "forwards": ["om_none"]}, 404, "no message 'om_none'"),
            ({"platform": "feishu", "forwards": "om_none"}, 400, "forwards must be a list of strings"),
            ([], 400, "must be a JSON object"),
        ],
    )
    def test_an_invalid_request_is_rejected_with_a_reason(self, http, body, status, reason):
        response = http.post("/api/messages", json=body)
        assert response.status_code == status
        assert reason in response.json()["error"]

    def test_a_body_that_is_not_json_is_rejected(self, http):
        assert http.post("/api/messages", content=b"x").json()["error"].startswith("the body must be JSON")
        headers = {"content-type": "application/json"}
        assert (
            http.post("/api/messages", content=b"{", headers=headers).json()["error"].startswith("the body is not JSON")
        )

    def test_images_can_be_sent_and_shown(self, http, receiver):
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


class TestPressAndRedelivery:
    @pytest.fixture
    def card(self, http):
        room = send_message(http).json()["room"]
        card = {"elements": [{"tag": "button", "text": {"tag": "plain_text", "content": "Go"}, "value": "go"}]}
        sent = send(http, login(http), room, msg_type="interactive", content=json.dumps(card))
        return sent.json()["data"]["message_id"]

    def test_the_response_to_a_press_contains_the_toast(self, http, receiver, card):
        receiver.wait(1)
        receiver.make_body = lambda _body: b'{"toast":{"type":"info","content":"ok"}}'
        body = {"platform": "feishu", "app": "demo", "message_id": card, "button": "Go", "sender": "lin"}
        pressed = http.post("/api/press", json=body).json()
        assert (pressed["state"], pressed["result"]["toast"]["content"]) == ("delivered", "ok")
        assert http.post("/api/press", json=body | {"button": "Stop"}).status_code == 404
        assert http.post("/api/press", json=body | {"button": 0}).json()["state"] == "delivered"
        for wrong in (True, None, 0.5, ["Go"]):
            assert http.post("/api/press", json=body | {"button": wrong}).status_code == 400

    def test_an_event_can_be_redelivered_genuine_or_forged(self, http, receiver):
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
    def test_an_invalid_redelivery_is_rejected(self, http, more, status):
        message = send_message(http).json()["message_id"]
        assert http.post("/api/deliver", json={"message_id": message, **more}).status_code == status

    def test_an_undelivered_message_cannot_be_redelivered(self, http):
        message = send_message(http, room="team", mention=False).json()["message_id"]
        assert http.post("/api/deliver", json={"message_id": message}).status_code == 404

    def test_the_callback_url_is_verified(self, http, receiver):
        def echo(body):
            plain = json.loads(wire.decrypt(APP["encrypt_key"], json.loads(body)["encrypt"]))
            return json.dumps({"challenge": plain["challenge"]}).encode()

        body = {"platform": "feishu", "app": "demo"}
        assert http.post("/api/challenge", json=body).json()["ok"] is False
        receiver.make_body = echo
        assert http.post("/api/challenge", json=body).json()["ok"] is True

    def test_another_event_is_delivered(self, http, receiver):
        message = send_message(http).json()["message_id"]
        body = {"platform": "feishu", "app": "demo", "kind": "recall", "message_id": message, "sender": "lin"}
        assert http.post("/api/events", json=body).json()["event_id"]
        receiver.wait(2)
        found = http.get("/api/messages", params={"platform": "feishu"}).json()["messages"]
        assert [one["recalled"] for one in found] == [True]


class TestPanes:
    def test_commands_of_a_platform_without_registration_are_those_of_the_bot(self, http, running):
        found = [{"name": "help", "menu": ""}, {"name": "Count words", "menu": "message"}]
        running[0].stack.path.with_name("commands.json").write_text(json.dumps(found))
        assert http.get("/api/commands", params={"platform": "feishu", "app": "demo"}).json() == found[:1]

    def test_outcomes_say_why_there_is_no_answer(self, http, receiver):
        receiver.statuses = [401]
        receiver.make_body = lambda _body: b'{"error": "forged"}'
        private = send_message(http).json()
        receiver.wait(1)
        group = send_message(http, room="team", mention=False).json()

        def outcome(sent):
            query = {"platform": "feishu", "room": sent["room"]}
            return http.get("/api/outcomes", params=query).json()["outcomes"][sent["message_id"]]

        assert outcome(group) == {"kind": "not_notified", "reason": ""}
        wait_until(lambda: outcome(private)["kind"] == "refused")
        assert outcome(private)["reason"] == '401 {"error": "forged"}'

    def test_without_a_stack_the_reason_is_given(self, http):
        place = {"platform": "feishu", "app": "demo", "room": send_message(http).json()["room"]}
        response = http.get("/api/state", params=place)
        assert (response.status_code, "not up" in response.json()["error"]) == (503, True)
        assert http.get("/api/logs").json() == {"functions": [], "lines": []}
        assert http.get("/api/logs", params={"since": "x"}).status_code == 400
        charts = http.get("/api/charts").json()
        assert (charts["platforms"], {each["question"] for each in charts["charts"]}) == (
            [],
            {"answers", "platform", "fast", "stuck"},
        )


class TestPermissions:
    def test_an_app_with_the_permission_gets_messages_that_do_not_mention_it(self, http):
        place = {"platform": "feishu", "app": "demo"}
        notified = []
        for permitted in (None, True, False):
            if permitted is not None:
                asked = {**place, "all_messages": permitted}
                assert http.post("/api/permissions", json=asked).json() == asked
            notified.append(send_message(http, room="team", mention=False).json()["notified"])
        assert notified == [False, True, False]

    def test_a_permission_that_does_not_exist_is_an_error(self, http):
        asked = {"platform": "discord", "app": "demo", "all_messages": True}
        assert http.post("/api/permissions", json=asked).status_code == 404
        assert http.post("/api/permissions", json={**asked, "all_messages": "yes"}).status_code == 400
        unknown = {"platform": "feishu", "app": "nobody", "all_messages": True}
        assert http.post("/api/permissions", json=unknown).status_code == 404


class TestFaults:
    def test_faults_can_be_added_listed_and_removed(self, http):
        body = {"platform": "feishu", "kind": "http_500", "rate": 0.5, "seed": 3}
        expected = [{"platform": "feishu", "kind": "http_500", "hits": 0, "rate": 0.5, "seed": 3}]
        assert http.post("/api/faults", json=body).json() == {"faults": expected}
        assert http.get("/api/faults", params={"platform": "feishu"}).json() == {"faults": expected}
        assert http.delete("/api/faults").json() == {"faults": []}
        assert "kind must be" in http.post("/api/faults", json={"platform": "feishu", "kind": "x"}).json()["error"]

    def test_drop_response_breaks_the_connection_after_the_call(self, http, feishu):
        room = feishu.room_id("team", "group")
        headers = login(http)
        http.post("/api/faults", json={"platform": "feishu", "kind": "drop_response"})
        with pytest.raises(httpx.TransportError):
            send(http, headers, room, "done")
        assert [m.content["text"] for m in feishu.messages.values()] == ["done"]

    def test_timeout_keeps_the_connection_open(self, http, feishu):
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
