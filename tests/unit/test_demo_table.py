"""`make demo` tells the truth: a row for each case, a sum, and an exit status that says the same."""

import httpx
import pytest

from tools.demo import __main__ as demo
from tools.demo.case import Case, Result, Seen
from tools.demo.table import Table
from tools.demo.world import Answer, Unanswered, World

STACK = {"apps": {"feishu": {"demo": {}}}, "playground": "http://127.0.0.1:1"}


def saying(words: str) -> Case:
    return Case("hello", "200", lambda _world: Seen(words, 0.0123))


def raising(error: Exception) -> Case:
    def run(_world: World) -> Seen:
        raise error

    return Case("hello", "200", run)


def run(monkeypatch: pytest.MonkeyPatch, *cases: Case) -> int:
    monkeypatch.setattr(demo, "PLATFORMS", {"feishu": cases})
    return demo.demonstrate(STACK)


def test_when_all_is_as_expected_it_succeeds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert run(monkeypatch, saying("200"), saying("200")) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "demo: 2 ok, 0 failed"


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (saying("500"), "500"),
        (raising(Unanswered("0 answers, not 1 after 30 s")), "0 answers"),
        (raising(httpx.ConnectError("refused")), "refused"),
    ],
)
def test_whatever_else_comes_is_shown_and_fails(
    case: Case, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert run(monkeypatch, saying("200"), case) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "demo: 1 ok, 1 failed"
    assert any(line.startswith("FAIL") and told in line for line in lines)


def test_a_stack_without_any_case_is_no_success(monkeypatch: pytest.MonkeyPatch):
    assert run(monkeypatch) == 1


def test_columns_are_aligned_by_what_a_terminal_shows():
    cases = [Case("早上好", "一", lambda _world: Seen("", 0)), Case("morning", "one", lambda _world: Seen("", 0))]
    table = Table(cases)
    rows = [table.row(Result(case, case.expected, 1)) for case in cases]
    assert rows == ["ok    早上好   一   一        1", "ok    morning  one  one       1"]


@pytest.mark.parametrize(
    ("body", "words"),
    [(b'{"error":"forged"}', "401 forged"), (b'{"msg":1}', "401"), (b"[]", "401"), (b"<html>", "401")],
)
def test_an_answer_is_told_by_its_status_and_code(body: bytes, words: str):
    assert Answer(401, body, 0).words == words
