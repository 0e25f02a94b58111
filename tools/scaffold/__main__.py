"""`python -m tools.scaffold NAME [LABEL]`: writes the files of a new platform, and enters it into the shared ones."""

import argparse
import json
import keyword
import os
import re
import subprocess
import sys
from pathlib import Path

from tools.names import logical_id
from tools.scaffold import shared

ROOT = Path(__file__).resolve().parents[2]
TREE = Path(__file__).with_name("tree")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*")


def main(arguments: list[str]) -> int:
    """Write the platform. Status 1 and a sentence if the name cannot be used."""
    parser = argparse.ArgumentParser(prog="make platform", description=__doc__)
    parser.add_argument("name", help="the folder's name, such as slack or demo_x")
    parser.add_argument("label", nargs="?", help="the name that people know, such as Slack")
    options = parser.parse_args(arguments)
    label = options.label or logical_id(options.name)
    if problem := refusal(options.name, label):
        print(f"error: {problem}", file=sys.stderr)
        return 1
    written = write(options.name, label)
    shared.enter(ROOT, lambda text: filled(text, options.name, label), logical_id(options.name))
    _tidy(written)
    _make_events()
    _python("-m", "tools.cost", "--write")
    _python("-m", "tools.make_limits")
    print(f"{label} is there, with an invented protocol, and answers on the page of `make run`.", *written, sep="\n  ")
    print(f"What to write next: .venv/bin/python -m pytest -rs tests/unit/platforms/{options.name}/test_next.py")
    return 0


def refusal(name: str, label: str) -> str:
    """Why a platform cannot have this name or label; empty if it can."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        return f"{name!r}: a name has small letters and digits, in parts that begin with a letter, joined by one _"
    if not re.fullmatch(r"[\w .+-]{1,24}", label) or len(name) > 24:
        return f"{label!r}: a name and a label have at most 24 characters, a label letters, digits, spaces and . + - _"
    taken = [path for path in targets(name).values() if path.exists()]
    folder = ROOT / "shared" / "parley" / "platforms" / name
    module = ROOT / "playground" / "platforms" / f"{name}.py"
    taken += [path for path in (folder, module) if path.exists()]
    if taken:
        return f"{taken[0].relative_to(ROOT)} exists already"
    return ""


def targets(name: str) -> dict[Path, Path]:
    """The files to write, by the file of the tree that each is made from."""
    sources = [path for path in sorted(TREE.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    return {source: ROOT / str(source.relative_to(TREE)).replace("newchat", name) for source in sources}


def write(name: str, label: str) -> list[str]:
    """Write the platform's own files and return their paths."""
    for source, target in targets(name).items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(filled(source.read_text(), name, label))
    return [str(target.relative_to(ROOT)) for target in targets(name).values()]


def filled(text: str, name: str, label: str) -> str:
    """`text` with the names of the platform in place of the invented one's."""
    return text.replace("NewChat", label).replace("Newchat", logical_id(name)).replace("newchat", name)


def _tidy(paths: list[str]) -> None:
    """Sort the imports and break the lines anew, as both depend on the length of the name."""
    files = [path for path in paths if path.endswith(".py")]
    for step in (["check", "--quiet", "--fix-only"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *step, *files], cwd=ROOT, check=True)


def _make_events() -> None:
    """Write the samples of events/ again, for the moment of those that are there."""
    made_at = json.loads((ROOT / "events" / "feishu" / "text.json").read_text())["requestContext"]["requestTimeEpoch"]
    _python("-c", f"from tools.make_events import FOLDER, write; write(FOLDER, {made_at // 1000})")


def _python(*arguments: str) -> None:
    """Run Python in a new process, because this one does not see the new platform."""
    paths = os.pathsep.join([str(ROOT / "shared"), str(ROOT)])
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
