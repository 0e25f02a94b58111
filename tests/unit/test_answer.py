"""The answer to a call is read like everything that comes from outside."""

import pytest

from parley.adapter import Answer


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>502</html>", b"[1]", b'"text"', b'{"a": 1', b'{"a":' * 101 + b"1" + b"}" * 101, b"[" * 100_000],
    ids=["empty", "HTML", "list", "text", "half", "nested", "nested too deep to parse"],
)
def test_a_body_that_is_no_json_object_reads_as_an_empty_one(body: bytes) -> None:
    assert Answer(200, body).json() == {}


def test_half_an_emoji_is_replaced() -> None:
    assert Answer(200, rb'{"errmsg": "no \ud83d"}').json() == {"errmsg": "no \N{REPLACEMENT CHARACTER}"}
