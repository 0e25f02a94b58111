"""Splitting text: parts within the limit, no cut inside a character, and only white space is lost."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.text import split, utf8_size, utf16_size, without_direction

Size = Callable[[str], int]
SIZES: list[Size] = [len, utf8_size, utf16_size]
WIDEST = {len: 1, utf8_size: 4, utf16_size: 2}
"""The largest size of one character, for each size function."""

words = st.text(st.sampled_from("ab 中文，。!?\n\t😀é\u3000;"), max_size=200) | st.text(max_size=120)


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("size", SIZES)
@given(text=words, room=st.integers(0, 40))
def test_every_part_is_within_the_limit(text: str, room: int, size: Size):
    limit = WIDEST[size] + room
    assert all(size(part) <= limit for part in split(text, limit, size))


@pytest.mark.parametrize("size", SIZES)
@given(text=words, room=st.integers(0, 40))
def test_the_parts_contain_all_characters_in_order_except_white_space(text: str, room: int, size: Size):
    parts = list(split(text, WIDEST[size] + room, size))
    assert squeezed("".join(parts)) == squeezed(text)


@given(text=words, limit=st.integers(1, 40))
def test_every_part_is_trimmed_and_not_empty(text: str, limit: int):
    for part in split(text, limit):
        assert part
        assert part == part.strip()


@given(text=words)
def test_text_within_the_limit_is_one_part(text: str):
    assert list(split(text, max(1, len(text)))) == ([text.strip()] if text.strip() else [])


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("first paragraph\n\nsecond", 18, ["first paragraph", "second"]),
        ("one line\ntwo lines", 12, ["one line", "two lines"]),
        ("It is. And more", 10, ["It is.", "And more"]),
        ("早上好。今天天气", 6, ["早上好。", "今天天气"]),
        ("3.14159265", 6, ["3.1415", "9265"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        (" \n ", 5, []),
    ],
)
def test_the_cut_is_at_the_best_place_in_the_second_half(text: str, limit: int, parts: list[str]):
    assert list(split(text, limit)) == parts


def test_a_character_wider_than_the_limit_is_one_part():
    assert list(split("😀😀", 1, utf16_size)) == ["😀", "😀"]


@pytest.mark.parametrize("whole", ["👨‍👩‍👧‍👦", "e\u0301", "👍🏽", "🇨🇳", "❤\ufe0f"], ids=ascii)
def test_a_grapheme_cluster_within_the_limit_is_not_cut(whole: str):
    text = f"xxxxxxxx{whole}yy"
    for limit in range(len(whole), len(text)):
        assert any(whole in part for part in split(text, limit)), limit


def test_two_flags_are_cut_between_them():
    assert list(split("🇨🇳🇩🇪", 3)) == ["🇨🇳", "🇩🇪"]


def test_a_grapheme_cluster_beyond_the_limit_is_cut():
    assert list(split("e\u0301\u0302", 2)) == ["e\u0301", "\u0302"]
    assert list(split("ab" + "\u0301" * 99, 100)) == ["a", "b" + "\u0301" * 99]
    assert list(split("ab" + "\u0301" * 100, 101)) == ["ab" + "\u0301" * 99, "\u0301"]


def test_sizes_count_as_the_platforms_do():
    assert (utf8_size("a中😀"), utf16_size("a中😀")) == (8, 4)


@given(st.text(st.characters(exclude_categories=())))
def test_sizes_accept_any_string_even_half_a_surrogate_pair(text: str):
    assert len(text) <= utf16_size(text) <= utf8_size(text) if text.isascii() else utf8_size(text) >= len(text)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("gap", "between"), [("\n" * 2100, "\n\n"), (" \n" * 2100, "\n\n"), (" " * 2100, " "), ("\u3000" * 2100, " ")]
)
def test_a_long_gap_is_shortened_and_still_separates_the_words(size: Size, gap: str, between: str) -> None:
    assert list(split(f"hello{gap}world", 2000, size)) == [f"hello{between}world"]


def test_a_gap_in_a_text_within_the_limit_is_kept() -> None:
    text = "hello" + "\n" * 200 + "world"
    assert list(split(text, 2000)) == [text]


@pytest.mark.parametrize("code", [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_no_character_changes_the_direction_of_writing(code: int) -> None:
    assert without_direction(f"a{chr(code)}b") == "ab"
    assert without_direction(f"a{chr(code)}b", "?") == "a?b"


def test_other_texts_stay_as_they_are() -> None:
    text = "עברית עربي 中文 👩\u200d💻 a\u200bb\u2060\u00a0\u202f"
    assert without_direction(text) == text
