"""Worlds are the AWS of their process; other tests want it back afterwards."""

import os
from collections.abc import Iterator

import pytest

from parley.engine import telemetry
from tools.faults import wire


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leaves environment, clients, metrics and logs as they were."""
    environment, level = dict(os.environ), telemetry.log.log_level
    monkeypatch.setattr(telemetry, "_emit", telemetry._emit)
    yield
    wire.leave()
    telemetry.log.setLevel(level)
    os.environ.clear()
    os.environ.update(environment)
