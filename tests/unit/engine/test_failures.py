"""The failure of a handler names the bot's own line, and its traceback shows no values."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from parley.bot.coroutines import finished
from parley.bot.settings import SettingsError
from parley.bot.values import check_json
from parley.engine.deadline import DeadlineExceededError, deadline
from parley.engine.failures import place_of, reason_of, traceback_of
from parley.errors import ResultError

CODE = """
import asyncio, json, time
import httpx

def of_the_standard_library():
    json.loads("{secret")

def of_a_package():
    httpx.Client(transport=httpx.MockTransport(lambda _: 1 / 0)).get("http://secret.test")

def of_its_own():
    secret = "secret-value"
    return {}[secret]

def chained():
    try:
        of_its_own()
    except KeyError as error:
        raise ValueError("secret") from error

async def waits():
    secret = "secret-value"
    await inner()

async def inner():
    async with asyncio.timeout(60):
        await asyncio.sleep(60)

async def waits_for_several():
    await asyncio.gather(asyncio.sleep(60), waits())

async def waits_for_a_package():
    transport = httpx.MockTransport(hangs)
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get("http://secret.test")

async def hangs(request):
    await asyncio.Event().wait()

async def waits_for_a_thread():
    await asyncio.to_thread(time.sleep, 1.5)

async def refuses_to_be_cancelled():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue

async def computes():
    while True:
        pass

def endless():
    try:
        raise ValueError("secret")
    except ValueError as error:
        error.__cause__ = error
        raise
"""


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module of a team's bot."""
    (tmp_path / "helpdesk.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("helpdesk")
    sys.modules.pop("helpdesk")


def raised(function: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # each test has its own
        function()
    return caught.value


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("of_the_standard_library", "JSONDecodeError at helpdesk.py:6"),
        ("of_a_package", "ZeroDivisionError at helpdesk.py:9"),
        ("of_its_own", "KeyError at helpdesk.py:13"),
        ("chained", "ValueError at helpdesk.py:19"),
    ],
)
def test_the_reason_names_the_innermost_line_of_the_bot(team: ModuleType, name: str, reason: str) -> None:
    assert reason_of(raised(getattr(team, name))) == reason


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("waits", "await asyncio.sleep(60)"),
        ("waits_for_several", "await asyncio.gather(asyncio.sleep(60), waits())"),
        ("waits_for_a_package", "await asyncio.Event().wait()"),
        ("waits_for_a_thread", "await asyncio.to_thread(time.sleep, 1.5)"),
        ("refuses_to_be_cancelled", "await asyncio.sleep(60)"),
        ("computes", "while True:|pass"),
    ],
)
def test_a_coroutine_that_is_interrupted_names_the_line_at_which_it_waits(
    team: ModuleType, name: str, line: str
) -> None:
    with pytest.raises(DeadlineExceededError) as caught, deadline(0.05):
        finished(getattr(team, name)())
    file, _, number = place_of(caught.value, "handler").partition(":")
    assert file == "helpdesk.py"
    assert CODE.splitlines()[int(number) - 1].strip() in line.split("|")
    shown = traceback_of(caught.value)
    assert f'  File "helpdesk.py", line {number}, in ' in shown
    assert "secret-value" not in shown.replace('secret = "secret-value"', "")


def test_an_error_outside_of_the_bot_has_the_line_where_it_arose() -> None:
    assert place_of(ValueError()) == "an unknown place"


def test_a_traceback_begins_at_the_bots_code_and_shows_no_text_of_an_exception(team: ModuleType) -> None:
    shown = traceback_of(raised(team.chained))
    lines = shown.splitlines()
    assert lines[0] == '  File "helpdesk.py", line 17, in chained'
    assert [line for line in lines if not line.startswith(" ")] == ["KeyError", "ValueError"]
    assert "secret-value" not in shown.replace('secret = "secret-value"', "")


def test_the_texts_of_exceptions_are_shown_if_the_setting_says_so(
    team: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_EXCEPTION_TEXT", "true")
    error = raised(team.chained)
    assert reason_of(error) == "ValueError at helpdesk.py:19: secret"
    assert traceback_of(error).endswith("ValueError: secret")


def test_the_keys_of_values_are_shown_as_the_texts_of_exceptions_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key may hold the text of a person."""
    key = "sec" + "ret"  # the traceback shows the lines of the code
    with pytest.raises(ResultError) as error:
        check_json({key: {1}}, "state")
    for show in (reason_of, traceback_of):
        assert "secret" not in show(error.value)
    monkeypatch.setenv("PARLEY_EXCEPTION_TEXT", "true")
    for show in (reason_of, traceback_of):
        assert show(error.value).endswith("state has a value of type set, which JSON has not, at state['secret']")


def test_a_mistake_that_is_for_the_author_is_shown_in_full() -> None:
    error = ResultError("90 replies")
    assert (reason_of(error), reason_of(error, "order, bot.py:12")) == (
        "90 replies",
        "90 replies (in order, bot.py:12)",
    )
    assert traceback_of(error) == "ResultError: 90 replies"
    assert reason_of(SettingsError("no api_key"), "order, bot.py:12") == "no api_key (at order, bot.py:12)"


def test_an_error_without_a_line_of_the_bot_names_the_handler() -> None:
    assert reason_of(ValueError(), "order, bot.py:12") == "ValueError at order, bot.py:12"


def test_an_exception_that_causes_itself_ends(team: ModuleType) -> None:
    assert traceback_of(raised(team.endless)).count("ValueError") == 2
