"""`make platform` in a copy of the repository: the new platform works, and its tests say what to write next."""

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.local.paths import ENVS, ROOT, SAM

NAME, LABEL = "demo_x", "Demo X"
IGNORED = (".git", ".venv", ".local", ".aws-sam", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")
REGIONS = ("us-east-1", "ap-southeast-1", "cn-north-1")
FOR_EACH = ("tests/unit/platforms/test_connect_guides.py", "tests/unit/playground/test_registry.py")
"""Tests outside tests/unit/*.py and tests/conformance that go through all platforms."""


class Tree:
    """A copy of the repository with the new platform."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*IGNORED))
        (folder / ".venv").symlink_to(sys.prefix)
        made = self.python("-m", "tools.scaffold", NAME, LABEL)
        assert made.returncode == 0, made.stdout + made.stderr
        self.files = re.findall(r"^  (\S+)$", made.stdout, re.MULTILINE)

    def python(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """A run of Python in the copy that imports the copy's code."""
        return self.run(sys.executable, *arguments)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """A run of `command` in the copy."""
        paths = os.pathsep.join([str(self.folder / "shared"), str(self.folder)])
        environment = {**os.environ, "PYTHONPATH": paths, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def code(self) -> list[str]:
        """The Python files of the new platform."""
        return [file for file in self.files if file.endswith(".py")]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The copy. It is made once; a test that changes a file changes it back."""
    return Tree(tmp_path_factory.mktemp("scaffold") / "tree")


def passed(done: subprocess.CompletedProcess[str]) -> str:
    """What was printed; fails if the exit status is not 0."""
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def test_five_files_change_and_all_others_are_new(tree: Tree) -> None:
    tracked = passed(subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)).split(
        "\n"
    )
    _, changed, missing = filecmp.cmpfiles(ROOT, tree.folder, [file for file in tracked if file], shallow=False)
    generated = ["docs/cost.md", "docs/limits.md", "docs/limits.zh-CN.md"]
    assert (changed, missing) == ([*generated, "docs/runbook.md", "template.yaml"], [])
    assert len(tree.files) > 15


def test_the_template_gets_at_most_25_lines(tree: Tree) -> None:
    lines = [len((folder / "template.yaml").read_text().splitlines()) for folder in (ROOT, tree.folder)]
    assert 0 < lines[1] - lines[0] <= 25


def test_the_platform_is_found_and_can_be_imported(tree: Tree) -> None:
    code = f"""
from parley.platforms import NAMES, config_type, inbound, outbound
from playground.platforms import simulated_platforms
from tools.demo.cases import PLATFORMS
from tools.faults.targets import titled
from tools.samples import APPS
assert "{NAME}" in NAMES
inbound("{NAME}").receive, outbound("{NAME}").deliver, config_type("{NAME}"), titled("{NAME}")
print(simulated_platforms()["{NAME}"].__name__, len(PLATFORMS["{NAME}"]), APPS["{NAME}"]("http://page")["host"])
"""
    assert passed(tree.python("-c", code)) == f"DemoX 10 http://page/{NAME}\n"


def test_a_callback_function_imports_no_other_platform(tree: Tree) -> None:
    code = f"import sys; import parley.platforms.{NAME}.inbound; print(*sys.modules)"
    loaded = passed(tree.python("-c", code)).split()
    others = {name.split(".")[2] for name in loaded if name.startswith("parley.platforms.")} - {NAME}
    assert others == set()
    assert not {"boto3", "httpx", "pydantic"} & set(loaded)


def test_format_lint_and_types_are_right(tree: Tree) -> None:
    passed(tree.python("-m", "ruff", "format", "--check", *tree.code()))
    passed(tree.python("-m", "ruff", "check", *tree.code()))
    passed(tree.python("-m", "pyright", *tree.code()))


def test_the_template_is_valid(tree: Tree) -> None:
    passed(tree.run(ENVS / "sam" / "bin" / "cfn-lint", "--regions", *REGIONS, "--", "template.yaml"))
    passed(tree.run(SAM, "validate", "--lint", "--template", "template.yaml"))


def test_its_own_tests_pass_or_say_in_one_sentence_what_to_write_next(tree: Tree) -> None:
    shown = passed(tree.python("-m", "pytest", "-q", "-rs", f"tests/unit/platforms/{NAME}"))
    sentences = dict(re.findall(r"^SKIPPED \[1\] \S+ (\S+): (.+)$", shown, re.MULTILINE))
    by_hand = {file for file in sentences if file.startswith(("README", "CHANGELOG"))}
    own = {file for file in tree.files if not re.search(r"/(golden|vectors)/|__init__|app\.py|test_next", file)}

    assert by_hand == {"README.md", "README.zh-CN.md", "CHANGELOG.md"}
    assert own <= set(sentences)
    assert {"template.yaml", "docs/runbook.md"} <= set(sentences)
    assert all(re.fullmatch(r"[^.。]+[.。]", re.sub(r"\b[\w/]+\.\w", "", text)) for text in sentences.values())


def test_a_file_is_done_when_its_line_is_gone(tree: Tree) -> None:
    file = tree.folder / "shared" / "parley" / "platforms" / NAME / "config.py"
    text = file.read_text()
    file.write_text(re.sub(r"^# Next: .*\n", "", text, flags=re.MULTILINE))
    try:
        shown = passed(tree.python("-m", "pytest", "-q", "-rs", f"tests/unit/platforms/{NAME}", "-k", "config"))
    finally:
        file.write_text(text)
    assert "1 passed" in shown


def test_the_tests_that_go_through_all_platforms_pass(tree: Tree) -> None:
    top = [path.relative_to(tree.folder) for path in sorted((tree.folder / "tests" / "unit").glob("test_*.py"))]
    passed(tree.python("-m", "pytest", "-q", "-n", "2", *top, *FOR_EACH, f"tests/unit/playground/test_{NAME}.py"))
    passed(tree.python("-m", "pytest", "-q", "-n", "2", "tests/conformance", "-k", f"{NAME} or every_platform"))
