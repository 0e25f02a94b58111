"""Untrusted JSON: what is decoded, what is refused, and how each accessor reads a value of the wrong type."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.untrusted import MAX_DEPTH, array, decode_json, integer, mapping, mappings, scalar, text, texts

VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "zero": 0,
    "integer": 7,
    "float": 1.5,
    "string": "a",
    "array": ["a", 1, {}, {"b": 2}, None],
    "object": {"a": 1},
}
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("accessor", "empty", "read"),
    [
        (mapping, {}, {"object": {"a": 1}}),
        (array, [], {"array": VALUES["array"]}),
        (mappings, [], {"array": [{"b": 2}]}),
        (text, "", {"string": "a"}),
        (scalar, "", {"string": "a", "zero": "0", "integer": "7", "float": "1.5"}),
        (texts, (), {"array": ("a",)}),
        (integer, None, {"zero": 0, "integer": 7}),
    ],
)
def test_an_accessor_returns_the_empty_value_for_other_types(accessor: Any, empty: Any, read: dict[str, Any]) -> None:
    for name, value in VALUES.items():
        assert accessor(value) == read.get(name, empty), name


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"NaN", b"[1] x", b'"\xff"', b"\xff", b"\xef\xbb\xbf{}", b"1e999", b"{'a':1}"],
)
def test_decode_json_raises_value_error_for_anything_but_strict_json(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the decoder's
        decode_json(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\ude00"', "\ufffd"),
        (rb'"a\uD83D b\uDE00"', "a\ufffd b\ufffd"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud83d\ude00\ud83d"', "\U0001f600\ufffd"),
    ],
)
def test_a_lone_surrogate_becomes_a_replacement_character(data: bytes, value: str) -> None:
    assert decode_json(data) == value


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 200_000])
def test_json_beyond_the_depth_limit_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        decode_json(nested(depth))


def test_json_within_the_depth_limit_is_decoded() -> None:
    assert decode_json(nested(MAX_DEPTH - 1))
    assert decode_json(b"[" + b"[]," * 500 + b"[]]")
    assert decode_json(nested(3), 3)
    with pytest.raises(ValueError, match="nested too deep"):
        decode_json(nested(4), 3)


@given(documents)
def test_any_document_is_decoded_or_refused(document: Any) -> None:
    try:
        value = decode_json(json.dumps(document).encode())
    except ValueError:
        return
    assert json.dumps(value) is not None
