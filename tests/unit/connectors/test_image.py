"""connectors/Dockerfile: what it copies, who runs in it, and that its packages are enough for the programs.

No container engine is needed: a folder with nothing but the image's files and packages stands for the image.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.markers import Marker

from tests.template import ROOT
from tests.unit.playground.serving import wait_until

FILE = ROOT / "connectors" / "Dockerfile"
PINS = ROOT / "requirements" / "connectors.txt"
PROGRAMS = sorted(path.parent.name for path in (ROOT / "connectors").glob("*/__main__.py"))


def steps() -> list[tuple[str, list[str]]]:
    """The instructions of the file, each with its words."""
    text = re.sub(r"^#.*\n", "", FILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.split()[1:]) for line in text.splitlines() if line.strip()]


def words(name: str) -> list[list[str]]:
    return [found for step, found in steps() if step == name]


def copied() -> list[str]:
    return [source for *sources, _ in words("COPY") for source in sources]


def test_what_the_image_copies_exists_and_is_sent_to_the_builder() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    assert set(copied()) == allowed
    assert [source for source in copied() if not (ROOT / source).exists()] == []


def test_the_base_is_one_version_of_the_python_of_production_without_what_only_builds_need() -> None:
    ((base,),) = words("FROM")
    image, _, tag = base.rpartition(":")
    assert image == "public.ecr.aws/docker/library/python"
    assert re.fullmatch(r"3\.13\.\d+-slim-bookworm", tag)


def test_packages_are_those_of_the_lock_file_with_their_hashes_and_before_the_code() -> None:
    install = " ".join(next(found for found in words("RUN") if "pip" in found))
    assert install == (
        "pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements/connectors.txt"
    )
    # A change of the code does not install the packages again.
    assert [name for name, _ in steps()].index("RUN") < [found[0] for _, found in steps()].index("shared")


def test_the_program_is_not_root_and_nothing_is_installed_as_it_starts() -> None:
    assert words("USER") == [["65532:65532"]]
    order = [name for name, _ in steps()]
    assert order.index("USER") > max(index for index, name in enumerate(order) if name in ("RUN", "COPY", "VOLUME"))
    assert not any(word in FILE.read_text() for word in ("apt-get", "curl", "ADD ", "sudo", ":latest"))


def test_the_folder_that_is_written_belongs_to_the_user() -> None:
    ((folder,),) = words("VOLUME")
    made = next(found for found in words("RUN") if "install" in found and "pip" not in found)
    assert made[-4:] == ["--directory", "--owner=65532", "--group=65532", folder]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /app of the image, and its packages in `packages`."""
    folder = tmp_path_factory.mktemp("image")
    for source in copied():
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, folder / source)
    (folder / "packages").mkdir()
    for name, version in pinned().items():
        package = distribution(name)
        assert package.version == version, name
        for top in {file.parts[0] for file in package.files or () if file.parts[0] not in ("..", "__pycache__")}:
            (folder / "packages" / top).symlink_to(Path(str(package.locate_file(top))))
    return folder


def pinned() -> dict[str, str]:
    """The versions in the lock file, for this machine."""
    found = re.finditer(r"^([a-z0-9-]+)==(\S+)(?: ; (.*?))? \\$", PINS.read_text(), re.MULTILINE)
    return {one[1]: one[2] for one in found if not one[3] or Marker(one[3]).evaluate()}


def command(image: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command in the image and its environment. `-S`: no other packages of this machine."""
    environment = dict(value.split("=") for found in words("ENV") for value in found)
    path = [str(image / Path(part).relative_to("/app")) for part in environment["PYTHONPATH"].split(":")]
    environment["PYTHONPATH"] = os.pathsep.join([*path, str(image / "packages")])
    return [sys.executable, "-S", "-P", "-m", *arguments], environment


def test_the_packages_of_this_machine_are_not_in_the_image(image: Path) -> None:
    start, environment = command(image, "pytest", "--version")
    done = subprocess.run(start, cwd=image, env=environment, capture_output=True, text=True, check=False)
    assert "No module named pytest" in done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_explains_itself_with_the_packages_of_the_image_alone(image: Path, program: str) -> None:
    start, environment = command(image, f"connectors.{program}", "--help")
    done = subprocess.run(start, cwd=image, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--alive" in done.stdout


def test_the_discord_connector_runs_with_them_until_sigterm(image: Path, tmp_path: Path) -> None:
    """Without AWS: it says so, tries again, and ends at once when it is asked to."""
    start, environment = command(image, "connectors.discord", "helper")
    environment |= {"PARLEY_STAGE": "test", "PARLEY_TABLE": "table", "PARLEY_INBOUND_URL": "http://127.0.0.1:1/queue"}
    environment |= {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_DEFAULT_REGION": "us-east-1"}
    environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(start, cwd=image, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "no configuration" in log.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()
    assert '"ConnectorStarts"' in log.read_text()
    assert "Traceback" not in log.read_text()
    assert "No module named" not in log.read_text()
