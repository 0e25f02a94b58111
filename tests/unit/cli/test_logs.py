"""`make logs`: the lines of all functions in the order of time, and with `--follow` those that come."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from parley_cli import logs, place, tail
from tests.unit.cli.tool import FACTS, parley


class Source:
    """CloudWatch Logs with the events of each group. Each look of the tool is a condition: `looked` may add events."""

    def __init__(self) -> None:
        self.events: dict[str, list[dict[str, Any]]] = {"/parley/local/feishu": [], "/parley/local/processor": []}
        self.starts: list[int] = []

    def add(self, function: str, at: float, text: str) -> None:
        event = {"timestamp": int(at * 1000), "logStreamName": "s", "message": f"{text}\n"}
        self.events[f"/parley/local/{function}"].append(event)

    def get_paginator(self, name: str) -> "Source":
        assert name == "filter_log_events"
        return self

    def paginate(self, *, logGroupName: str, startTime: int) -> list[dict[str, Any]]:  # noqa: N803  # AWS's names
        self.starts.append(startTime)
        return [{"events": [one for one in self.events[logGroupName] if one["timestamp"] >= startTime]}]


def written(message: str, **more: Any) -> str:
    """A line as Parley writes it."""
    return json.dumps({"level": "INFO", "message": message, **more})


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    found = Source()
    groups = {name.rsplit("/", 1)[-1]: name for name in found.events}
    monkeypatch.setattr(place, "running", lambda: FACTS)
    monkeypatch.setattr(logs, "reader", lambda _place, _since: logs.Reader(found, dict(groups), 0))
    return found


def looks(monkeypatch: pytest.MonkeyPatch, *before: Callable[[], None]) -> None:
    """Let this happen between two looks, and then Ctrl-C. Nothing waits."""
    steps = iter(before)

    def pause(_seconds: float) -> None:
        try:
            next(steps)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(tail.time, "sleep", pause)


def test_lines_of_all_functions_are_in_the_order_of_time(source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    source.add("processor", 1002, "printed by the bot")
    source.add("feishu", 1001, written("message received", message_id="om_1"))
    source.add("feishu", 1000, "START RequestId: 1")
    assert parley("tail") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split(maxsplit=1)[1] == "feishu     INFO    message received  message_id=om_1"
    assert second.split(maxsplit=1)[1] == "processor  printed by the bot"


def test_follow_goes_on_with_new_lines_until_it_is_interrupted(
    source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source.add("feishu", 1000, "first")
    shown: list[list[str]] = []

    def remember(then: Callable[[], None]) -> Callable[[], None]:
        def step() -> None:
            shown.append([line.split()[-1] for line in capsys.readouterr().out.splitlines()])
            then()

        return step

    looks(
        monkeypatch,
        remember(lambda: source.add("processor", 1001, "second")),
        remember(lambda: source.add("feishu", 1000.5, "late")),  # CloudWatch shows some lines late
        remember(lambda: None),
        remember(lambda: None),
    )
    assert parley("tail", "--follow") == 130
    assert shown == [["first"], ["second"], ["late"], []]


def test_follow_shows_the_lines_with_the_text_only(
    source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source.add("feishu", 1000, written("message received", message_id="om_1"))
    looks(
        monkeypatch,
        lambda: source.add("processor", 1001, written("message decided", message_id="om_2")),
        lambda: source.add("processor", 1002, written("message decided", message_id="om_1")),
        lambda: None,
    )
    assert parley("tail", "--follow", "om_1") == 130
    assert [line.split()[3:5] for line in capsys.readouterr().out.splitlines()] == [
        ["message", "received"],
        ["message", "decided"],
    ]


def test_follow_reads_one_function_only_and_no_line_again(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.add("processor", 1000, "first")
    looks(monkeypatch, lambda: None)
    assert parley("tail", "--follow", "--function", "processor") == 130
    assert source.starts == [0, 995_000]


def test_an_unknown_function_and_a_missing_stack_are_errors(
    source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parley("tail", "--function", "slack") == 1
    assert capsys.readouterr().err == "error: There is no function slack.\n  There are feishu, processor.\n"
    monkeypatch.setattr(place, "running", lambda: None)
    assert parley("tail") == 1
    assert "No local stack is running" in capsys.readouterr().err


def test_programs_get_one_object_for_each_line(source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    source.add("feishu", 1000, written("message received", message_id="om_1"))
    source.add("processor", 1001, "printed by the bot")
    assert parley("tail", "--json") == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["function"], first["message_id"]) == ("feishu", "om_1")
    assert second == {"at": 1001, "function": "processor", "message": "printed by the bot"}
