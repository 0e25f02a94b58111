"""App configuration: cached, read again when it may have changed, and read within SSM's quota."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from parley.engine import apps as module
from parley.engine.apps import Apps, AppsUnavailableError, UnknownAppError
from parley.engine.aws import ssm
from parley.engine.callback import Callback
from parley.platforms import inbound
from tests.unit.conftest import Clock

pytestmark = pytest.mark.usefixtures("aws")
CONFIG = {"app_id": "cli_a", "app_secret": "s3cret", "verification_token": "v1"}


def put(name: str = "demo", **changes: Any) -> None:
    ssm().put_parameter(
        Name=f"/parley/unit/feishu/{name}",
        Value=msgspec.json.encode(CONFIG | changes).decode(),
        Type="SecureString",
        Overwrite=True,
    )


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were read from SSM."""
    names: list[str] = []
    fetch = module._fetch

    def counted(requests: Any, platform: str, name: str) -> str | None:
        names.append(name)
        return fetch(requests, platform, name)

    monkeypatch.setattr(module, "_fetch", counted)
    return names


def test_an_app_is_read_once_and_then_cached(clock: Clock, reads: list[str]) -> None:
    put()
    apps = Apps(clock)
    assert apps.get("feishu", "demo").config.app_id == "cli_a"
    clock.now += 200
    apps.get("feishu", "demo")
    assert reads == ["demo"]
    clock.now += 200
    apps.get("feishu", "demo")
    assert reads == ["demo", "demo"]


def test_one_platform_can_have_several_apps(clock: Clock) -> None:
    put("one", app_id="cli_1")
    put("two", app_id="cli_2")
    apps = Apps(clock)
    assert [apps.get("feishu", name).config.app_id for name in ("one", "two", "one")] == ["cli_1", "cli_2", "cli_1"]


def test_a_new_app_is_found_after_a_second(clock: Clock) -> None:
    apps = Apps(clock)
    with pytest.raises(UnknownAppError):
        apps.get("feishu", "demo")
    put()
    clock.now += 1.1
    assert apps.get("feishu", "demo").name == "demo"


def test_a_changed_configuration_is_read_after_a_rejected_signature(clock: Clock) -> None:
    put()
    apps = Apps(clock)
    app = apps.get("feishu", "demo")
    put(verification_token="v2")
    clock.now += 6
    changed = apps.reread(app)
    assert changed is not None
    assert changed.config.verification_token == "v2"
    assert apps.get("feishu", "demo").config.verification_token == "v2"


def test_each_of_several_callers_gets_a_changed_configuration(clock: Clock) -> None:
    """The shards of a connector keep their app for days, and share what is read."""
    put()
    apps = Apps(clock)
    first = second = apps.get("feishu", "demo")
    put(verification_token="v2")
    clock.now += 6
    for late, app in enumerate((first, second)):
        clock.now += late
        changed = apps.reread(app)
        assert changed is not None
        assert changed.config.verification_token == "v2"
    assert apps.reread(apps.get("feishu", "demo")) is None


def test_reread_returns_none_for_an_unchanged_configuration(clock: Clock) -> None:
    put()
    apps = Apps(clock)
    app = apps.get("feishu", "demo")
    clock.now += 6
    assert apps.reread(app) is None


def test_forged_callbacks_cause_at_most_one_read_in_five_seconds(clock: Clock, reads: list[str]) -> None:
    put()
    apps = Apps(clock)
    app = apps.get("feishu", "demo")
    for _ in range(100):
        clock.now += 0.1
        apps.reread(app)
    assert len(reads) <= 1 + 10 / 5


def test_made_up_names_do_not_exhaust_the_read_quota(clock: Clock, reads: list[str]) -> None:
    put()
    apps = Apps(clock)
    apps.get("feishu", "demo")
    refused = 0
    for number in range(100):
        with pytest.raises((UnknownAppError, AppsUnavailableError)) as raised:
            apps.get("feishu", f"made-up-{number}")
        refused += raised.type is AppsUnavailableError
    assert refused >= 85
    assert len(reads) <= 4
    assert apps.get("feishu", "demo").name == "demo"
    clock.now += 60
    put("new")
    assert apps.get("feishu", "new").name == "new"


def test_a_new_process_finds_existing_apps_after_many_made_up_names(clock: Clock, reads: list[str]) -> None:
    names = [f"real-{number}" for number in range(25)]
    for name in names:
        put(name)
    apps = Apps(clock)
    for number in range(100):
        with pytest.raises((UnknownAppError, AppsUnavailableError)):
            apps.get("feishu", f"made-up-{number}")
    assert [apps.get("feishu", name).name for name in names] == names
    assert len(reads) <= 3 + len(names)


def test_an_app_with_an_invalid_configuration_does_not_exhaust_the_read_quota(clock: Clock, reads: list[str]) -> None:
    put("broken", app_secret=["s3cret"])
    apps = Apps(clock)
    for _ in range(100):
        clock.now += 0.05
        with pytest.raises(AppsUnavailableError):
            apps.get("feishu", "broken")
    assert len(reads) <= 2 + 5 + 1


def test_the_names_of_apps_are_listed_at_most_once_in_ten_seconds(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested: list[float] = []

    def names(*_: Any) -> set[str]:
        requested.append(clock.now)
        return set()

    monkeypatch.setattr(module, "_names", names)
    apps = Apps(clock)
    for number in range(200):
        clock.now += 0.1
        with pytest.raises((UnknownAppError, AppsUnavailableError)):
            apps.get("feishu", f"made-up-{number}")
    assert 1 <= len(requested) <= 2


def test_reads_are_limited_even_if_ssm_denies_the_list_of_apps(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    class Denied:
        def get_parameter(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": ""}}, "GetParameter")

        def get_parameters_by_path(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "GetParametersByPath")

    monkeypatch.setattr(module, "ssm", Denied)
    apps = Apps(clock)
    for number in range(2):
        with pytest.raises(UnknownAppError):
            apps.get("feishu", f"made-up-{number}")
    with pytest.raises(AppsUnavailableError, match="too many"):
        apps.get("feishu", "demo")


@pytest.mark.parametrize("name", ["", "../prod/feishu/x", "a/b", "-x", "x" * 65, "名", "a b"])
def test_an_invalid_app_name_is_not_sent_to_ssm(clock: Clock, reads: list[str], name: str) -> None:
    with pytest.raises(UnknownAppError):
        Apps(clock).get("feishu", name)
    assert reads == []


def test_the_log_of_an_invalid_configuration_has_the_field_without_its_value(clock: Clock, logged: Any) -> None:
    put(app_secret=["s3cret"])
    with pytest.raises(AppsUnavailableError, match="not valid"):
        Apps(clock).get("feishu", "demo")
    assert "app_secret" in logged()
    assert "s3cret" not in logged()


@pytest.mark.parametrize("block", ["203.0.113.0/33", "203.0.113.7/24", "203.0.113.*", "example.com", ""])
def test_an_address_that_callbacks_cannot_come_from_is_an_error_of_the_configuration(
    clock: Clock, logged: Any, block: str
) -> None:
    put(callback_ips=["198.51.100.1", block])
    with pytest.raises(AppsUnavailableError, match="not valid"):
        Apps(clock).get("feishu", "demo")
    assert "callback_ips[1]" in logged()


def test_a_cached_configuration_is_used_while_ssm_is_unavailable(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    put()
    apps = Apps(clock)
    apps.get("feishu", "demo")

    def unavailable(*_: Any) -> str:
        raise AppsUnavailableError("SSM: InternalServerError")

    monkeypatch.setattr(module, "_fetch", unavailable)
    clock.now += 1000
    assert apps.get("feishu", "demo").name == "demo"
    with pytest.raises(AppsUnavailableError):
        Apps(clock).get("feishu", "demo")


def test_an_unavailable_ssm_is_requested_at_most_once_in_five_seconds(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    apps = Apps(clock)
    app = apps.get("feishu", "demo")
    requested: list[float] = []

    def unavailable(*_: Any) -> str:
        requested.append(clock.now)
        raise AppsUnavailableError("SSM: ThrottlingException")

    monkeypatch.setattr(module, "_fetch", unavailable)
    clock.now += 1000
    for _ in range(100):
        clock.now += 0.1
        assert apps.get("feishu", "demo").config == app.config
        assert apps.reread(app) is None
    assert 1 <= len(requested) <= 1 + 10 / 5


def test_an_app_keeps_its_cached_configuration_if_the_new_one_is_invalid(clock: Clock, logged: Any) -> None:
    put()
    apps = Apps(clock)
    apps.get("feishu", "demo")
    put(app_secret=["s3cret"])
    clock.now += 301
    assert apps.get("feishu", "demo").config.app_secret == "s3cret"
    assert "configuration is not valid" in logged()
    put(app_secret="corrected")
    clock.now += 6
    assert apps.get("feishu", "demo").config.app_secret == "corrected"


def test_the_slowest_request_to_ssm_takes_as_long_as_its_timeouts() -> None:
    config: Any = ssm().meta.config
    assert config.retries["total_max_attempts"] == 1
    assert config.connect_timeout + config.read_timeout == pytest.approx(module._SSM_REQUEST)


class SlowSsm:
    """An SSM whose requests take `seconds`, and fail if that is longer than the client waits."""

    def __init__(self, clock: Clock, seconds: float, *, name: str = "", pages: int = 1) -> None:
        self.clock, self.seconds, self.name, self.pages = clock, seconds, name, pages
        self.requests: list[str] = []

    def __call__(self) -> "SlowSsm":
        return self

    def request(self, operation: str) -> None:
        self.requests.append(operation)
        self.clock.now += min(self.seconds, module._SSM_REQUEST)
        if self.seconds > module._SSM_REQUEST:
            raise ReadTimeoutError(endpoint_url="https://ssm")

    def get_parameter(self, Name: str, **_: Any) -> Any:  # noqa: N803
        self.request("read")
        if not Name.endswith(f"/{self.name}"):
            raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": ""}}, "GetParameter")
        return {"Parameter": {"Value": msgspec.json.encode(CONFIG).decode()}}

    def get_parameters_by_path(self, NextToken: str = "1", **_: Any) -> Any:  # noqa: N803
        self.request("list")
        page = int(NextToken)
        following = {"NextToken": str(page + 1)} if page < self.pages else {}
        return {"Parameters": [{"Name": f"/parley/unit/feishu/{self.name}"}], **following}


@pytest.mark.parametrize("pages", [1, 3, 100])
@pytest.mark.parametrize("seconds", [0.01, 0.5, 0.9, 1.2, 1.29, 100])
@pytest.mark.parametrize("unknown", [0, 2])
def test_a_callback_with_a_slow_ssm_is_answered_within_three_seconds(
    unknown: int, seconds: float, pages: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if made-up names have used up the reads, so that the existing names are listed before the app is read."""
    slow = SlowSsm(clock, 0, name="demo", pages=pages)
    monkeypatch.setattr(module, "ssm", slow)
    apps = Apps(clock)
    for number in range(unknown):
        with pytest.raises(UnknownAppError):
            apps.get("feishu", f"made-up-{number}")
    slow.seconds, started = seconds, clock.now
    callback = Callback("feishu", inbound("feishu"), apps, clock)
    status = callback({"pathParameters": {"app": "demo"}, "body": "{}"}, None)["statusCode"]
    assert clock.now - started <= module._SSM_BUDGET < 3
    assert status == 503 or seconds < module._SSM_REQUEST
    if seconds == 0.01 and pages < 100:
        assert status != 503


@pytest.mark.parametrize(
    ("seconds", "requests"), [(0.01, ["read"]), (100, ["read", "read"])], ids=["answered", "timed out"]
)
def test_a_request_that_times_out_is_made_twice(
    seconds: float, requests: list[str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowSsm(clock, seconds, name="demo")
    monkeypatch.setattr(module, "ssm", slow)
    with suppress(AppsUnavailableError):
        Apps(clock).get("feishu", "demo")
    assert slow.requests == requests


def test_a_second_try_comes_at_a_time_by_chance(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSM answers forty reads a second. Processes that start together would be refused together again."""
    slept: list[float] = []
    answers = [ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "GetParameter")] * 9
    for _ in range(9):
        slow = SlowSsm(clock, 0, name="demo")
        refused = [answers.pop()]

        def request(_operation: str, refused: list[ClientError] = refused) -> None:
            if refused:
                raise refused.pop()

        monkeypatch.setattr(slow, "request", request)
        monkeypatch.setattr(module, "ssm", slow)
        assert Apps(clock, slept.append).get("feishu", "demo").name == "demo"
    assert len(set(slept)) == 9
    assert all(0 < seconds <= 0.2 for seconds in slept)


def test_the_error_says_for_how_long_the_app_is_unavailable(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowSsm(clock, 100, name="demo")
    monkeypatch.setattr(module, "ssm", slow)
    apps = Apps(clock)

    def failing_for() -> float:
        with pytest.raises(AppsUnavailableError) as raised:
            apps.get("feishu", "demo")
        return raised.value.failing_for

    assert failing_for() == 0
    clock.now += 100
    assert failing_for() == pytest.approx(102.6)
    slow.seconds = 0
    apps.get("feishu", "demo")
    apps._entries.clear()
    slow.seconds = 100
    assert failing_for() == 0


def test_an_ssm_error_is_not_reported_as_an_unknown_app(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    class Throttled:
        def get_parameter(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "GetParameter")

    monkeypatch.setattr(module, "ssm", Throttled)
    with pytest.raises(AppsUnavailableError, match="ThrottlingException"):
        Apps(clock).get("feishu", "demo")
