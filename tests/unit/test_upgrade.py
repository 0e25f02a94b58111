"""An upgrade is a `git merge` of a release. A team edits files in its folder only, and a release changes all others."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.template import ROOT

FOLDER = "mybot"
EDITED = {
    "bot.py": 'from parley.bot import Bot\n\nbot = Bot()\nbot.command("ping")(lambda: "pong")\n',
    "menu.py": 'DRINKS = ("Tea",)\n',
    "settings.py": "from parley.bot import Settings\n",
    "requirements.in": "rapidfuzz\n",
    "requirements.txt": "rapidfuzz==3.14.3\n",
    "tests/test_bot.py": "def test_nothing() -> None:\n    pass\n",
    "stages/local.toml": 'BotSeconds = "60"\n',
    "stages/staging.toml": 'AlarmEmail = "ops@example.com"\n',
    "stages/prod.toml": 'AlarmEmail = "ops@example.com"\n',
}
"""What the documents tell a team to write, in its folder."""
NOT_COPIED = (".git", ".venv", ".local", ".aws-sam", "__pycache__", ".*_cache", ".hypothesis", "settings.local.json")
GUIDES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").glob("writing-a-bot*.md"), *ROOT.glob("docs/connect-*.md")])


class Repository:
    """A Git repository with the files of this one, at the first release."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        shutil.copytree(ROOT, self.folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
        self.git("init", "-q", "-b", "releases")
        self.commit("1.0")
        self.files = self.git("ls-files", "-z").rstrip("\0").split("\0")

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        return git(self.folder, *who, *arguments)

    def write(self, name: str, content: bytes) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content)

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)


def git(folder: Path, *arguments: str) -> str:
    # Without the settings of the developer: a merge driver or a hook there would hide a conflict.
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
    }
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("upgrade"))


def test_a_release_that_changes_all_its_files_merges_without_a_conflict(repository: Repository) -> None:
    repository.git("switch", "-q", "-c", "team")
    for name, text in EDITED.items():
        repository.write(f"{FOLDER}/{name}", text.encode())
    repository.write(f"{FOLDER}/settings.local.json", b'{"api_key": "hunter2"}')
    repository.commit("our bot")
    assert "settings.local.json" not in repository.git("ls-files")

    repository.git("switch", "-q", "releases")
    for name in (name for name in repository.files if not name.startswith(f"{FOLDER}/")):
        content = (repository.folder / name).read_bytes()
        repository.write(name, b"changed\n" + content + b"\nchanged\n")
    repository.write("shared/parley/new.py", b"")
    repository.commit("2.0")

    repository.git("switch", "-q", "team")
    repository.git("merge", "-q", "--no-edit", "releases")
    assert repository.git("status", "--porcelain") == ""
    for name, text in EDITED.items():
        assert (repository.folder / FOLDER / name).read_text() == text
    assert (repository.folder / "samconfig.toml").read_text().startswith("changed\n")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_the_guides_tell_a_team_to_edit_no_file_outside_its_folder(guide: Path) -> None:
    telling = re.compile(r"\b([Ee]dit|[Aa]dd|[Pp]ut|[Cc]hange|[Ww]rite)\b|编辑|修改|加入|写入|添加")
    for sentence in re.split(r"(?<=[.。;；|])\s|\n\n", guide.read_text()):
        paths = re.findall(r"`([\w./-]+/[\w./-]+|[\w-]+\.(?:toml|yaml|mk|py|in))`", sentence)
        ours = [path for path in paths if (ROOT / path).exists() and not path.startswith(FOLDER)]
        assert not (telling.search(sentence) and ours), sentence
