"""Domain files: served exactly, looked up seldom, and nothing else is served."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from parley.engine import domain
from parley.engine.aws import ssm
from parley.engine.domain import DomainFiles
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
WECOM, WECHAT = "WW_verify_a1B2c3D4e5F6g7H8.txt", "MP_verify_a1B2c3D4e5F6g7H8.txt"


def put(name: str, content: str, kind: Any = "String") -> None:
    ssm().put_parameter(Name=f"/parley/unit/{name}", Value=content, Type=kind, Overwrite=True)


def get(files: DomainFiles, name: str) -> tuple[int, str]:
    answer = files({"pathParameters": {"file": name}}, None)
    assert answer["headers"] == {"Content-Type": "text/plain"}
    return answer["statusCode"], answer["body"]


@pytest.fixture
def files(clock: Clock) -> DomainFiles:
    return DomainFiles(clock)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each reading of SSM."""
    made: list[int] = []
    original: Callable[[], dict[str, str]] = domain._stored

    def read() -> dict[str, str]:
        made.append(1)
        return original()

    monkeypatch.setattr(domain, "_stored", read)
    return made


@pytest.mark.parametrize("name", [WECOM, WECHAT])
def test_a_file_is_served_as_it_was_downloaded(files: DomainFiles, name: str) -> None:
    put(f"domain/{name}", "a1B2c3D4e5F6g7H8")
    assert get(files, name) == (200, "a1B2c3D4e5F6g7H8")


def test_more_files_than_one_page_are_served(files: DomainFiles) -> None:
    names = [f"WW_verify_{number:08d}.txt" for number in range(25)]
    for name in names:
        put(f"domain/{name}", name)
    assert [get(files, name) for name in names] == [(200, name) for name in names]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "index.html",
        "WW_verify_.txt",
        "WW_verify_short.txt",
        f"WW_verify_{'a' * 65}.txt",
        "XX_verify_a1B2c3D4e5F6g7H8.txt",
        f"../wecom/{WECOM}",
        f"{WECOM}\n",
        f"{WECOM}/..",
        "WW_verify_a1B2c3D4_5F6g7H8.txt",
    ],
)
def test_no_other_name_is_looked_up(files: DomainFiles, reads: list[int], name: str) -> None:
    put("domain/index.html", "hello")
    assert get(files, name) == (404, "")
    assert reads == []


@pytest.mark.parametrize("event", [{}, {"pathParameters": None}, {"Records": []}])
def test_a_request_without_a_name_is_404(files: DomainFiles, event: dict[str, Any]) -> None:
    assert files(event, None)["statusCode"] == 404


def test_an_apps_secrets_are_not_among_the_files(files: DomainFiles) -> None:
    put(f"wecom/{WECOM}", "{}", "SecureString")
    put(f"domain/deeper/{WECOM}", "deep")
    assert get(files, WECOM) == (404, "")


def test_guessing_names_costs_one_reading_in_five_seconds(files: DomainFiles, reads: list[int], clock: Clock) -> None:
    for number in range(50):
        assert get(files, f"WW_verify_{number:08d}.txt") == (404, "")
    assert len(reads) == 1
    clock.now += 5.1
    get(files, WECOM)
    assert len(reads) == 2


def test_a_new_file_is_there_after_seconds_and_a_changed_one_after_minutes(files: DomainFiles, clock: Clock) -> None:
    assert get(files, WECOM) == (404, "")
    put(f"domain/{WECOM}", "one")
    clock.now += 5.1
    assert get(files, WECOM) == (200, "one")
    put(f"domain/{WECOM}", "two")
    assert get(files, WECOM) == (200, "one")
    clock.now += 300.1
    assert get(files, WECOM) == (200, "two")


def test_while_ssm_fails_a_known_file_is_served_and_another_is_not_denied(
    files: DomainFiles, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(f"domain/{WECOM}", "one")
    get(files, WECOM)
    clock.now += 301

    def fail() -> dict[str, str]:
        raise EndpointConnectionError(endpoint_url="https://ssm.test")

    monkeypatch.setattr(domain, "_stored", fail)
    assert get(files, WECOM) == (200, "one")
    assert get(files, WECHAT) == (503, "")
