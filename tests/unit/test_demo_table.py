"""`make demo` prints a row for each case and a sum, and its exit status is 0 only if all cases pass."""

import httpx
import pytest

from tools.demo import __main__ as demo
from tools.demo import cases
from tools.demo.case import Case, Outcome, Result
from tools.demo.client import CallbackResponse, NoReplyError, PlatformClient
from tools.demo.table import Table

STACK = {"apps": {"feishu": {"demo": {}}}, "playground": "http://127.0.0.1:1"}


def with_outcome(text: str) -> Case:
    return Case("hello", "200", lambda _client: Outcome(text, 0.0123))


def raising(error: Exception) -> Case:
    def run(_client: PlatformClient) -> Outcome:
        raise error

    return Case("hello", "200", run)


def run(monkeypatch: pytest.MonkeyPatch, *chosen: Case) -> int:
    monkeypatch.setattr(cases, "PLATFORMS", {"feishu": chosen})
    return demo.demonstrate(STACK)


def test_it_succeeds_if_all_cases_pass(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert run(monkeypatch, with_outcome("200"), with_outcome("200")) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "demo: 2 ok, 0 failed"


@pytest.mark.parametrize(
    ("case", "shown"),
    [
        (with_outcome("500"), "500"),
        (raising(NoReplyError("0 replies, not 1 after 30 s")), "0 replies"),
        (raising(httpx.ConnectError("refused")), "refused"),
    ],
)
def test_an_unexpected_outcome_is_printed_and_fails(
    case: Case, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert run(monkeypatch, with_outcome("200"), case) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "demo: 1 ok, 1 failed"
    assert any(line.startswith("FAIL") and shown in line for line in lines)


def test_a_run_without_cases_fails(monkeypatch: pytest.MonkeyPatch):
    assert run(monkeypatch) == 1


def test_columns_are_aligned_in_a_terminal():
    both = [Case(sent, expected, lambda _: Outcome("", 0)) for sent, expected in (("早上好", "一"), ("morning", "one"))]
    table = Table(both)
    rows = [table.row(Result(case, case.expected, 1)) for case in both]
    assert rows == ["ok    早上好   一   一        1", "ok    morning  one  one       1"]


@pytest.mark.parametrize(
    ("body", "text"),
    [(b'{"error":"forged"}', "401 forged"), (b'{"msg":1}', "401"), (b"[]", "401"), (b"<html>", "401")],
)
def test_a_response_is_printed_as_its_status_and_error_code(body: bytes, text: str):
    assert CallbackResponse(401, body, 0).text == text
