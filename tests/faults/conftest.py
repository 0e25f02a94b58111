"""Worlds are the AWS of their process; other tests want it back afterwards."""

from collections.abc import Iterator

import pytest

from tools.faults.wire import visiting


@pytest.fixture(autouse=True)
def own_process() -> Iterator[None]:
    """Leaves environment, clients, metrics and logs as they were."""
    with visiting():
        yield
