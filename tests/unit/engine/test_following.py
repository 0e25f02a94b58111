"""One message can be followed: each line of a log about it has its key, on every platform, and none has its text."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from parley.bot import Bot
from parley.engine import telemetry
from parley.engine.batch import run
from parley.engine.repeating import Repeating
from parley.model import message_key
from parley.testing import PLATFORMS, Chat

SECRET = "unloggable"


@contextmanager
def lines() -> Iterator[list[dict[str, Any]]]:
    """The lines of the functions' log as they are printed."""
    found: list[dict[str, Any]] = []
    formatter = telemetry.log.registered_formatter

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(formatter.format(record)))

    handler, level = Handler(), telemetry.log.log_level
    logger = logging.getLogger(telemetry.log.name)
    logger.addHandler(handler)
    logger.setLevel("INFO")
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.mark.parametrize("platform", [*PLATFORMS, "wechat passive"])
def test_every_line_about_a_message_has_its_key_and_none_its_text(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = Bot()

    @bot.command()
    def echo(text: str) -> str:
        return f"you said {text}"

    chat = Chat(bot, platform)
    monkeypatch.setattr(telemetry.log, "setLevel", lambda _level: None)
    with lines() as found:
        chat.say(f"/echo {SECRET}")
    assert SECRET in chat.last.text
    message = chat.received
    assert {"message received", "message decided"} <= {line["message"] for line in found}
    assert {line.get("key") for line in found} == {message_key(message)}, found
    assert len({line["conversation"] for line in found}) == 1
    assert SECRET not in json.dumps(found)


def test_a_line_of_a_callback_has_the_id_of_its_request_in_the_access_log() -> None:
    with lines() as found, telemetry.about({"request": "req-1"}):
        telemetry.log.info("callback rejected")
    telemetry.tell({"key": "left"})
    with lines() as later:
        telemetry.log.info("another")
    assert [line["request"] for line in found] == ["req-1"]
    assert not {"request", "key"} & later[0].keys()


def test_a_line_about_another_thing_keeps_its_own_ids() -> None:
    with lines() as found, telemetry.about({"key": "message"}):
        telemetry.log.info("a", extra={"key": "own"})
        with telemetry.about({"key": "earlier reply"}):
            telemetry.log.info("b")
        telemetry.log.info("c")
    assert [line["key"] for line in found] == ["own", "earlier reply", "message"]


def test_a_failed_record_names_its_message() -> None:
    def fail(_record: Any) -> None:
        telemetry.tell({"key": "the key"})
        raise ValueError(SECRET)

    record = {"messageId": "1", "body": "", "attributes": {"MessageGroupId": "the conversation"}, "receiptHandle": ""}
    with lines() as found, pytest.MonkeyPatch.context() as patch:
        patch.setattr("parley.engine.batch.hide", lambda *_: None)
        run({"Records": [record]}, "", fail)
    assert [(line["message"], line["key"], line["conversation"]) for line in found] == [
        ("record failed", "the key", "the conversation")
    ]


def test_a_step_beside_the_bot_names_the_message() -> None:
    done = Event()

    def step() -> float:
        telemetry.log.info("beside")
        done.set()
        return 60

    with lines() as found, telemetry.about({"key": "the key"}), Repeating((0, step)):
        assert done.wait(10)
    assert found[0]["key"] == "the key"


def test_the_metrics_of_times_and_failures_name_the_message_but_have_no_dimension_for_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with telemetry.about({"key": "the key"}):
        telemetry.message_time(1, "feishu")
        telemetry.count("RepliesFailed", platform="feishu")
        telemetry.count("RepliesSent", platform="feishu")
    time, failed, sent = map(json.loads, capsys.readouterr().out.splitlines())
    assert (time["key"], failed["key"], "key" in sent) == ("the key", "the key", False)
    assert not any("key" in names for names in time["_aws"]["CloudWatchMetrics"][0]["Dimensions"])


def test_every_line_about_a_message_that_fails_has_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = Bot()

    @bot.command()
    def fail() -> str:
        raise ValueError(SECRET)

    chat = Chat(bot)
    monkeypatch.setattr(telemetry.log, "setLevel", lambda _level: None)
    with lines() as found, pytest.raises(ValueError, match=SECRET):
        chat.say("/fail")
    assert {"handler failed", "message moved to the dead-letter queue"} <= {line["message"] for line in found}
    assert {line.get("key") for line in found} == {message_key(chat.received)}
    assert SECRET not in json.dumps(found)
