"""The failure of a handler, as its author needs it: the line of the bot's own code, and a traceback without values.

Imported only after a failure. The text of an exception may hold a person's text or a secret. It is shown only if the
parameter `ExceptionText` says so; the local stack does.
"""

import sys
import traceback
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from types import TracebackType

from parley.engine.aws import error_code, setting
from parley.errors import AuthorError, ResultError

_OURS = frozenset({"parley", "app", "__main__", "functions"})
"""The modules of Parley, and of a function's handler."""


def reason_of(error: BaseException, handler: str = "") -> str:
    """One line: `KeyError at bot.py:12`. `handler`: that which ran (`Turn.handler`)."""
    if isinstance(error, ResultError):
        return f"{_words(error)} (in {handler})" if handler else _words(error)
    if isinstance(error, AuthorError):
        return f"{_words(error)} (at {place_of(error, handler)})"
    text = f": {error}" if _shows_text() and str(error) else ""
    return f"{error_code(error)} at {place_of(error, handler)}{text}"


def place_of(error: BaseException, handler: str = "") -> str:
    """`bot.py:12`: the innermost line of the bot's code; without one, the handler, or a line of any code."""
    frames = list(_frames(error.__traceback__))
    mine = [each for each in frames if _is_of_bot(each)]
    if not mine and handler:
        return handler
    if not frames:
        return "an unknown place"
    last = (mine or frames)[-1]
    return f"{last.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{last.tb_lineno}"


def traceback_of(error: BaseException) -> str:
    """The traceback from the bot's first line on, with the exceptions that led to this one. Without values."""
    return "\n".join(map(_part, reversed(list(_chain(error)))))


def _part(error: BaseException) -> str:
    frames = list(_frames(error.__traceback__))
    mine = next((number for number, each in enumerate(frames) if _is_of_bot(each)), None)
    # The bot's own code raises no ResultError.
    shown_frames = [] if mine is None and isinstance(error, ResultError) else frames[mine or 0 :]
    listed = [_short(frame) for frame in traceback.extract_tb(shown_frames[0] if shown_frames else None)]
    shown = _words(error) if _shows_text() or isinstance(error, AuthorError) else ""
    end = f"{type(error).__name__}: {shown}" if shown else type(error).__name__
    return "".join(traceback.format_list(listed)) + end


def _short(frame: traceback.FrameSummary) -> traceback.FrameSummary:
    """`frame` with its file as it is imported: `bot.py`, `httpx/_client.py`."""
    folders = sorted((each for each in sys.path if each and frame.filename.startswith(f"{each}/")), key=len)
    name = frame.filename.removeprefix(f"{folders[-1]}/") if folders else frame.filename
    return traceback.FrameSummary(name, frame.lineno, frame.name, line=frame.line)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error`, its cause, the cause of that one, and so on."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _frames(found: TracebackType | None) -> Iterator[TracebackType]:
    while found is not None:
        yield found
        found = found.tb_next


def _is_of_bot(found: TracebackType) -> bool:
    """Whether the line is in a module of the bot: of no package, not in the standard library, and not Parley's."""
    top = str(found.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    return top not in _OURS and top not in sys.stdlib_module_names and top not in _packages()


@cache
def _packages() -> frozenset[str]:
    return frozenset(packages_distributions())


def _words(error: BaseException) -> str:
    """The message, and if texts are shown the notes: these may hold a text of a person."""
    notes = getattr(error, "__notes__", ()) if _shows_text() else ()
    return ", ".join((str(error), *notes))


def _shows_text() -> bool:
    return setting("EXCEPTION_TEXT", "false") == "true"
