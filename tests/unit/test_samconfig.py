"""samconfig.toml: the parameters of each stage."""

import tomllib
from pathlib import Path

import pytest

from tests.template import ROOT, template
from tools.samconfig import parameter_overrides

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())
ENVS = ["default", "staging", "prod", "local"]


@pytest.mark.parametrize(
    "written",
    [
        '["Stage=prod", "AlarmEmail=ops@example.com", "BotFolder=my bot"]',
        # As `sam deploy --guided` writes it.
        r'''"Stage=\"prod\" AlarmEmail=\"ops@example.com\" BotFolder=\"my bot\""''',
    ],
)
def test_both_forms_of_parameters_are_read(tmp_path: Path, written: str) -> None:
    file = tmp_path / "samconfig.toml"
    file.write_text(f"[prod.deploy.parameters]\nparameter_overrides = {written}\n")
    assert parameter_overrides("prod", file) == ["Stage=prod", "AlarmEmail=ops@example.com", "BotFolder=my bot"]


@pytest.mark.parametrize("env", ENVS)
def test_every_parameter_of_a_stage_exists_in_the_template(env: str) -> None:
    assert {entry.split("=")[0] for entry in parameter_overrides(env)} <= set(template()["Parameters"])


def test_the_values_of_the_team_replace_those_of_the_release(tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    overrides = '["Stage=prod", "Canary=true", "file://mine/prod.toml"]'
    file.write_text(f"[prod.deploy.parameters]\nparameter_overrides = {overrides}\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "prod.toml").write_text('Canary = "false"\nProcessorConcurrency = 50\n# A = "b"\n')
    assert parameter_overrides("prod", file) == ["Stage=prod", "Canary=false", "ProcessorConcurrency=50"]


@pytest.mark.parametrize(("env", "stage"), [("default", "staging"), ("staging", "staging"), ("prod", "prod")])
@pytest.mark.parametrize("command", ["build", "deploy"])
def test_the_file_of_the_team_comes_last(env: str, stage: str, command: str) -> None:
    assert CONFIG[env][command]["parameters"]["parameter_overrides"][-1] == f"file://mybot/stages/{stage}.toml"


@pytest.mark.parametrize("env", ENVS)
def test_the_loops_need_no_flag_on_the_command_line(env: str) -> None:
    assert CONFIG[env]["global"]["parameters"]["language_extensions"] is True


def test_production_runs_on_python_3_13_and_arm64_with_alarms_and_canary() -> None:
    prod = CONFIG["prod"]["deploy"]["parameters"]["parameter_overrides"]

    assert {"PythonRuntime=python3.13", "Architecture=arm64", "Observability=true", "Canary=true"} <= set(prod)
    assert set(CONFIG["prod"]["build"]["parameters"]["parameter_overrides"]) <= set(prod)
    assert CONFIG["prod"]["deploy"]["parameters"]["confirm_changeset"] is True
