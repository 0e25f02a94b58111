"""A button's key: id and value survive packing, and any other key is an id."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.model import Button, Select
from parley.model.instant import Choice
from parley.platforms.tencent.buttons import Key, pack, pack_choice, unpack


@settings(max_examples=150)
@given(st.text(max_size=40), st.text(max_size=80))
def test_unpack_reverses_pack(id_: str, value: str) -> None:
    assert unpack(pack(Button(id=id_, label="x", value=value))) == Key(id_, value)


@settings(max_examples=150)
@given(st.text(max_size=40), st.text(max_size=80), st.text(max_size=80))
def test_unpack_reverses_pack_choice(id_: str, value: str, chosen: str) -> None:
    choice = Choice("x", chosen)
    key = pack_choice(Select(id=id_, label="x", value=value, choices=(choice,)), choice)
    assert unpack(key) == Key(id_, value, (chosen,))


@given(st.sampled_from(["+", "=", "~", "~u~", "~u~%5C", "\\u4f60"]), st.text(max_size=9))
def test_an_id_that_looks_like_a_key_is_no_choice(first: str, rest: str) -> None:
    assert unpack(pack(Button(id=first + rest, label="x"))) == Key(first + rest, "")


def test_an_id_without_a_value_is_not_changed() -> None:
    assert pack(Button(id="btn_ok", label="OK")) == "btn_ok"


@pytest.mark.parametrize("key", ["", "=", "=9=short", "==x", "=a=b", "=12345=x", "a=b", "+", "+9+short", "++x", "+1"])
def test_a_key_that_pack_did_not_make_is_an_id(key: str) -> None:
    assert unpack(key) == Key(key, "")
