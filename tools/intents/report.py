"""Writes the tables of docs/intents.md and its translation: `make intents ARGS=--write`."""

import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from parley.intents.matcher import THRESHOLD
from tools.bench.report import machine, replaced
from tools.intents import candidates
from tools.intents.figures import AIMED_AT, at_rejected, figures, guesses, how_hard
from tools.intents.sets import Labelled, together

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "shared" / "parley" / "intents"
_COMMAND = "make intents ARGS=--write"
_STARTED = """
import time
from tools.intents import candidates
from tools.intents.sets import labelled
started = time.process_time()
guess = candidates.CANDIDATES[{name!r}](labelled("test")[0].examples)
guess("hello 你好")
print((time.process_time() - started) * 1000)
"""
_WORDS = {
    ".md": {
        "figures": ("", "best", "right", "precision", "rejected"),
        "ways": ("right at 0.90 rejected", "packages", "start", "a message"),
        "hardness": ("right", "{name}: nothing rejected", "{name}: 0.82 rejected"),
        "aim": "the set of the aim",
        "all": "all in one bot, {many} intents",
        "none": "none",
        "on": "`{command}` on {day}: {machine}.",
    },
    ".zh-CN.md": {
        "figures": ("", "首选正确", "召回率", "精确率", "拒识率"),
        "ways": ("拒识率 0.90 时的召回率", "额外的包", "启动", "每条消息"),
        "hardness": ("召回率", "{name}：不拒识", "{name}：拒识率 0.82"),
        "aim": "目标所用的集合",
        "all": "全部合为一个机器人，{many} 个意图",
        "none": "无",
        "on": "`{command}`，{day}：{machine}。",
    },
}
Row = tuple[str, ...]


def write(sets: Sequence[Labelled]) -> None:
    """Measure, and write both documents."""
    missing = [name for name in candidates.CANDIDATES if name not in candidates.possible()]
    if missing:
        raise SystemExit(f"for {missing} run `make intents ARGS=--vectors`, and then {_COMMAND}")
    shares, ways = (
        [_shares(each) for each in (*sets, together(sets))],
        [_way(name, sets) for name in candidates.CANDIDATES],
    )
    hardness = {name: [how_hard(each, candidates.CANDIDATES[name]) for each in sets] for name in AIMED_AT}
    for ending, words in _WORDS.items():
        document = ROOT / "docs" / f"intents{ending}"
        text = replaced(document.read_text("utf-8"), "figures", _figures(sets, shares, words))
        text = replaced(text, "hardness", _hardness(sets, hardness, words))
        document.write_text(replaced(text, "ways", _ways(sets, ways, words)), "utf-8")


def shown(labels: Labelled) -> Row:
    """The figures of Parley for a set, as the documents show them."""
    return _shares(labels)


def _shares(labels: Labelled) -> Row:
    found = figures(guesses(labels, candidates.ours(labels.examples)), THRESHOLD)
    return tuple(f"{share:.2f}" for share in (found.best, found.right, found.precision, found.rejected))


def _way(name: str, sets: Sequence[Labelled]) -> Row:
    """The shares of right intents, the size of the packages in MB, and the CPU times in ms."""
    train = candidates.CANDIDATES[name]
    right = [f"{at_rejected(each, train).right:.2f}" for each in sets]
    guess = train(sets[0].examples)
    started = time.process_time()
    for text, _ in sets[0].messages:
        guess(text)
    took = (time.process_time() - started) / len(sets[0].messages) * 1000
    command = [sys.executable, "-c", _STARTED.format(name=name)]
    start = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    file = candidates.FILES.get(name)
    size = (file.stat().st_size if file else sum(map(_size, candidates.PACKAGES.get(name, ())))) / 1e6
    return (*right, f"{size:.0f} MB" if size else "", f"{float(start):.0f} ms", f"{took:.1f} ms")


def _size(package: str) -> int:
    found = find_spec(package)
    folder = Path(found.origin or "").parent if found else Path()
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _figures(sets: Sequence[Labelled], shares: Sequence[Row], words: dict[str, object]) -> str:
    names = [f"`{each.name}`" for each in sets] + [
        str(words["all"]).format(many=sum(len(each.examples) for each in sets))
    ]
    rows = [(name, *row) for name, row in zip(names, shares, strict=True)]
    return _table(words["figures"], rows)  # pyright: ignore[reportArgumentType]


def _hardness(sets: Sequence[Labelled], found: dict[str, list[Row]], words: dict[str, object]) -> str:
    """How hard each set is for simple ways, and the set of the aim."""
    title, *others = words["hardness"]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
    columns = (str(title), *(str(each).format(name=name) for name in found for each in others))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    rows = [(f"`{each.name}`", *sum((way[number] for way in found.values()), ())) for number, each in enumerate(sets)]
    return _table(columns, [(str(words["aim"]), *sum((AIMED_AT[name] for name in found), ())), *rows])


def _ways(sets: Sequence[Labelled], ways: Sequence[Row], words: dict[str, object]) -> str:
    title, *others = words["ways"]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
    columns = (str(title), *(f"`{each.name}`" for each in sets), *map(str, others))  # pyright: ignore[reportUnknownArgumentType]
    rows = [
        (name, *(cell or str(words["none"]) for cell in way))
        for name, way in zip(candidates.CANDIDATES, ways, strict=True)
    ]
    facts = str(words["on"]).format(command=_COMMAND, day=time.strftime("%Y-%m-%d"), machine=machine())
    return f"{_table(columns, rows)}\n\n{facts}"


def _table(columns: Row, rows: Sequence[Row]) -> str:
    every = [columns, ("---", *("--:" for _ in columns[1:])), *rows]
    return "\n".join(f"| {' | '.join(row)} |".replace("|  |", "| |") for row in every)
