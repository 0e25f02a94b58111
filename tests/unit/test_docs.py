"""What the documents say is true: their code runs, and what they point to is there."""

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TARGETS = set(re.findall(r"^([a-z0-9.-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


def test_the_code_of_the_guide_runs_and_its_tests_pass():
    namespace: dict[str, Any] = {"__name__": "guide"}
    for block in blocks(ROOT / "docs" / "writing-a-bot.md", "python"):
        exec(compile(block, "docs/writing-a-bot.md", "exec"), namespace)
    tests = [value for name, value in namespace.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_links_to_is_there(path: Path):
    links = re.findall(
        r"\]\((?!https?:|#|mailto:)([^)#\s]+)", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    )
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_a_document_names_exists(path: Path):
    commands = [*re.findall(r"`(make [^`]+)`", path.read_text()), *"\n".join(blocks(path, "sh")).splitlines()]
    named = {found[1] for command in commands if (found := re.match(r"make ([a-z0-9.-]+)", command))}
    assert named <= TARGETS


def test_both_readmes_name_the_same_commands_and_links():
    english, chinese = (ROOT / name for name in ("README.md", "README.zh-CN.md"))

    def commands(path: Path) -> list[str]:
        lines = "\n".join(blocks(path, "sh")).splitlines()
        return [line.split("#")[0].strip() for line in lines if line.strip()]

    def links(path: Path) -> set[str]:
        return set(re.findall(r"\]\(([^)]+)\)", path.read_text())) - {"README.md", "README.zh-CN.md"}

    assert commands(english)
    assert commands(english) == commands(chinese)
    assert links(english) == links(chinese)
