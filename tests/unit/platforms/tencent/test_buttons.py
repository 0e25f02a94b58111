"""A button's key: what goes in comes out, and foreign keys are ids."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.model import Button
from parley.platforms.tencent.buttons import pack, unpack


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40), st.text(max_size=80))
def test_id_and_value_come_back(id_: str, value: str) -> None:
    assert unpack(pack(Button(id=id_, label="x", value=value))) == (id_, value)


def test_an_id_by_itself_is_left_as_it_is() -> None:
    assert pack(Button(id="btn_ok", label="OK")) == "btn_ok"


@pytest.mark.parametrize("key", ["", "=", "=9=short", "==x", "=a=b", "=12345=x", "a=b"])
def test_a_key_that_was_made_elsewhere_is_an_id(key: str) -> None:
    assert unpack(key) == (key, "")
