"""The stack that the integration tests share."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack, running


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A running local stack."""
    with running() as found:
        yield found
