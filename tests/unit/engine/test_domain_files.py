"""Domain files: content is served unchanged, SSM is read rarely, and other names get 404."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from parley.engine import domain_files
from parley.engine.aws import ssm
from parley.engine.domain_files import DomainFiles
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
FILE, OTHER_FILE = "owner_a1B2c3D4.txt", "owner_e5F6g7H8.txt"


def put(name: str, content: str, kind: Any = "String") -> None:
    ssm().put_parameter(Name=f"/parley/unit/{name}", Value=content, Type=kind, Overwrite=True)


def get(files: DomainFiles, name: str) -> tuple[int, str]:
    answer = files({"pathParameters": {"file": name}}, None)
    assert answer["headers"] == {"Content-Type": "text/plain", "X-Content-Type-Options": "nosniff"}
    return answer["statusCode"], answer["body"]


@pytest.fixture
def files(clock: Clock) -> DomainFiles:
    return DomainFiles(lambda name: name.startswith("owner_"), clock)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each read of SSM."""
    made: list[int] = []
    original: Callable[[], dict[str, str]] = domain_files._stored

    def read() -> dict[str, str]:
        made.append(1)
        return original()

    monkeypatch.setattr(domain_files, "_stored", read)
    return made


def test_a_file_is_served_unchanged(files: DomainFiles) -> None:
    put(f"domain/{FILE}", "a1B2c3D4e5F6g7H8")
    assert get(files, FILE) == (200, "a1B2c3D4e5F6g7H8")


def test_files_beyond_the_first_page_of_ssm_are_served(files: DomainFiles) -> None:
    names = [f"owner_{number:08d}.txt" for number in range(25)]
    for name in names:
        put(f"domain/{name}", name)
    assert [get(files, name) for name in names] == [(200, name) for name in names]


@pytest.mark.parametrize("name", ["", "index.html", f"../wecom/{FILE}"])
def test_a_rejected_name_is_404_without_a_read_of_ssm(files: DomainFiles, reads: list[int], name: str) -> None:
    put("domain/index.html", "hello")
    assert get(files, name) == (404, "")
    assert reads == []


@pytest.mark.parametrize("event", [{}, {"pathParameters": None}, {"Records": []}])
def test_a_request_without_a_name_is_404(files: DomainFiles, event: dict[str, Any]) -> None:
    assert files(event, None)["statusCode"] == 404


def test_parameters_of_apps_are_not_served(files: DomainFiles) -> None:
    put(f"wecom/{FILE}", "{}", "SecureString")
    put(f"domain/deeper/{FILE}", "deep")
    assert get(files, FILE) == (404, "")


def test_requests_for_unknown_files_read_ssm_once_in_five_seconds(
    files: DomainFiles, reads: list[int], clock: Clock
) -> None:
    for number in range(50):
        assert get(files, f"owner_{number:08d}.txt") == (404, "")
    assert len(reads) == 1
    clock.now += 5.1
    get(files, FILE)
    assert len(reads) == 2


def test_a_new_file_is_served_after_seconds_and_a_changed_one_after_minutes(files: DomainFiles, clock: Clock) -> None:
    assert get(files, FILE) == (404, "")
    put(f"domain/{FILE}", "one")
    clock.now += 5.1
    assert get(files, FILE) == (200, "one")
    put(f"domain/{FILE}", "two")
    assert get(files, FILE) == (200, "one")
    clock.now += 300.1
    assert get(files, FILE) == (200, "two")


def test_while_ssm_fails_a_known_file_is_served_and_an_unknown_file_is_503(
    files: DomainFiles, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(f"domain/{FILE}", "one")
    get(files, FILE)
    clock.now += 301

    def fail() -> dict[str, str]:
        raise EndpointConnectionError(endpoint_url="https://ssm.test")

    monkeypatch.setattr(domain_files, "_stored", fail)
    assert get(files, FILE) == (200, "one")
    assert get(files, OTHER_FILE) == (503, "")
