"""Values that messages carry as text."""

import pytest

from parley.platforms.tencent.messages import degrees


@pytest.mark.parametrize(
    ("value", "number"),
    [("39.9", 39.9), ("-116", -116.0), ("+1.", 1.0), ("nan", None), ("inf", None), ("1e5", None), ("", None)],
)
def test_degrees_are_finite_decimal_numbers(value: str, number: float | None) -> None:
    assert degrees(value) == number
