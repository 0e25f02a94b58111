"""Loads the test vectors of a folder, and runs each with the adapter of its platform."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.conformance.kit import Adapter, Failed, NotApplicable, Vector

FOLDER = Path(__file__).parents[1] / "vectors"

Verdict = Literal["passed", "failed", "not applicable"]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one vector. `reason` is empty if it passed."""

    vector: Vector
    verdict: Verdict
    reason: str = ""

    @property
    def line(self) -> str:
        """The result as one line of text."""
        vector = self.vector
        return f"{self.verdict}: {vector.platform} {vector.name} ({vector.kind}): {self.reason}"


def load(folder: Path) -> Iterator[Vector]:
    """The vectors of all `*.json` in `folder`. Raises ValueError, which names the file, for any other content."""
    for path in sorted(folder.glob("*.json")):
        try:
            document = json.loads(path.read_text("utf-8"))
            if isinstance(document, list):
                document = {"vectors": document}
            yield from _vectors(document, path.stem)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path.name}: not a file of vectors: {error}") from error


def run(vector: Vector, adapters: Mapping[str, Adapter]) -> Result:
    """Check one vector. Any exception is a failure of this vector and does not stop the run."""
    try:
        _check(vector, adapters)
    except NotApplicable as error:
        return Result(vector, "not applicable", str(error))
    except Failed as error:
        return Result(vector, "failed", str(error))
    except Exception as error:  # noqa: BLE001
        return Result(vector, "failed", f"raised {type(error).__name__}: {error}")
    return Result(vector, "passed")


def adapter_of(vector: Vector, adapters: Mapping[str, Adapter]) -> Adapter | None:
    """The adapter of the platform of `vector`; None if there is none."""
    names = (adapter for adapter in adapters.values() if vector.platform in (adapter.platform, *adapter.also_called))
    return next(names, None)


def _vectors(document: Mapping[str, Any], stem: str) -> Iterator[Vector]:
    platform = str(document.get("platform") or stem)
    for number, data in enumerate(document["vectors"]):
        name = str(data.get("name") or f"number {number}")
        yield Vector(platform, name, str(data.get("kind") or "unknown"), data, document)


def _check(vector: Vector, adapters: Mapping[str, Adapter]) -> None:
    adapter = adapter_of(vector, adapters)
    if adapter is None:
        raise NotApplicable(f"there is no platform {vector.platform!r}")
    check = adapter.checks.get(vector.kind)
    if check is None:
        raise NotApplicable(f"{vector.platform} has no check for vectors of kind {vector.kind!r}")
    check(vector)
