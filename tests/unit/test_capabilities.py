"""The documents of the capabilities have the words of the code, and there is no empty cell."""

from typing import get_args

import pytest

from parley.adapter import Capabilities, Shown
from parley.platforms import NAMES, capabilities
from tools.make_capabilities import FOLDER, ROWS, SHOWN, columns, documents


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_document_is_what_the_code_generates_now(name: str):
    found = (FOLDER / name).read_text()
    assert found == documents()[name], "the capabilities have changed: python -m tools.make_capabilities"


def test_every_part_and_every_form_has_a_text():
    assert list(ROWS) == list(Capabilities._fields)
    assert list(SHOWN) == list(get_args(Shown))


def test_every_platform_has_its_capabilities():
    assert {"discord", "feishu", "wechat", "wecom"} <= columns().keys() <= set(NAMES)  # a new one has no table yet
    assert {shown for found in columns().values() for shown in found} == set(SHOWN)


def test_a_platform_without_a_table_has_no_capabilities():
    assert capabilities("newchat") is None
