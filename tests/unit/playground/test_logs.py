"""The logs of the functions as the page shows them."""

import json
from pathlib import Path
from typing import Any

import pytest

from playground import logs
from playground.stack import Stack

HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 1 Version: 1",
        "END RequestId: 1",
        "REPORT RequestId: 1\tDuration: 90 ms",
        "INIT_START Runtime Version: python:3.13",
        '{"_aws": {"Timestamp": 1}, "Errors": [1.0]}',
        "\n",
    ],
)
def test_lines_of_lambda_and_metrics_are_left_out(text: str) -> None:
    assert logs.parsed(text) is None


@pytest.mark.parametrize(
    ("text", "level", "shown", "detail"),
    [
        ("hello\n", "", "hello", ""),
        ("{not json", "", "{not json", ""),
        ('{"mine": 1}', "", '{"mine": 1}', ""),
        ('["mine"]', "", '["mine"]', ""),
        ("[WARNING]\t2026-01-01T00:00:00.000Z\tid\twatch out", "WARNING", "watch out", ""),
        ("[ERROR]\t2026-01-01T00:00:00.000Z\tid\tno\nTraceback\n  a", "ERROR", "no", "Traceback\n  a"),
        ('{"level": "INFO", "message": "m", "service": "s", "count": 2, "reason": ""}', "INFO", "m  count=2", ""),
        (json.dumps({"level": "INFO", "message": {"a": 1}, "key": HASH}), "INFO", '{"a": 1}  key=0123456789ab…', ""),
        ('{"level": "ERROR", "message": "m", "traceback": "a\\nb\\n"}', "ERROR", "m", "a\nb"),
        ('{"level": "ERROR", "message": "m", "exception": "a"}', "ERROR", "m", "a"),
    ],
)
def test_a_line_has_a_level_a_text_and_a_traceback(text: str, level: str, shown: str, detail: str) -> None:
    assert logs.parsed(text) == {"level": level, "text": shown, "detail": detail}


class Emulator:
    """CloudWatch Logs with the events of two functions. The group of the third one does not exist."""

    class exceptions:  # noqa: N801
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self) -> None:
        self.events: dict[str, list[dict[str, Any]]] = {"/p": [], "/f": []}
        self.asked: list[dict[str, Any]] = []

    def add(self, group: str, at: float, message: str, stream: str = "s") -> None:
        self.events[group].append({"timestamp": int(at * 1000), "message": message, "logStreamName": stream})

    def get_paginator(self, _name: str) -> "Emulator":
        return self

    def paginate(self, **query: Any) -> list[dict[str, Any]]:
        self.asked.append(query)
        if query["logGroupName"] not in self.events:
            raise self.exceptions.ResourceNotFoundException
        return [{"events": [e for e in self.events[query["logGroupName"]] if e["timestamp"] >= query["startTime"]]}]


@pytest.fixture
def emulator() -> Emulator:
    return Emulator()


@pytest.fixture
def stack(tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Stack:
    groups = {"processor": "/p", "feishu": "/f", "sweeper": "/none"}
    (tmp_path / "stack.json").write_text(json.dumps({"ready": True, "log_groups": groups}))
    monkeypatch.setattr(Stack, "client", lambda _stack, _service: emulator)
    return Stack(tmp_path / "stack.json")


def test_lines_of_all_functions_are_in_the_order_of_time(stack: Stack, emulator: Emulator) -> None:
    emulator.add("/p", 3, "third")
    emulator.add("/f", 2, "second")
    emulator.add("/p", 1, "first")
    found = logs.lines(stack, since=2)
    assert [(line["at"], line["function"], line["text"]) for line in found] == [
        (2, "feishu", "second"),
        (3, "processor", "third"),
    ]
    assert [line["text"] for line in logs.lines(stack, 0, ["processor"])] == ["first", "third"]


def test_only_the_newest_lines_are_kept(stack: Stack, emulator: Emulator) -> None:
    for number in range(logs.MAX_LINES + 5):
        emulator.add("/p", number, str(number))
    assert [line["text"] for line in logs.lines(stack, 0)][:1] == ["5"]


def test_the_logs_of_a_message_are_those_of_the_invocations_that_name_it(stack: Stack, emulator: Emulator) -> None:
    def failed(message_id: str, traceback: str) -> str:
        return json.dumps(
            {
                "level": "ERROR",
                "message": "handler failed",
                "message_id": message_id,
                "error": "KeyError at bot.py:3",
                "traceback": traceback,
            }
        )

    for at, id_, stream in ((1, "other", "a"), (2, "mine", "a"), (3, "mine", "b")):
        emulator.add("/p", at, f"START RequestId: {at}", stream)
        emulator.add("/p", at, f"printed {at}", stream)
        emulator.add("/p", at, failed(id_, f"Traceback {at}\n"), stream)
        emulator.add("/p", at, f"END RequestId: {at}", stream)
    found = logs.of_message(stack, "mine", since=1)
    assert [line["text"] for line in found.lines if not line["level"]] == ["printed 2", "printed 3"]
    assert found.failure == {"at": 3, "error": "KeyError at bot.py:3", "traceback": "Traceback 3"}
    assert emulator.asked[-1]["endTime"] == 301_000
    assert logs.of_message(stack, "none", since=1) == logs.MessageLogs([], None)


def test_a_stack_without_functions_has_no_logs(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "stack.json")
    assert logs.lines(stack, 0) == []
    assert logs.of_message(stack, "m", 0) == logs.MessageLogs([], None)
