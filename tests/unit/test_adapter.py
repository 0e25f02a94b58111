"""Headers, as every platform reads them."""

import pytest

from parley.adapter import Headers


@pytest.mark.parametrize("name", ["X-Lark-Signature", "x-lark-signature", "X-LARK-SIGNATURE"])
def test_a_header_is_found_without_regard_to_case(name: str) -> None:
    headers = Headers({"X-Lark-Signature": "s"})
    assert (headers[name], headers.get(name), headers.get(name, "other")) == ("s", "s", "s")
    assert name in headers


def test_a_missing_header_has_the_default() -> None:
    headers = Headers({})
    assert (headers.get("a"), headers.get("a", ""), headers.get("a", 0)) == (None, "", 0)
    with pytest.raises(KeyError):
        headers["a"]
