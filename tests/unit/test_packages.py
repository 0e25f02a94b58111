"""`make add` and `make remove`, with an index of small packages on this machine."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from tests.template import ROOT
from tools import packages

LAYER = packages.pins(ROOT / "layers" / "dependencies" / "requirements.txt")


def wheel(index: Path, name: str, version: str, needs: str = "", tag: str = "py3-none-any") -> None:
    """Write a package of one module."""
    info = f"{name}-{version}.dist-info"
    required = f"Requires-Dist: {needs}\n" if needs else ""
    files = {
        f"{name}.py": f"VERSION = '{version}'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(index / f"{name}-{version}-{tag}.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index with `greeter` and `parrot` in two versions; `parrot` needs a package of the dependencies layer."""
    index = tmp_path / "index"
    index.mkdir()
    for version in ("1.0", "2.0"):
        wheel(index, "greeter", version)
    wheel(index, "parrot", "1.0", needs="msgspec")
    wheel(index, "msgspec", LAYER["msgspec"])
    wheel(index, "msgspec", "99.0")
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "empty").as_uri())
    (tmp_path / "empty").mkdir()
    return index


@pytest.fixture
def folder(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a bot without packages."""
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "bot.py").write_text("bot = None\n")
    monkeypatch.setenv("PARLEY_BOT", str(folder))
    monkeypatch.setattr(packages, "_RUNS", 1)
    return folder


@pytest.fixture
def only_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds no layers, which takes seconds."""
    monkeypatch.setattr(packages, "_check_and_measure", lambda *_: None)


def pinned(folder: Path) -> packages.Pins:
    return packages.pins(folder / "requirements.txt")


def test_a_package_is_pinned_with_its_hash_and_its_effects_are_printed(
    folder: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert packages.main(["add", "greeter"]) == 0
    assert (folder / "requirements.in").read_text() == "greeter\n"
    digest = hashlib.sha256((index / "greeter-2.0-py3-none-any.whl").read_bytes()).hexdigest()
    assert f"greeter==2.0 \\\n    --hash=sha256:{digest}" in (folder / "requirements.txt").read_text()
    layer, imported, added = capsys.readouterr().out.splitlines()
    assert added == "greeter: not pinned -> 2.0"
    assert layer.startswith("layer: +0.0 MB, ")
    assert imported.startswith("import: ")
    assert "(import greeter)" in imported


@pytest.mark.usefixtures("only_pins")
def test_another_package_is_not_upgraded_and_the_same_one_is(folder: Path) -> None:
    packages.main(["add", "greeter==1.0"])
    (folder / "requirements.in").write_text("# says hello\ngreeter\n")
    assert packages.main(["add", "parrot"]) == 0
    assert pinned(folder) == {"greeter": "1.0", "parrot": "1.0"}
    assert packages.main(["add", "greeter"]) == 0
    assert pinned(folder) == {"greeter": "2.0", "parrot": "1.0"}
    assert (folder / "requirements.in").read_text() == "# says hello\nparrot\ngreeter\n"


@pytest.mark.usefixtures("only_pins")
def test_a_package_of_the_dependencies_layer_is_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert packages.main(["add", "parrot"]) == 0
    assert pinned(folder) == {"parrot": "1.0"}
    capsys.readouterr()
    assert packages.main(["add", "MsgSpec"]) == 0
    assert f"msgspec {LAYER['msgspec']} is in the dependencies layer" in capsys.readouterr().out
    assert pinned(folder) == {"parrot": "1.0"}


@pytest.mark.parametrize("package", ["missing", "greeter>=3", "../x", "onlyhere", "needsnewer"])
def test_a_package_that_cannot_be_deployed_changes_nothing(
    folder: Path, index: Path, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel(index, "onlyhere", "1.0", tag="py3-none-manylinux2014_x86_64")
    wheel(index, "needsnewer", "1.0", needs="msgspec>=50")
    before = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    assert packages.main(["add", package]) == 1
    assert "error: " in capsys.readouterr().err
    assert {path.name: path.read_text() for path in folder.iterdir() if path.is_file()} == before


def test_without_a_package_the_pins_follow_the_dependencies_layer(folder: Path) -> None:
    (folder / "requirements.in").write_text("parrot\n")
    file = folder / "requirements.txt"
    file.write_text(f"msgspec=={LAYER['msgspec']} \\\n    --hash=sha256:{'0' * 64}\n")
    assert packages.main(["add"]) == 0
    assert pinned(folder) == {"parrot": "1.0"}


@pytest.mark.usefixtures("only_pins")
def test_a_package_is_removed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packages.main(["add", "greeter==1.0"])
    packages.main(["add", "parrot"])
    assert packages.main(["remove", "Parrot"]) == 0
    assert pinned(folder) == {"greeter": "1.0"}
    assert packages.main(["remove", "parrot"]) == 1
    assert packages.main(["remove", "greeter"]) == 0
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["bot.py"]


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("rapidfuzz", "rapidfuzz"),
        ("Ruamel.YAML>=0.18", "ruamel-yaml"),
        ("a[b] ; python_version < '3'", "a"),
        ("x_y", "x-y"),
    ],
)
def test_names_are_normalised(requirement: str, name: str) -> None:
    assert packages.name_of(requirement) == name


@pytest.mark.parametrize("text", ["", "-r x", "a b", "https://host/x.whl", "../x"])
def test_what_is_no_requirement_is_refused(text: str) -> None:
    if text == "a b":
        assert packages.name_of(text) == "a"  # uv refuses it
        return
    with pytest.raises(packages.PackageError, match="is not a package"):
        packages.name_of(text)
