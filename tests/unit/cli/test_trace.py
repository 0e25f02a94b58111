"""`parley trace`: the whole way of one message."""

import json
from typing import Any

import pytest

from parley.engine.aws import dynamodb
from parley.journal.inbox import Decision, Inbox
from parley.model import Message, Outgoing, message_key
from parley_cli import place
from tests.factories import NOW, make_message, make_reply
from tests.unit.cli.tool import Healthy, Ssm, fake_place, parley, use_place

Printed = pytest.CaptureFixture[str]


class Lines:
    """CloudWatch Logs with one group."""

    def __init__(self, *lines: dict[str, Any]) -> None:
        self.lines = lines

    def get_paginator(self, _name: str) -> "Lines":
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        if "logGroupNamePrefix" in request:
            return [{"logGroups": [{"logGroupName": "/parley/unit/processor"}]}]
        events = [
            {"eventId": str(n), "timestamp": int(NOW * 1000) + n, "message": json.dumps(each)}
            for n, each in enumerate(self.lines)
        ]
        wanted = request["filterPattern"].strip('"')
        return [{"events": [event for event in events if wanted in event["message"]]}]


@pytest.fixture
def decided(aws: None, healthy: Healthy, monkeypatch: pytest.MonkeyPatch) -> Message:
    """A message with one reply, in the journal and in the logs."""
    message = make_message("om_1", "the person's words")
    inbox = Inbox(dynamodb(), "parley", 86_400)
    replies: list[Outgoing] = [make_reply(message, "the bot's words")]
    inbox.decide(message, inbox.open(message), Decision(replies), NOW)
    key = message_key(message)
    lines = Lines(
        {"message": "message received", "message_id": "om_1", "key": key},
        {"message": "reply sent", "key": key},
        {"message": "message received", "message_id": "om_2", "key": "other"},
    )
    use_place(monkeypatch, fake_place({**healthy, "dynamodb": dynamodb(), "logs": lines, "ssm": Ssm()}))
    return message


def test_trace_shows_the_way_of_a_message_without_texts(decided: Message, capsys: Printed) -> None:
    for name in ("om_1", message_key(decided)):
        assert parley("trace", name) == 0
        text = capsys.readouterr().out
        assert text.startswith("feishu/demo om_1  DECIDED")
        assert "reply 0  PENDING" in text
        assert "message received" in text
        assert "reply sent" in text
        assert "om_2" not in text
        assert "words" not in text


def test_trace_shows_texts_to_those_who_want_them(decided: Message, capsys: Printed) -> None:
    assert parley("trace", "om_1", "--texts", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["message"]["content"]["text"] == "the person's words"
    assert [line["message"] for line in shown["lines"]] == ["message received", "reply sent"]


def test_trace_finds_a_message_whose_log_lines_have_expired(decided: Message, capsys: Printed) -> None:
    found = place.find("", "")
    found.client("logs").lines = ()
    assert parley("trace", "om_1", "--app", "feishu/demo") == 0
    assert capsys.readouterr().out.startswith("feishu/demo om_1")
    for name in ("om_9", "0" * 64):
        assert parley("trace", name) == 1
        assert f"There is no message {name}" in capsys.readouterr().err
