"""The list of platforms is the list of their folders, and each folder has what the other places look for."""

from importlib import import_module
from pathlib import Path

import pytest

import parley.platforms
from parley.adapter import Config
from parley.model import Destination, Reply
from parley.platforms import NAMES, checks, config_type, content_limits, inbound, is_same_person, outbound
from tests.template import ROOT
from tools import samples


def test_a_platform_is_a_folder_that_can_receive() -> None:
    folders = {path.name for path in Path(parley.platforms.__file__).parent.iterdir() if (path / "inbound.py").exists()}
    assert set(NAMES) == folders
    assert sorted(NAMES) == list(NAMES)


def test_a_folder_that_platforms_share_is_not_a_platform() -> None:
    with pytest.raises(KeyError, match="no platform 'tencent'"):
        inbound("tencent")


@pytest.mark.parametrize("name", NAMES)
def test_a_platform_has_both_halves_a_configuration_and_limits(name: str) -> None:
    assert callable(inbound(name).receive)
    assert callable(outbound(name).deliver)
    assert issubclass(config_type(name), Config)
    assert content_limits(name).name
    assert list(checks(name).problems(Reply(), Destination(platform=name, app="demo"))) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_platform_has_a_function_samples_and_local_credentials(name: str) -> None:
    assert (ROOT / "functions" / name / "app.py").exists()
    assert name in samples.APPS
    assert samples.FUNCTIONS[name](1_800_000_000)
    apps = import_module(f"tools.local.credentials.{name}").apps("http://playground")
    assert "demo" in apps


@pytest.mark.parametrize("name", NAMES)
def test_only_wecom_ignores_the_case_of_a_persons_id(name: str) -> None:
    assert is_same_person(name, "LinDan", "LinDan")
    assert is_same_person(name, "LinDan", "lindan") == (name == "wecom")
    assert not is_same_person(name, "LinDan", "LinDa")


def test_the_ids_of_what_is_no_platform_are_compared_as_they_are() -> None:
    assert is_same_person("aws", "events", "events")
    assert not is_same_person("aws", "events", "Events")
