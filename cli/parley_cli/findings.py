"""What a check has found, in words for people."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from parley_cli.command import Run
from parley_cli.problems import Problem

_MARKS = {"ok": "ok      ", "note": "note    ", "problem": "PROBLEM "}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `do`: the way out. Neither text contains a secret."""

    level: Literal["ok", "note", "problem"]
    what: str
    do: str = ""


def problem(what: str, do: str) -> Finding:
    """Something that does not work."""
    return Finding("problem", what, do)


def ok(what: str) -> Finding:
    """Something that works."""
    return Finding("ok", what)


def note(what: str, do: str = "") -> Finding:
    """Something to know, which may be meant so."""
    return Finding("note", what, do)


def of_problem(found: Problem) -> Finding:
    """A Problem as a finding."""
    return problem(found.what, found.do)


def show(run: Run, found: Iterable[Finding]) -> int:
    """Print the findings, each when it is found. Returns the exit status: 1 if there is a problem."""
    seen: list[Finding] = []
    for finding in found:
        seen.append(finding)
        if not run.as_json:
            run.show(None, _lines(finding))
    problems = sum(finding.level == "problem" for finding in seen)
    value: list[dict[str, Any]] = [asdict(finding) for finding in seen]
    run.show(value, ["", f"{problems} problem{'' if problems == 1 else 's'}" if problems else "no problem found"])
    return 1 if problems else 0


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{_MARKS[finding.level]}{finding.what}"
    if finding.do:
        yield f"        -> {finding.do}"
