"""Traces of messages over HTTP, and the playground's view of the stack."""

import base64
import json

import pytest

from playground import logs
from playground.stack import Stack, StackUnavailableError
from tests.unit.playground.serving import APP, login, receiving, send, send_message

RECORD = {"key": "k", "state": "DONE", "decided": 1.0, "attempts": None, "reason": "", "message": {"id": "x"}}


class TestTrace:
    def test_the_trace_contains_callback_journal_and_calls(self, running, receiver, monkeypatch):
        world, http = running
        sent = send_message(http, "hello").json()
        receiver.wait(1)
        reply_id = send(http, login(http), sent["room"], "reply").json()["data"]["message_id"]
        send(http, login(http), sent["room"], "to something else")
        reply = {"receipts": [reply_id], "updated": 2.0, "state": "SENT", "reason": "", "reply": {"op": "send"}}
        request = {}

        def journal(_stack, **key):
            request.update(key)
            mine = key["message_id"] == sent["message_id"]
            return {**RECORD, "replies": [reply] if mine else []}

        monkeypatch.setattr(Stack, "journal", journal)
        trace = http.get(f"/api/trace/{sent['message_id']}").json()
        assert request["tenant"] == world.platforms["feishu"].tenant("demo")
        assert base64.b64decode(trace["wire"]["body"]) == receiver.bodies[0]
        assert trace["plain"]["header"]["token"] != APP["verification_token"]
        assert trace["unified"] == {"id": "x"}
        assert trace["outcome"] == {"kind": "answered", "reason": ""}
        assert (trace["failure"], trace["logs"]) == (None, [])
        assert [state["state"] for state in trace["journal"]["states"]] == ["RECEIVED", "DECIDED", "DONE"]
        assert [call["path"].rsplit("/", 1)[-1] for call in trace["calls"]] == ["internal", "messages"]
        assert http.get(f"/api/trace/{reply_id}").json()["message_id"] == sent["message_id"]
        found = http.get(f"/api/journal/{sent['message_id']}").json()
        assert (found["state"], found["replies"]) == ("DONE", [reply])

    def test_the_trace_of_a_failed_handler_has_the_traceback(self, running, receiver, monkeypatch):
        _, http = running
        sent = send_message(http, "hello").json()["message_id"]
        receiver.wait(1)
        failed = {**RECORD, "state": "RECEIVED", "decided": None, "reason": "KeyError at bot.py:3", "replies": []}
        monkeypatch.setattr(Stack, "journal", lambda _stack, **_key: failed)
        assert http.get(f"/api/trace/{sent}").json()["failure"] == {
            "at": None,
            "error": "KeyError at bot.py:3",
            "traceback": "",
        }
        failure = {"at": 5.0, "error": "KeyError at bot.py:3", "traceback": "Traceback ..."}
        line = {"at": 5.0, "function": "processor", "level": "", "text": "printed", "detail": ""}
        monkeypatch.setattr(logs, "of_message", lambda *_: logs.MessageLogs([line], failure))
        trace = http.get(f"/api/trace/{sent}").json()
        assert (trace["failure"], trace["logs"]) == (failure, [line])
        assert trace["outcome"] == {"kind": "crashed", "reason": "KeyError at bot.py:3"}

    def test_a_message_that_the_platform_does_not_send_to_the_bot_is_not_waiting(self, running, monkeypatch):
        _, http = running
        sent = send_message(http, "hello", room="team", mention=False).json()
        assert not sent["notified"]
        unknown = {**RECORD, "state": "RECEIVED", "decided": None, "replies": [], "message": None}
        monkeypatch.setattr(Stack, "journal", lambda _stack, **_key: unknown)
        found = http.get(f"/api/journal/{sent['message_id']}").json()
        assert (found["state"], found["states"]) == ("NOT_NOTIFIED", [])

    def test_a_message_whose_handler_returned_no_reply_is_done(self, running, receiver, monkeypatch):
        _, http = running
        sent = send_message(http, "hello").json()
        receiver.wait(1)
        monkeypatch.setattr(Stack, "journal", lambda _stack, **_key: {**RECORD, "replies": []})
        found = http.get(f"/api/journal/{sent['message_id']}").json()
        assert (sent["notified"], found["state"], found["states"][-1]["state"]) == (True, "DONE", "DONE")

    def test_the_trace_says_that_the_stack_is_not_running(self, running, receiver):
        world, http = running
        sent = send_message(http).json()["message_id"]
        receiver.wait(1)
        trace = http.get(f"/api/trace/{sent}").json()
        assert "not up" in trace["journal_error"]
        assert http.get(f"/api/journal/{sent}").status_code == 503
        assert http.get("/api/trace/om_none").status_code == 404
        with pytest.raises(StackUnavailableError):
            world.stack.journal(platform="feishu", app="demo", tenant="", message_id=sent)


class TestStack:
    def test_the_state_of_the_stack_follows_its_file(self, tmp_path):
        file = tmp_path / "stack.json"
        stack = Stack(file)
        assert stack.status() == {"state": "missing"}
        with pytest.raises(StackUnavailableError, match="make run"):
            stack.callback_url("feishu", "demo")
        file.write_text('{"ready": false}')
        assert stack.status() == {"state": "starting"}
        with receiving() as aws:
            file.write_text(json.dumps({"ready": True, "aws_endpoint": aws.url, "api": "http://api/local"}))
            assert stack.status() == {"state": "ready", "bot": {}, "commands": 0}
            (tmp_path / "bot.json").write_text('{"state": "live"}')
            (tmp_path / "commands.json").write_text('[{"name": "help"}]')
            assert stack.status()["bot"] == {"state": "live"}
            assert stack.status()["commands"] > 0
            assert stack.commands() == [{"name": "help"}]
        assert stack.callback_url("feishu", "new") == "http://api/local/callback/feishu/new"

    def test_the_url_of_an_unlisted_app_is_derived_from_a_listed_one(self, tmp_path):
        file = tmp_path / "stack.json"
        file.write_text(
            json.dumps({"ready": True, "callbacks": {"feishu": {"demo": "http://api/x/callback/feishu/demo"}}})
        )
        assert Stack(file).callback_url("feishu", "second") == "http://api/x/callback/feishu/second"
