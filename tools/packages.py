"""`make add PACKAGE=rapidfuzz` and `make remove PACKAGE=rapidfuzz`: the packages of the bot's folder.

`add` pins the newest version, with hashes for all architectures; it upgrades no other package. It prints what the
package adds to the layer and to a cold start. Without a package, it pins the packages again: the dependencies layer of
a new release can have other versions.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

from tools import bot
from tools.bench import timing, views
from tools.bench.timing import Start
from tools.local import build

_LAYER = bot.ROOT / "layers" / "dependencies" / "requirements.txt"
_TARGETS = bot.ROOT / "layers" / "targets"
_DEPLOYED = "python3.13-arm64"
_ALSO = "python3.13-x86_64"
_LIMIT = 250
"""Megabytes of a function with its layers, unpacked: AWS's quota."""
_RUNS = 7
Pins = dict[str, str]
"""Versions by name."""


class PackageError(Exception):
    """The package cannot be pinned. The message says why."""


def main(arguments: list[str]) -> int:
    """Change the packages and print the effects. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    parser.add_argument("command", choices=["add", "remove"])
    parser.add_argument("package", nargs="?", default="", help="a requirement, such as rapidfuzz or 'rapidfuzz>=3'")
    options = parser.parse_args(arguments)
    folder = bot.ROOT / bot.folder()
    try:
        if options.command == "add":
            _add(folder, options.package.strip())
        else:
            _remove(folder, name_of(options.package))
    except PackageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def name_of(requirement: str) -> str:
    """The normalised name in `requirement`. Raises PackageError."""
    found = re.match(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?=$|[\s\[<>=!~;])", requirement)
    if found is None:
        raise PackageError(f"{requirement!r} is not a package. Write for example: make add PACKAGE=rapidfuzz")
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pins(file: Path) -> Pins:
    """The pinned versions in a lock file; none if it does not exist."""
    text = file.read_text() if file.is_file() else ""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))


def _add(folder: Path, requirement: str) -> None:
    name = name_of(requirement) if requirement else ""
    version = pins(_LAYER).get(name)
    if version and "[" not in requirement:
        print(f"{name} {version} is in the dependencies layer, so the bot can import it. Nothing was added.")
        return
    before = pins(folder / "requirements.txt")
    with tempfile.TemporaryDirectory() as temporary:
        old = Path(temporary) / "old"
        _copy(folder, old)
        try:
            if requirement:
                _write(folder, [*_without(folder, name), requirement])
            _pin(name)
            _check_and_measure(folder, old, name, Path(temporary))
        except PackageError:
            _restore(old, folder)
            raise
        _report(before, pins(folder / "requirements.txt"))


def _check_and_measure(folder: Path, old: Path, name: str, temporary: Path) -> None:
    """Build the layers and print what they gain. Raises PackageError if there is no wheel for an architecture."""
    layer, _ = (_build(folder, temporary / target, target) for target in (_DEPLOYED, _ALSO))
    size = _megabytes(layer)
    try:
        gain = f"{size - _megabytes(_build(old, temporary / 'before', _DEPLOYED)):+.1f} MB, "
    except PackageError:  # the dependencies layer of a new release holds one of the packages
        gain = ""
    print(f"layer: {gain}{size:.1f} MB in all; AWS allows {_LIMIT} MB with all layers")
    if name:
        print(_import_time(folder, name, temporary))


def _remove(folder: Path, name: str) -> None:
    before, left = pins(folder / "requirements.txt"), _without(folder, name)
    if left == _lines(folder):
        raise PackageError(f"{bot.folder()}/requirements.in does not name {name}.")
    _write(folder, left)
    if left:
        _pin("")
    else:
        for file in ("requirements.in", "requirements.txt"):
            (folder / file).unlink(missing_ok=True)
    _report(before, pins(folder / "requirements.txt"))


def _lines(folder: Path) -> list[str]:
    file = folder / "requirements.in"
    return [line for line in file.read_text().splitlines() if line.strip()] if file.is_file() else []


def _without(folder: Path, name: str) -> list[str]:
    return [line for line in _lines(folder) if line.startswith("#") or name_of(line) != name]


def _write(folder: Path, lines: list[str]) -> None:
    (folder / "requirements.in").write_text("".join(f"{line}\n" for line in lines))


def _pin(upgraded: str) -> None:
    _run(["sh", "tools/setup.sh", "bot"], bot.ROOT, UPGRADE=upgraded)


def _copy(folder: Path, target: Path) -> None:
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))


def _restore(old: Path, folder: Path) -> None:
    for name in ("requirements.in", "requirements.txt"):
        if (old / name).exists():
            shutil.copy(old / name, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)


def _build(folder: Path, result: Path, target: str, **environment: str) -> Path:
    """The bot's layer for `target`, as `sam build` makes it. Raises PackageError."""
    makefile = _TARGETS / target / "Makefile"
    _run(["make", "-f", makefile, "build-BotLayer", f"ARTIFACTS_DIR={result}"], folder, **environment)
    return result / "python"


def _run(command: list[str | Path], cwd: Path, **environment: str) -> None:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackageError((done.stderr or done.stdout).strip()[-2000:])


def _report(before: Pins, after: Pins) -> None:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            print(f"{name}: {before.get(name, 'not pinned')} -> {after.get(name, 'not pinned')}")
    if before == after:
        print("All pins are as before.")


def _megabytes(layer: Path) -> float:
    return sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) / 1e6


def _import_time(folder: Path, name: str, temporary: Path) -> str:
    """A line with the time of importing the package `name` in a process that has loaded Parley already."""
    machine = dict(parameter.split("=", 1) for parameter in build.parameters())
    here = f"{machine['PythonRuntime']}-{machine['Architecture']}"
    layer = _build(folder, temporary / "here", here, PARLEY_LAYER_HOST="1")
    modules = modules_of(layer, name)
    paths = (layer, bot.ROOT / "shared", views.layer(temporary))
    start = Start(name, f"import {', '.join(modules)}", paths, before="import parley.engine.processor, parley.bot")
    try:
        taken = statistics.median(timing.starts([start], _RUNS)[name])
    except SystemExit:
        return f"import: not measured, because `import {', '.join(modules)}` fails"
    return f"import: {taken:.0f} ms on this machine (import {', '.join(modules)}); a cold start takes that much longer"


def modules_of(layer: Path, name: str) -> list[str]:
    """The public top-level modules of the package `name` that is installed in `layer`."""
    for found in distributions(path=[str(layer)]):
        if name_of(found.metadata["Name"]) == name:
            files = [file.parts for file in found.files or () if file.suffix in (".py", ".so")]
            tops = {parts[0].split(".")[0] for parts in files if len(parts) == 1 or parts[-1].startswith("__init__.")}
            return sorted(top for top in tops if top.isidentifier() and not top.startswith("_"))
    return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
