"""Writes the list of commands in docs/cli.md and its translation: `python -m parley_cli.reference`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from parley_cli.command import SHARED_OPTIONS
from parley_cli.main import root

_DOCS = Path(__file__).parents[2] / "docs"
FILES = (_DOCS / "cli.md", _DOCS / "cli.zh-CN.md")
_BEGIN, _END = "<!-- written by python -m parley_cli.reference -->", "<!-- end -->"


def written(text: str) -> str:
    """`text` with the commands of today between its two marks."""
    block = f"{_BEGIN}\n\n{_reference()}\n{_END}"
    return re.sub(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", lambda _found: block, text, flags=re.DOTALL)


def _reference() -> str:
    rows = ["| command | what it does | options |", "|---|---|---|"]
    rows += [
        f"| `{usage}` | {help_} | {options} |" for usage, help_, options in _commands(get_command(root), ("parley",))
    ]
    return "\n".join(rows) + "\n"


def _commands(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Usage, first paragraph of the help, and own options of each command."""
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from _commands(each, (*path, name))
            continue
        arguments = [parameter for parameter in each.params if parameter.param_type_name == "argument"]
        names = [_argument(parameter) for parameter in arguments]
        options = [
            f"`{parameter.opts[0]}` {parameter.help}"
            for parameter in each.params
            if parameter.param_type_name == "option" and parameter.opts[0] not in SHARED_OPTIONS
        ]
        yield " ".join([*path, name, *names]), " ".join(each.help.split("\n\n")[0].split()), "<br>".join(options)


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name.upper()).strip("[]")
    return name if parameter.required else f"[{name}]"


def main() -> None:
    """Write the documents."""
    for file in FILES:
        file.write_text(written(file.read_text()))


if __name__ == "__main__":
    main()
