"""The documents say what a deployment on AWS needs: the commands, the account's limits, China, and what is lost."""

import re
from pathlib import Path

import pytest

from tests.template import ROOT
from tests.unit.test_docs import READMES, blocks, name_of, prose

RUNBOOK = ROOT / "docs/runbook.md"
TEMPLATE = ROOT / "template.yaml"
in_both_languages = pytest.mark.parametrize("path", READMES, ids=name_of)


def commands(path: Path) -> list[str]:
    """The lines of all shell blocks of a document, each with its continuation."""
    return "\n".join(blocks(path, "sh")).replace("\\\n", " ").splitlines()


def deployment(path: Path) -> str:
    """The chapter of a README about the deployment: the one with the table of parameters."""
    [found] = [chapter for chapter in prose(path).split("\n## ") if "`AlarmEmail`" in chapter]
    return found


def section(path: Path, heading: str) -> str:
    """The text and the commands under a heading."""
    [found] = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", path.read_text(), re.DOTALL | re.MULTILINE)
    return found


@in_both_languages
def test_a_stage_is_deployed_by_its_configuration_and_never_with_questions(path: Path) -> None:
    deploys = [line for line in commands(path) if line.startswith("sam deploy")]
    assert deploys
    assert all(line.startswith("sam deploy --config-env prod") for line in deploys)
    assert [line for line in commands(path) if "--guided" in line] == []
    assert "`--guided`" in deployment(path)


@in_both_languages
def test_the_deployment_checks_the_concurrent_executions_of_the_account(path: Path) -> None:
    assert "aws lambda get-account-settings --query AccountLimit.ConcurrentExecutions" in commands(path)
    assert "`ProcessorConcurrency`" in deployment(path)


@in_both_languages
def test_the_deployment_names_the_filing_for_the_regions_of_china(path: Path) -> None:
    assert "ICP" in deployment(path)
    assert "X-Ray" in deployment(path)


@in_both_languages
def test_the_deployment_warns_about_sam_delete(path: Path) -> None:
    assert "`sam delete`" in deployment(path)
    assert "docs/runbook.md#delete-a-stack" in deployment(path)
    assert "`sam delete`" in section(RUNBOOK, "Delete a stack")
    assert "make dlq" in section(RUNBOOK, "Delete a stack")


@in_both_languages
def test_the_deployment_leads_to_the_setting_for_the_throughput_of_ssm(path: Path) -> None:
    assert "SSM" in deployment(path)
    assert "docs/runbook.md#ssms-limit" in deployment(path)
    limit = section(RUNBOOK, "SSM's limit")
    assert "aws ssm update-service-setting" in limit
    assert "servicesetting/ssm/parameter-store/high-throughput-enabled" in limit
    assert "arn:aws-cn" in limit


def test_the_template_does_not_say_that_discord_repeats_a_callback() -> None:
    [about] = [line for line in TEMPLATE.read_text().splitlines() if "429" in line and "Description:" in line]
    assert "Discord does not" in about
    # Every other sentence about Discord and a repetition has to deny it too.
    sentences = re.split(r"[.\n]", TEMPLATE.read_text())
    repeated = [one for one in sentences if "Discord" in one and re.search(r"again|repeat|retr(y|ies)", one)]
    assert [one for one in repeated if " not " not in one] == []
