"""The names that `make platform` accepts, and its texts, which have to fit the longest of them."""

import re

import pytest

from tests.template import ROOT
from tools.names import folder_of, logical_id
from tools.scaffold import shared
from tools.scaffold.__main__ import TREE, filled, refusal

LONGEST = "n" * 24


@pytest.mark.parametrize("name", ["slack", "slack_bot", "x", "teams2", LONGEST])
def test_a_name_is_accepted(name: str) -> None:
    assert refusal(name, "Some Name") == ""
    assert folder_of(logical_id(name)) == name


@pytest.mark.parametrize("name", ["Slack", "2x", "demo-x", "demo_2", "_x", "x_", "", "class", "demo__x", "n" * 25])
def test_a_name_that_is_no_folder_or_no_logical_id_is_refused(name: str) -> None:
    assert refusal(name, "Some Name")


@pytest.mark.parametrize("name", ["feishu", "tencent", "domain", "routing"])
def test_a_name_that_is_taken_is_refused_with_the_file(name: str) -> None:
    assert re.fullmatch(r"\S+ exists already", refusal(name, "Some Name"))


@pytest.mark.parametrize("label", ["", 'a"b', "a\nb", "a\\b", "a|b", "{x}", "n" * 25])
def test_a_label_that_would_break_a_string_or_a_table_is_refused(label: str) -> None:
    assert refusal("slack_bot", label)


@pytest.mark.parametrize("path", sorted(TREE.rglob("*.py")), ids=lambda path: str(path.relative_to(TREE)))
def test_comments_and_docstrings_fit_the_longest_names(path) -> None:
    """The formatter breaks code, and nothing else."""
    prose = [line for line in filled(path.read_text(), LONGEST, "N" * 24).splitlines() if re.match(r'\s*(#|""")', line)]
    assert [line for line in prose if len(line) > 120] == []


def test_a_template_without_the_lines_that_are_looked_for_is_an_error(tmp_path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "runbook.md").write_text((ROOT / "docs" / "runbook.md").read_text())
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    with pytest.raises(ValueError, match=r"template\.yaml: no line like"):
        shared.enter(tmp_path, str, "X")
