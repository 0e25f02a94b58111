"""The documents of the limits have the numbers of the code, and the code has each number once."""

import re
from typing import get_args

import pytest

from parley.adapter import NO_LIMIT, ContentLimits
from parley.adapter.content_limits import Beyond
from parley.platforms import NAMES, content_limits
from tools.make_limits import BEYOND, FOLDER, ROWS, documents

FIELDS = [field for field in ContentLimits._fields if field != "name"]


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_document_is_what_the_code_generates_now(name: str):
    assert (FOLDER / name).read_text() == documents()[name], "the limits have changed: python -m tools.make_limits"


def test_every_limit_and_every_treatment_has_a_text():
    assert list(ROWS) == FIELDS
    assert list(BEYOND) == list(get_args(Beyond))


@pytest.mark.parametrize("field", FIELDS)
def test_every_limit_is_that_of_a_platform(field: str):
    assert any(getattr(content_limits(name), field) is not NO_LIMIT for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_platform_limits_its_messages(name: str):
    limits = content_limits(name)
    if name == "http":  # a client of the team's own gets every reply that the journal can hold
        assert limits.text == NO_LIMIT
        return
    assert limits.text.unit in {"characters", "bytes"}
    assert limits.text.beyond == "continued"


def test_both_documents_have_the_same_numbers():
    english, chinese = (
        re.findall(r"[\d,]+(?= MiB|\s*bytes| 字节|\s*characters| 字符)", text) for text in documents().values()
    )
    assert english == chinese
