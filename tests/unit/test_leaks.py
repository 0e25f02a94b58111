"""The search for private texts in logs finds them, and takes no word of Parley's own lines for one."""

import json

import pytest

from tests.leaks import leaks

LINE = json.dumps(
    {"level": "INFO", "message": "message decided, once", "attempt": 1, "error": {"text": "你好, Parley"}}
)


@pytest.mark.parametrize("private", ["你好, Parley", "message decided"])
def test_a_long_text_is_found_within_a_value(private: str) -> None:
    assert leaks([LINE], [private]) == [(private, LINE)]


@pytest.mark.parametrize("line", [LINE.replace("message decided, once", "once"), '["once"]', "once\n", '{"once": 1}'])
def test_a_short_text_is_found_as_a_value(line: str) -> None:
    assert leaks([line], ["once"]) == [("once", line)]


@pytest.mark.parametrize("private", ["once", "1", "", "another text"])
def test_other_texts_are_not_found(private: str) -> None:
    assert leaks([LINE, "message decided, once"], [private]) == []
