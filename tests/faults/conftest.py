"""Simulations replace the AWS clients of their process. Other tests need the originals afterwards."""

from collections.abc import Iterator

import pytest

from tools.faults.aws import isolated


@pytest.fixture(autouse=True)
def isolated_process() -> Iterator[None]:
    """Restores the environment, clients, metrics and logs after each test."""
    with isolated():
        yield
