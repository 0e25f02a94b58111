"""The documents are correct: their code runs, and their links, anchors and commands exist."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from parley.model.codec import decode_message

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted(
    [*ROOT.glob("*.md"), *(path for name in ("docs", "examples", "clients") for path in (ROOT / name).rglob("*.md"))]
)
TUTORIALS = sorted((ROOT / "docs").glob("tutorial*.md"))
REFERENCES = sorted((ROOT / "docs").glob("writing-a-bot*.md"))
GUIDES = [*TUTORIALS, *REFERENCES]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
CHINESE = ".zh-CN.md"
TRANSLATED = [path for path in DOCS if path.name.endswith(CHINESE)]
TARGETS = set(re.findall(r"^([a-z0-9.-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
FENCE = re.compile(r"^( *)```([a-z]*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def english(path: Path) -> Path:
    """The English document of which `path` is the Chinese one."""
    return path.with_name(path.name.replace(CHINESE, ".md"))


def blocks(path: Path, language: str) -> list[str]:
    return [block for _, kind, block in FENCE.findall(path.read_text()) if kind == language]


def prose(path: Path) -> str:
    return FENCE.sub("", path.read_text())


def links(path: Path) -> list[str]:
    """The targets of all links to files and anchors of this repository."""
    return re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", prose(path))


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    seen: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} +(.+?) *$", prose(path), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        count = seen[slug] = seen.get(slug, -1) + 1
        if count:
            seen[f"{slug}-{count}"] = 0
    return set(seen)


def broken(path: Path) -> list[str]:
    """The links of a document that lead to no file, or to no heading of it."""
    wrong: list[str] = []
    for link in links(path):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


def run(path: Path) -> dict[str, Any]:
    """The names that the Python blocks of a document define, run from top to bottom."""
    namespace: dict[str, Any] = {"__name__": "guide"}
    for block in blocks(path, "python"):
        exec(compile(block, name_of(path), "exec"), namespace)
    return namespace


def cases(test: Any) -> list[dict[str, Any]]:
    """The arguments of each run of a test: one for each value of its parameter."""
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    return [{mark.args[0]: value} for mark in marks for value in mark.args[1]] or [{}]


@pytest.mark.parametrize("path", GUIDES, ids=name_of)
def test_the_code_of_the_guide_runs_and_its_tests_pass(path: Path, monkeypatch: pytest.MonkeyPatch):
    tests = [value for name, value in run(path).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        given = {"monkeypatch": monkeypatch} if "monkeypatch" in signature(test).parameters else {}
        for arguments in cases(test):
            test(**given, **arguments)


def test_the_code_of_the_guides_has_the_right_types(tmp_path: Path):
    """They are those of a bot in an editor, which checks it in the standard mode of pyright."""
    for number, path in enumerate(GUIDES):
        (tmp_path / f"guide_{number}.py").write_text("\n\n".join(blocks(path, "python")))
    settings = {"extraPaths": [str(ROOT / "shared"), str(ROOT)], "reportRedeclaration": False}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings | {"typeCheckingMode": "standard"}))
    command = [sys.executable, "-m", "pyright", "-p", str(tmp_path), "--pythonpath", sys.executable]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("path", READMES, ids=name_of)
def test_the_bot_and_the_message_of_the_readme_are_valid(path: Path):
    assert run(path)["bot"].commands["order"].usage == "/order SIZE [COUNT]"
    [message] = [block for block in blocks(path, "json") if '"sender"' in block]
    assert decode_message(message).content.text == "/order large 2"


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_every_link_of_a_document_leads_to_a_file_and_to_a_heading_of_it(path: Path):
    assert broken(path) == []


def test_a_link_to_a_heading_that_does_not_exist_is_found(tmp_path: Path):
    guide = tmp_path / "guide.md"
    guide.write_text("# A & B (丙)\n## Twice\n## Twice\n[1](#a--b-丙) [2](guide.md#twice-1) [3](#no) [4](gone.md) ")
    assert broken(guide) == ["#no", "gone.md"]


def test_every_source_file_that_the_map_of_the_code_names_exists():
    folders = (ROOT, ROOT / "shared" / "parley", ROOT / "shared" / "parley" / "platforms" / "feishu")
    named = set(re.findall(r"`([a-z][\w./-]*\.(?:py|json|md|yaml))`", prose(ROOT / "CONTRIBUTING.md")))
    assert {"events.py", "engine/callback.py"} <= named
    assert [path for path in named if not any((folder / path).exists() for folder in folders)] == []


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_every_make_target_that_a_document_names_exists(path: Path):
    commands = [*re.findall(r"`(make [^`]+)`", path.read_text()), *"\n".join(blocks(path, "sh")).splitlines()]
    named = {found[1] for command in commands if (found := re.match(r" *make ([a-z0-9.-]+)", command))}
    assert named <= TARGETS


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_every_python_program_that_a_document_names_exists(path: Path):
    named = re.findall(r"python3? -m (tools[\w.]*)", path.read_text())
    assert [module for module in named if find_spec(module) is None] == []
    files = re.findall(r"python3? ((?:tools|tests)/[\w/]+\.py)", path.read_text())
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("path", TRANSLATED, ids=name_of)
def test_a_translation_links_to_translations_where_they_exist(path: Path):
    def translation(link: str) -> Path:
        return (path.parent / link.partition("#")[0].replace(".md", CHINESE)).resolve()

    others = [link for link in links(path) if CHINESE not in link and not link.startswith("#")]
    assert [link for link in others if translation(link) in TRANSLATED and translation(link) != path] == []


@pytest.mark.parametrize("path", TRANSLATED, ids=name_of)
def test_a_translation_has_the_commands_and_the_sections_of_the_original(path: Path):
    def commands(path: Path) -> list[str]:
        lines = "\n".join(blocks(path, "sh")).splitlines()
        return [line.split(" #")[0].strip() for line in lines if line.strip()]

    def levels(path: Path) -> list[str]:
        return re.findall(r"^(#{1,6}) ", prose(path), re.MULTILINE)

    assert commands(path) == commands(english(path))
    assert levels(path) == levels(english(path))


@pytest.mark.parametrize("path", TRANSLATED, ids=name_of)
def test_a_translation_links_to_the_same_documents_as_the_original(path: Path):
    def files(path: Path) -> set[str]:
        found = {link.partition("#")[0].replace(CHINESE, ".md") for link in links(path)}
        return found - {"", english(path).name}

    assert files(path) == files(english(path))


PLATFORM_WORDS = {
    "feishu": "feishu|飞书",
    "discord": "discord",
    "wecom": "wecom(?! ?_?smart|bot|_bot)|企业微信|企微(?!智能)",
    "wecom_bot": "wecom_?bot|smart bot|智能机器人",
    "wechat": "wechat|公众号|(?<!企业)微信",
}
"""What documents call the platforms on which people write."""


def tables(path: Path) -> list[list[str]]:
    """The tables of a document: their lines."""
    found = re.findall(r"(?:^ *\|.*\n)+", f"{path.read_text()}\n", re.MULTILINE)
    return [table.splitlines() for table in found]


def platforms_of(table: list[str]) -> set[str]:
    """The platforms that a table lists: in its head, or in its first column, if that is called so."""
    head, *rows = [[cell.strip() for cell in line.strip(" |").split("|")] for line in table]
    is_column = head[0].lower() in ("platform", "平台", "alarm starts with")
    text = " | ".join([row[0] for row in rows] if is_column else head)
    return {name for name, words in PLATFORM_WORDS.items() if re.search(words, text, re.IGNORECASE)}


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_a_table_that_lists_platforms_lists_all_of_them(path: Path) -> None:
    found = [(table[0], platforms_of(table)) for table in tables(path)]
    assert [(head, PLATFORM_WORDS.keys() - named) for head, named in found if 3 <= len(named) < 5] == []
