"""The `custom_id` of buttons and forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.platforms.discord.custom_id import join, part


@given(st.text(min_size=1, max_size=20), st.text(max_size=30))
def test_id_and_value_survive_the_round_trip(id_: str, value: str) -> None:
    if value or "?" in id_:
        assert part(join(id_, value)) == (id_, value)
    else:
        assert part(join(id_)) == (id_, "")


@pytest.mark.parametrize("foreign", ["vote:yes:42", "50%3F", "{}", "a%b"])
def test_a_foreign_id_is_read_unchanged(foreign: str) -> None:
    assert part(foreign) == (foreign, "")


@pytest.mark.parametrize(("id_", "value"), [("", ""), ("a", "v" * 99), ("a" * 101, ""), ("?" * 34, "")])
def test_an_empty_or_too_long_custom_id_is_refused(id_: str, value: str) -> None:
    with pytest.raises(ValueError, match="100"):
        join(id_, value)


def test_a_hundred_characters_fit() -> None:
    assert len(join("a", "v" * 98)) == 100


def test_equal_buttons_of_one_message_have_ids_of_their_own_and_mean_the_same() -> None:
    made = [join("vote", "yes", number) for number in (1, 2, 3, 25)]
    assert made == ["vote?yes", "?2?vote?yes", "?3?vote?yes", "?25?vote?yes"]
    assert {part(each) for each in made} == {("vote", "yes")}
    assert part(join("?2?x", "", 2)) == ("?2?x", "")
    with pytest.raises(ValueError, match="100"):
        join("a", "v" * 98, 2)
