"""A button's key: id and value survive packing, and any other key is an id."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.model import Button
from parley.platforms.tencent.buttons import pack, unpack


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40), st.text(max_size=80))
def test_unpack_reverses_pack(id_: str, value: str) -> None:
    assert unpack(pack(Button(id=id_, label="x", value=value))) == (id_, value)


def test_an_id_without_a_value_is_not_changed() -> None:
    assert pack(Button(id="btn_ok", label="OK")) == "btn_ok"


@pytest.mark.parametrize("key", ["", "=", "=9=short", "==x", "=a=b", "=12345=x", "a=b"])
def test_a_key_that_pack_did_not_make_is_an_id(key: str) -> None:
    assert unpack(key) == (key, "")
