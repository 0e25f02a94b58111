"""`parley.testing` is not deployed, and finds the project that it needs, or says what hides it."""

import subprocess
import sys
from pathlib import Path

import pytest

from parley.testing import PLATFORMS
from tests.template import ROOT

TARGET = ROOT / "layers" / "targets" / "python3.13-arm64" / "Makefile"
IMPORT = "import parley.testing, tools.faults; print(parley.testing.PLATFORMS)"


def python(code: str, folder: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` in `folder`, with these paths and Parley on the import path, and nothing else of the project."""
    path = ":".join(map(str, (*paths, ROOT / "shared")))
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {path.split(':')!r}\n{code}"]
    return subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=False)


def test_the_layer_does_not_contain_it(tmp_path: Path) -> None:
    command = ["make", "-f", TARGET, "build-SharedLayer", f"ARTIFACTS_DIR={tmp_path}"]
    subprocess.run(command, cwd=ROOT / "shared", capture_output=True, check=True)
    layer = tmp_path / "python" / "parley"
    assert (layer / "bot" / "bot.py").exists()
    assert not (layer / "testing").exists()


def test_no_module_that_is_deployed_imports_it() -> None:
    sources = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    outside = [path for path in sources if "parley/testing/" not in path.as_posix()]
    assert [path for path in outside if "parley.testing" in path.read_text()] == []


def test_it_is_found_from_any_folder(tmp_path: Path) -> None:
    done = python(IMPORT, tmp_path)
    assert done.stdout == f"{PLATFORMS}\n", done.stderr


@pytest.mark.parametrize("name", ["tools", "playground"])
def test_a_module_of_the_team_that_hides_the_project_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("")
    done = python(IMPORT, tmp_path, tmp_path)
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: parley.testing needs the package {name!r} of the project in {ROOT}, and found "
        f"{tmp_path / f'{name}.py'}: please give your module {name!r} another name"
    )
