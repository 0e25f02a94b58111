"""Folders with some of the installed packages, for processes that must not see the others.

Other packages change the cost of an import. For example, pycryptodome takes twice as long if cffi is installed, as in a
developer's environment. A function sees only the packages of its layer, so the measured processes do too.
"""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def layer(folder: Path) -> Path:
    """The packages of the dependencies layer, from its lock file, and only its services of botocore."""
    text = (ROOT / "layers" / "dependencies" / "requirements.txt").read_text()
    view = _view(folder / "layer", re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE))
    _keep_services(view / "botocore", set(services()))
    return view


def services() -> list[str]:
    """The services whose descriptions the layer's build keeps: `SERVICES` in layers/layer.mk."""
    (found,) = re.findall(r"^SERVICES := ((?:.*\\\n)*.*)$", (ROOT / "layers" / "layer.mk").read_text(), re.MULTILINE)
    return found.replace("\\\n", " ").split()


def _keep_services(botocore: Path, names: set[str]) -> None:
    """Replace the link to botocore by a folder of links, without the descriptions of other services than `names`.

    botocore lists the folders of all services before it makes a client.
    """
    if not botocore.is_symlink():
        return  # done already
    origin = botocore.resolve()
    botocore.unlink()
    (botocore / "data").mkdir(parents=True)
    for part in origin.iterdir():
        if part.name not in ("data", "__pycache__"):
            (botocore / part.name).symlink_to(part)
    (botocore / "__pycache__").symlink_to(origin / "__pycache__")
    for part in (origin / "data").iterdir():
        if part.is_file() or part.name in names:
            (botocore / "data" / part.name).symlink_to(part)


def with_needs(folder: Path, *names: str) -> Path:
    """The packages `names` and all their dependencies."""
    return _view(folder / "-".join(names), sorted(set(_needs(names))))


def _needs(names: tuple[str, ...]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in seen:
            continue
        seen.add(name)
        try:
            required = distribution(name).requires or []
        except PackageNotFoundError:
            continue  # a dependency for another system or Python version
        yield name
        waiting += [found[0] for line in required if "extra ==" not in line and (found := _NAME.match(line))]


def _view(folder: Path, names: list[str]) -> Path:
    if folder.exists():
        return folder
    folder.mkdir()
    for name in names:
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue
        for top in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
            target = folder / top
            if not target.exists():
                target.symlink_to(distribution(name).locate_file(top))  # pyright: ignore[reportArgumentType]
    return folder
