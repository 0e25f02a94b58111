"""The stack that the integration tests share."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack, running


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The running local stack, or a new one that is stopped afterwards."""
    with running() as found:
        yield found
