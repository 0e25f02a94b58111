"""Every vector of `tests/vectors`, as `make conformance` runs them. A run without vectors fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from parley.platforms import NAMES
from tests.conformance.kit import Adapter, Failed, NotApplicable, Vector, adapters
from tests.conformance.vectors import FOLDER, adapter_of, load, run

VECTORS = list(load(FOLDER))
ADAPTERS = adapters()
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector.platform}-{vector.name}")
def test_a_vector_passes(vector: Vector) -> None:
    result = run(vector, ADAPTERS)
    assert result.verdict == "passed", result.line


def test_every_platform_has_an_adapter_and_vectors() -> None:
    assert set(ADAPTERS) == set(NAMES)
    assert {adapter.platform for vector in VECTORS if (adapter := adapter_of(vector, ADAPTERS))} == set(NAMES)


def adapter(check) -> dict[str, Adapter]:
    known = ADAPTERS["feishu"]
    return {"feishu": type(known)(**{**{f: getattr(known, f) for f in known.__slots__}, "checks": {"k": check}})}


@pytest.mark.parametrize(
    ("raised", "verdict", "reason"),
    [
        (Failed("wrong"), "failed", "wrong"),
        (NotApplicable("not here"), "not applicable", "not here"),
        (KeyError("timestamp"), "failed", "raised KeyError: 'timestamp'"),
    ],
)
def test_the_exception_of_a_check_is_the_verdict_on_its_vector(raised, verdict, reason) -> None:
    def check(_vector: Vector) -> None:
        raise raised

    result = run(Vector("feishu", "v", "k", {}, {}), adapter(check))
    assert (result.verdict, result.reason) == (verdict, reason)


def conformance(folder: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "tools.conformance"],
        cwd=ROOT,
        env={**os.environ, "PARLEY_VECTORS": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_a_run_prints_failed_and_not_applicable_vectors_and_their_counts(tmp_path: Path) -> None:
    good = json.loads((FOLDER / "feishu.json").read_text())["vectors"][0]
    wrong = {**good, "name": "changed", "expected": {"plaintext": "hello moon"}}
    document = {"platform": "feishu", "vectors": [good, wrong, {"name": "new", "kind": "telepathy"}]}
    (tmp_path / "feishu.json").write_text(json.dumps(document))
    (tmp_path / "other.json").write_text(json.dumps([{"name": "v", "kind": "k"}]))

    status, lines = conformance(tmp_path)

    assert status == 1
    assert lines == [
        "failed: feishu changed (decrypt): plaintext: expected 'hello moon', found 'hello world'",
        "not applicable: feishu new (telepathy): feishu has no check for vectors of kind 'telepathy'",
        "not applicable: other v (k): there is no platform 'other'",
        "conformance: 1 passed, 1 failed, 2 not applicable",
    ]


def test_a_folder_without_vectors_or_with_another_file_is_an_error(tmp_path: Path) -> None:
    assert conformance(tmp_path)[0] == 1
    (tmp_path / "feishu.json").write_text('{"platform": "feishu"}')
    status, lines = conformance(tmp_path)
    assert status == 1
    assert lines == ["conformance: feishu.json: not a file of vectors: 'vectors'"]
