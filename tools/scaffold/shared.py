"""Enters a new platform into the files that all platforms share: template.yaml and the runbook."""

import re
from collections.abc import Callable
from pathlib import Path

_ROW = "    Newchat: {Name: newchat, ResponseTimeout: 3000}\n"
_NEXT = "<!-- Next for newchat: Say how NewChat treats a callback that fails. -->"
_RUNBOOK = f"| `Newchat` | 3 s | not known yet {_NEXT} | not known yet |\n"
_FUNCTION = Path(__file__).with_name("function.yaml")


def enter(root: Path, filled: Callable[[str], str], stem: str) -> None:
    """Change both files. `filled` puts the platform's names into a text, `stem` is its logical id.

    Raises ValueError, which names the file, if a file does not have the form that is looked for.
    """
    template, runbook = root / "template.yaml", root / "docs" / "runbook.md"
    text = template.read_text()
    callbacks = re.findall(r"^    (\w+): \{Name: \w+, ResponseTimeout: \d+\}\n", text, re.MULTILINE)
    text = _after_last(text, r"^    \w+: \{Name: \w+, ResponseTimeout: \d+\}\n", filled(_ROW), template)
    together = ", ".join(callbacks)
    text = _each(text, rf"(?<=^    - \[){together}(?=[,\]])", f"{together}, {stem}", template)
    text = _each(text, r"^  # --- functions of channels, .*\n", f"{filled(_FUNCTION.read_text())}\\g<0>", template)
    rows = _after_last(runbook.read_text(), r"^\| `\w+` \| \d+ s \|.*\n", filled(_RUNBOOK), runbook)
    template.write_text(text)
    runbook.write_text(rows)


def _after_last(text: str, pattern: str, added: str, file: Path) -> str:
    found = list(re.finditer(pattern, text, re.MULTILINE))
    if not found:
        raise ValueError(f"{file.name}: no line like {pattern}")
    return text[: found[-1].end()] + added + text[found[-1].end() :]


def _each(text: str, pattern: str, replacement: str, file: Path) -> str:
    changed, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    if not count:
        raise ValueError(f"{file.name}: no line like {pattern}")
    return changed
