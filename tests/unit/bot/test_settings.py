"""The settings of a bot: where they come from, how long they are kept, and that no message shows a value."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import boto3
import msgspec
import pytest
from moto import mock_aws

from parley.bot import Secret, Settings, SettingsError, settings
from parley.engine import aws, parameter


class Model(Settings):
    api_key: Secret
    limit: Annotated[int, msgspec.Meta(ge=1)] = 10
    loud: bool = False
    mode: Literal["fast", "good"] = "good"
    rooms: list[str] = msgspec.field(default_factory=list[str])


class Optional(Settings):
    greeting: str = "Hello"


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_cache", {})


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A process that is not a function; the model is defined in a module in the returned folder."""
    monkeypatch.delenv("PARLEY_STAGE")
    monkeypatch.setattr(sys.modules[__name__], "__file__", str(tmp_path / "settings.py"))
    return tmp_path


@pytest.fixture
def store() -> Iterator[Callable[..., None]]:
    """Stores settings in SSM."""
    with mock_aws():
        aws.ssm.cache_clear()
        client = boto3.client("ssm")

        def put(**values: Any) -> None:
            put_raw(json.dumps(values))

        def put_raw(raw: str) -> None:
            client.put_parameter(Name="/parley/unit/bot", Value=raw, Type="SecureString", Overwrite=True)

        put.raw = put_raw  # type: ignore[attr-defined]
        yield put
    aws.ssm.cache_clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_800_000_000.0]
    monkeypatch.setattr(settings.time, "time", lambda: now[0])
    return now


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parameters that are read."""
    made: list[str] = []
    original = parameter.read
    monkeypatch.setattr(parameter, "read", lambda path: made.append(path) or original(path))
    return made


def test_a_function_reads_the_parameter_of_its_stage(store: Callable[..., None], reads: list[str]) -> None:
    store(api_key="k-1", limit=3, rooms=["a"])
    found = Model.load()
    assert (found.api_key.reveal(), found.limit, found.rooms, found.loud) == ("k-1", 3, ["a"], False)
    assert reads == ["/parley/unit/bot"]


def test_a_bot_that_never_loads_settings_makes_no_call(reads: list[str]) -> None:
    assert issubclass(Model, Settings)
    assert reads == []


def test_settings_are_read_again_after_five_minutes(
    store: Callable[..., None], clock: list[float], reads: list[str]
) -> None:
    store(api_key="old")
    Model.load()
    store(api_key="new")
    clock[0] += 300
    assert Model.load().api_key == Secret("old")
    clock[0] += 1
    assert Model.load().api_key == Secret("new")
    assert len(reads) == 2


@pytest.mark.parametrize("broken", ["{", '{"api_key": 7}', "outage"])
def test_settings_that_were_read_stay_in_use_while_ssm_fails_or_holds_nonsense(
    store: Callable[..., None], clock: list[float], reads: list[str], broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(api_key="good")
    Model.load()
    clock[0] += 301
    if broken == "outage":
        monkeypatch.setattr(parameter, "read", lambda path: reads.append(path) or refuse())
    else:
        store.raw(broken)  # type: ignore[attr-defined]
    assert [Model.load().api_key.reveal() for _ in range(3)] == ["good"] * 3
    assert len(reads) == 2
    clock[0] += 6
    Model.load()
    assert len(reads) == 3


def refuse() -> None:
    raise parameter.ParameterError("ThrottlingException")


def test_a_request_that_fails_is_made_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ssm:
        def __init__(self, *answers: Any) -> None:
            self.answers = list(answers)

        def get_parameter(self, **_: Any) -> Any:
            answer = self.answers.pop(0)
            if isinstance(answer, dict):
                return answer
            raise aws.ClientError({"Error": {"Code": answer}}, "GetParameter")

    def answer_with(*answers: Any) -> Ssm:
        found = Ssm(*answers)
        monkeypatch.setattr(parameter, "ssm", lambda: found)
        return found

    answer_with("ThrottlingException", {"Parameter": {"Value": "v"}})
    assert parameter.read("/p") == "v"
    answer_with("InternalServerError", "ThrottlingException")
    with pytest.raises(parameter.ParameterError, match=r"^ThrottlingException$"):
        parameter.read("/p")
    left = answer_with("AccessDeniedException", {})
    with pytest.raises(parameter.ParameterError, match="AccessDenied"):
        parameter.read("/p")
    assert left.answers == [{}]


def test_the_error_of_ssm_is_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameter, "read", lambda _path: refuse())
    with pytest.raises(SettingsError, match=r"^SSM parameter /parley/unit/bot: ThrottlingException$"):
        Model.load()


def test_without_the_parameter_the_defaults_hold_and_a_required_setting_is_an_error(
    store: Callable[..., None],
) -> None:
    assert Optional.load().greeting == "Hello"
    with pytest.raises(SettingsError, match=r"which does not exist: Object missing required field `api_key`"):
        Model.load()


def test_values_of_ssm_have_the_type_of_the_field(store: Callable[..., None]) -> None:
    store(api_key="k", limit="3")
    with pytest.raises(SettingsError, match=r"/parley/unit/bot: Expected `int`, got `str` - at `\$.limit`"):
        Model.load()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"api_key": "k", "mode": "hunter2"}, "mode"),
        ({"api_key": "k", "mode": "hunter2' - at `$.x`\n"}, "mode"),
        ({"api_key": ["hunter2"]}, "api_key"),
        ({"api_key": "k", "limit": "hunter2"}, "limit"),
        ({"api_key": "k", "rooms": {"hunter2": 1}}, "rooms"),
    ],
)
def test_an_error_names_the_field_and_never_the_value(store: Callable[..., None], values: Any, field: str) -> None:
    store(**values)
    with pytest.raises(SettingsError) as raised:
        Model.load()
    assert f"`$.{field}`" in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("raw", ["hunter2", '["hunter2"]', '{"api_key": hunter2}'])
def test_a_parameter_that_is_no_json_object_is_an_error_without_its_content(
    store: Callable[..., None], raw: str
) -> None:
    store.raw(raw)  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match=r"SSM parameter /parley/unit/bot: ") as raised:
        Model.load()
    assert "hunter2" not in str(raised.value)


def test_a_secret_is_not_shown() -> None:
    found = Model(api_key=Secret("hunter2"))
    shown = [
        repr(found),
        str(found.api_key),
        f"{found.api_key}",
        found.api_key.__format__(""),
        json.dumps(found, default=str),
    ]
    assert "hunter2" not in "".join(shown)
    assert "Secret('***')" in repr(found)
    with pytest.raises(TypeError):
        json.dumps(found.api_key)


def test_settings_cannot_be_changed() -> None:
    found = Optional(greeting="Hi")
    with pytest.raises(AttributeError):
        found.greeting = "Ho"  # type: ignore[misc]


def test_secrets_are_equal_if_their_texts_are() -> None:
    assert {Secret("a"), Secret("a"), Secret("b")} == {Secret("a"), Secret("b")}
    assert Secret("a") != "a"


def test_outside_a_function_settings_come_from_the_environment(
    outside: Path, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    for name, value in {"API_KEY": "k-2", "LIMIT": "4", "LOUD": "true"}.items():
        monkeypatch.setenv(f"PARLEY_SETTING_{name}", value)
    found = Model.load()
    assert (found.api_key, found.limit, found.loud) == (Secret("k-2"), 4, True)
    monkeypatch.setenv("PARLEY_SETTING_LIMIT", "5")
    assert Model.load().limit == 5
    assert reads == []


class Place(msgspec.Struct):
    room: str
    floor: int = 0


class Nested(Settings):
    rooms: list[str] = msgspec.field(default_factory=list[str])
    prices: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    pair: tuple[int, int] = (0, 0)
    tags: Annotated[frozenset[str], msgspec.Meta(max_length=2)] = frozenset()
    place: Place | None = None
    keys: list[Secret] = msgspec.field(default_factory=list[Secret])
    either: str | list[str] = ""
    text: str = ""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("rooms", '["a", "b"]', ["a", "b"]),
        ("rooms", "[]", []),
        ("prices", '{"tea": 3}', {"tea": 3}),
        ("pair", "[1, 2]", (1, 2)),
        ("tags", '["x"]', frozenset({"x"})),
        ("place", '{"room": "a", "floor": 2}', Place("a", 2)),
        ("place", "null", None),
        ("keys", '["k"]', [Secret("k")]),
        ("either", '["a"]', ["a"]),
        ("either", "a [b", "a [b"),
        ("either", "7", "7"),
        ("text", '["a"]', '["a"]'),
        ("text", "7", "7"),
    ],
)
def test_lists_and_objects_are_json_in_the_environment(
    outside: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: Any
) -> None:
    monkeypatch.setenv(f"PARLEY_SETTING_{name.upper()}", value)
    assert getattr(Nested.load(), name) == expected


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "rooms",
            "hunter2,b",
            "the environment variable PARLEY_SETTING_ROOMS is not JSON, as a list or an object has to be",
        ),
        ("place", "", "the environment variable PARLEY_SETTING_PLACE is not JSON, as a list or an object has to be"),
        ("rooms", '{"hunter2": 1}', "Expected `array`, got `object` - at `$.rooms`"),
        ("prices", '{"tea": "hunter2"}', "Expected `int`, got `str` - at `$.prices[...]`"),
        ("tags", '["hunter2", "b", "c"]', "Expected `array` of length <= 2 - at `$.tags`"),
    ],
)
def test_an_environment_variable_that_does_not_fit_is_an_error_without_its_value(
    outside: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(f"PARLEY_SETTING_{name.upper()}", value)
    with pytest.raises(SettingsError) as raised:
        Nested.load()
    assert str(raised.value).endswith(reason)
    assert "hunter2" not in str(raised.value)


def test_a_test_passes_settings_of_its_own(monkeypatch: pytest.MonkeyPatch, reads: list[str]) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Model, "load", lambda: Model(api_key=Secret("mine"), rooms=["a"]))
        assert (Model.load().api_key, Model.load().rooms) == (Secret("mine"), ["a"])
    assert Model.load.__func__ is Settings.load.__func__  # type: ignore[attr-defined]
    assert reads == []


def test_the_environment_precedes_the_file_beside_the_module(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (outside / "settings.local.json").write_text('{"api_key": "file", "limit": 2, "rooms": ["a"]}')
    monkeypatch.setenv("PARLEY_SETTING_LIMIT", "7")
    found = Model.load()
    assert (found.api_key.reveal(), found.limit, found.rooms) == ("file", 7, ["a"])


def test_outside_a_function_a_missing_setting_names_both_sources(outside: Path) -> None:
    expected = r"settings\.local\.json and the environment variables PARLEY_SETTING_\*: .*`api_key`"
    with pytest.raises(SettingsError, match=expected):
        Model.load()
    (outside / "settings.local.json").write_text("[1]")
    with pytest.raises(SettingsError, match=r"^settings\.local\.json: Expected `object`"):
        Model.load()


def test_a_type_that_json_cannot_hold_is_an_error_of_the_model(outside: Path) -> None:
    class Strange(Settings):
        value: Path

    (outside / "settings.local.json").write_text('{"value": "x"}')
    with pytest.raises(NotImplementedError, match="a setting cannot have the type Path"):
        Strange.load()


def test_the_model_needs_neither_pydantic_nor_an_aws_library() -> None:
    code = "import sys, parley.bot.settings; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"boto3", "aws_lambda_powertools", "httpx"} & set(done.stdout.split())
