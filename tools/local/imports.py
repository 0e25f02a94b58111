"""Imports a bot as a function does, and prints what is wrong with it: `python -I -S imports.py FOLDER PATH...`.

The paths take the place of all installed packages. Prints JSON: null, or `{"file", "line", "error"}`; the line is 0 if
none is known.
"""

import json
import sys
import traceback
from pathlib import Path
from typing import Any, TypedDict


class Defect(TypedDict):
    """Why a bot cannot be imported. `file` is relative to the bot's folder."""

    file: str
    line: int
    error: str


def defect(folder: Path) -> Defect | None:
    """What is wrong with the bot in `folder`, which is on the path; None if it can be imported."""
    if not (folder / "bot.py").is_file():
        return Defect(file="bot.py", line=0, error="there is no such file")
    try:
        module = __import__("bot")
        if not hasattr(getattr(module, "bot", None), "handle"):
            return Defect(file="bot.py", line=0, error="it defines no `bot`: write `bot = Bot()` in it")
        _check(module.bot)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # any code can run here
        file, line = _place(error, folder)
        return Defect(file=file, line=line, error=_sentence(error))
    return None


def _check(bot: Any) -> None:
    """Raise what is wrong with the bot as a whole. The packages are those of the functions."""
    from parley.bot import Bot  # noqa: PLC0415  # its path is an argument
    from parley.bot.definitions import check  # noqa: PLC0415

    if isinstance(bot, Bot):
        check(bot)


def _place(error: BaseException, folder: Path) -> tuple[str, int]:
    """The file and the line of the bot at which `error` arose."""
    places = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno or 0))
    mine = [(Path(file).resolve(), line) for file, line in places if Path(file).resolve().is_relative_to(folder)]
    return (str(mine[-1][0].relative_to(folder)), mine[-1][1]) if mine else ("bot.py", 0)


def _sentence(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        return f"{kind}: {error.msg}"
    return f"{kind}: {error}" if str(error) else kind


if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:]
    out, sys.stdout = sys.stdout, sys.stderr  # what the bot prints while it is imported
    json.dump(defect(Path(sys.argv[1]).resolve()), out)
