"""Measures the markdown library: `python -m tools.bench.markdown`.

Prints the CPU time that its import adds to a process that has boto3 already, and the time to rewrite a reply: with the
blocks only, as `parley.markdown` does, and with the inline marks. Each process is fresh and sees only the packages of
the dependencies layer, with byte code. `docs/decisions/markdown.md` holds the figures.
"""

import argparse
import platform
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from parley.markdown import Dialect, rewritten
from tools.bench import timing, views
from tools.bench.timing import Start, Times

CALLS = 20
_BOTO3 = "import boto3\nboto3.client('sqs')"
_MODEL = f"{_BOTO3}\nfrom parley.model import Markdown"
_PLAIN = "in_dialect([Markdown(text='a **b**, and - c')], Dialect())"
_BLOCK = "in_dialect([Markdown(text='# a')], Dialect())"
IMPORTS = {
    "boto3 + SQS client": ("", _BOTO3),
    "markdown-it-py": (_BOTO3, "from markdown_it import MarkdownIt"),
    "a reply without such a block": (_MODEL, f"from parley.markdown import Dialect, in_dialect\n{_PLAIN}"),
    "a reply with a heading": (_MODEL, f"from parley.markdown import Dialect, in_dialect\n{_BLOCK}"),
}
"""By name: the code that runs before the measurement, and the code that is measured."""
ANSWER = """## Orders

There are **three** open orders. The [oldest](https://example.com/7) waits since *Monday*.

| order | person | amount |
|---|---|--:|
| 7 | Lin | 120 |
| 8 | Sam | 30 |

1. Call `Lin`.
2. Send the rest.
"""
TEXTS = {
    "an answer": ANSWER,
    "ten of them": ANSWER * 10,
    "1,000 brackets": "# a\n" + "[" * 1000,
    "4,000 brackets": "# a\n" + "[" * 4000,
}
_DIALECT = Dialect(headings=3, tables="code", rules=False)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.markdown", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="fresh processes per figure (default 15)")
    runs = parser.parse_args().runs
    print(f"Python {platform.python_version()}, {platform.machine()}; medians of CPU time, and ratios")
    with tempfile.TemporaryDirectory() as folder:
        paths = (views.layer(Path(folder)), views.ROOT / "shared")
        imports = [Start(name, code, paths, before) for name, (before, code) in IMPORTS.items()]
        found = timing.starts(imports, runs, {"AWS_DEFAULT_REGION": "us-east-1"})
        _print(f"start, ms ({runs} fresh processes each)", found)
    for name, text in TEXTS.items():
        _print(f"{name} of {len(text)} characters, us", timing.calls(readers(text), CALLS))


def readers(text: str) -> dict[str, Callable[[], Any]]:
    """Functions that read `text`."""
    whole = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return {"blocks, rewritten": lambda: rewritten(text, _DIALECT), "with inline marks": lambda: whole.parse(text)}


def _print(title: str, found: Times) -> None:
    print(f"\n{title}")
    ratios = timing.ratios(found, next(iter(found)))
    for name, values in found.items():
        print(f"  {name:30s}{statistics.median(values):10.1f}  ({ratios[name]:.2f}x)")


if __name__ == "__main__":
    main()
