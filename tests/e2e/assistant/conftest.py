"""A stack of its own, with the example assistant and the model server of the page."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running local stack with that bot."""
    with running(tmp_path_factory.mktemp("assistant"), bot="examples/assistant") as found:
        yield found
