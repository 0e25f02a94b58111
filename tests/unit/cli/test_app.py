"""`parley app`: adding, listing, rotating and removing apps. No secret is printed."""

import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from msgspec.structs import fields
from typer.testing import CliRunner

from parley.platforms import NAMES, config_type
from parley_cli import setups
from parley_cli.main import root
from playground.platforms.feishu import Feishu
from playground.platforms.wecom import Wecom
from tests.unit.cli.tool import Ssm, parley
from tests.unit.playground.clock import Clock
from tests.unit.playground.serving import APP
from tests.unit.playground.tencent import WECHAT, WECOM

FEISHU: dict[str, Any] = {**APP, "host": "http://feishu.test"}
PATH = "/parley/unit/feishu/helper"
Given = Callable[[str], None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """Puts a text into the standard input of the next command."""

    def put(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return put


@pytest.fixture
def feishu(stack: object, platforms: Callable[..., None]) -> None:
    """Feishu and WeCom, which know the apps."""
    known = Feishu(clock=Clock(), random=Random(7)), Wecom(clock=Clock(), random=Random(7))
    known[0].add_app("demo", FEISHU)
    known[1].add_app("demo", WECOM)
    platforms(feishu=known[0], wecom=known[1])


@pytest.mark.usefixtures("feishu")
def test_an_app_is_asked_for_checked_and_stored_and_its_url_is_printed(ssm: Ssm) -> None:
    answers = [APP["app_id"], APP["app_secret"], APP["verification_token"], APP["encrypt_key"], "http://feishu.test"]
    done = CliRunner().invoke(root, ["app", "add", "feishu/helper", "--stage", "unit"], input="\n".join([*answers, ""]))
    assert done.exit_code == 0, done.output
    assert "Credentials & Basic Info › App Secret" in done.output
    assert "enter https://api.test/unit/callback/feishu/helper" in done.output
    assert APP["app_secret"] not in done.output
    assert ssm.stored[PATH]["Type"] == "SecureString"
    assert json.loads(ssm.stored[PATH]["Value"]) == FEISHU


@pytest.mark.usefixtures("feishu")
def test_an_app_can_come_from_the_standard_input_and_the_result_is_json(
    ssm: Ssm, given: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    given(json.dumps(FEISHU))
    assert parley("app", "add", "feishu/helper", "--file", "-", "--json") == 0
    text = capsys.readouterr().out
    assert json.loads(text)["url"] == "https://api.test/unit/callback/feishu/helper"
    assert APP["app_secret"] not in text
    assert PATH in ssm.stored


@pytest.mark.usefixtures("feishu")
def test_an_app_that_the_platform_does_not_know_is_not_stored_unless_it_is_meant_so(
    ssm: Ssm, given: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = json.dumps({**FEISHU, "app_secret": "wrong"})
    given(wrong)
    assert parley("app", "add", "feishu/helper", "--file", "-") == 1
    assert "does not accept the credentials" in capsys.readouterr().out
    assert ssm.stored == {}
    given(wrong)
    assert parley("app", "add", "feishu/helper", "--file", "-", "--no-check") == 0
    assert PATH in ssm.stored


@pytest.mark.parametrize("text", ["{", "[]", '{"app_id": 1}', "\x00"])
def test_a_bad_file_stores_nothing_and_is_not_printed(
    text: str, ssm: Ssm, stack: object, given: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    given(text)
    assert parley("app", "add", "feishu/helper", "--file", "-") == 1
    assert "error: The" in capsys.readouterr().err
    assert ssm.stored == {}


@pytest.mark.usefixtures("feishu")
def test_an_app_that_exists_is_not_replaced_by_accident(store: Callable[..., None], ssm: Ssm, given: Given) -> None:
    store("feishu/helper", {"kept": 1})
    given(json.dumps(FEISHU))
    assert parley("app", "add", "feishu/helper", "--file", "-") == 1
    assert "kept" in ssm.stored[PATH]["Value"]
    given(json.dumps(FEISHU))
    assert parley("app", "add", "feishu/helper", "--file", "-", "--replace") == 0
    assert "kept" not in ssm.stored[PATH]["Value"]


def test_the_list_says_which_configurations_are_valid(
    store: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    store("feishu/helper", FEISHU)
    store("wechat/news", {**WECHAT, "encoding_aes_key": "short"})
    store("domain/WW_verify.txt", "x")
    assert parley("app", "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(each["app"], each["valid"]) for each in listed] == [("feishu/helper", True), ("wechat/news", False)]


@pytest.mark.usefixtures("feishu")
def test_a_value_that_can_overlap_stays_valid_until_the_end(
    store: Callable[..., None], ssm: Ssm, given: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    store("wecom/helper", WECOM)
    before, after = WECOM["encoding_aes_key"], "x" * 43
    given(after)
    assert parley("app", "rotate", "wecom/helper", "encoding_aes_key", "--file", "-") == 0
    stored = json.loads(ssm.stored["/parley/unit/wecom/helper"]["Value"])
    assert (stored["encoding_aes_key"], stored["previous_encoding_aes_key"]) == (after, before)
    text = capsys.readouterr().out
    assert "parley app rotate wecom/helper encoding_aes_key --end --stage unit" in text
    assert str(before) not in text
    assert after not in text
    assert parley("app", "rotate", "wecom/helper", "encoding_aes_key", "--end") == 0
    assert json.loads(ssm.stored["/parley/unit/wecom/helper"]["Value"]) == {**WECOM, "encoding_aes_key": after}
    assert parley("app", "rotate", "wecom/helper", "encoding_aes_key", "--end") == 1


@pytest.mark.usefixtures("feishu")
def test_a_value_that_cannot_overlap_is_replaced_and_the_next_step_is_said(
    store: Callable[..., None], ssm: Ssm, given: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    store("wecom/helper", {**WECOM, "agent_id": 1})
    given("1000002\n")
    assert parley("app", "rotate", "wecom/helper", "agent_id", "--file", "-") == 0
    assert json.loads(ssm.stored["/parley/unit/wecom/helper"]["Value"]) == WECOM
    assert "The value before is gone" in capsys.readouterr().out


@pytest.mark.usefixtures("feishu")
def test_a_wrong_new_secret_or_field_changes_nothing(
    store: Callable[..., None], ssm: Ssm, given: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    store("feishu/helper", FEISHU)
    for field, value in (("app_secret", "wrong"), ("app_secret", " "), ("secret", "x"), ("host", "no address")):
        given(value)
        assert parley("app", "rotate", "feishu/helper", field, "--file", "-") == 1
    assert json.loads(ssm.stored[PATH]["Value"]) == FEISHU
    assert "There is no field 'secret'" in capsys.readouterr().err


def test_an_app_is_removed_once_it_is_confirmed(store: Callable[..., None], ssm: Ssm) -> None:
    store("feishu/helper", FEISHU)
    assert CliRunner().invoke(root, ["app", "remove", "feishu/helper"], input="n\n").exit_code == 1
    assert PATH in ssm.stored
    assert parley("app", "remove", "feishu/helper", "--yes") == 0
    assert ssm.stored == {}
    assert parley("app", "remove", "feishu/helper", "--yes") == 1


@pytest.mark.parametrize("platform", NAMES)
def test_the_form_of_a_platform_has_its_fields(platform: str) -> None:
    setup = setups.of(platform)
    every = {field.name: field for field in fields(config_type(platform))}
    required = {name for name, field in every.items() if field.required}
    for form in setup.forms.values():
        names = {field.name for field in form}
        assert names <= set(every)
        assert required <= names | setup.unasked
    assert any("{url}" in step for step in setup.after)


def test_a_platform_without_a_declaration_asks_for_its_required_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setups, "find_spec", lambda _name: None)
    (form,) = setups.of("feishu").forms.values()
    assert {field.name for field in form} == {"app_id", "app_secret", "verification_token"}
