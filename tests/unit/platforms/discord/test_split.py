"""Splitting of long markdown."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.platforms.discord.markdown import escape
from parley.platforms.discord.split import LIMIT, parts
from parley.text import utf16_size

CODE = "\n".join(f"    line({number})" for number in range(400))


def fences(text: str) -> int:
    return text.count("```")


def test_text_within_the_limit_is_one_part() -> None:
    assert list(parts("a\n\n```py\nx\n```\nb")) == ["a\n\n```py\nx\n```\nb"]
    assert list(parts("x" * LIMIT)) == ["x" * LIMIT]
    assert list(parts(" \n ")) == []


def test_the_length_is_counted_in_utf16_units() -> None:
    assert [len(part) for part in parts("🐼" * 1001)] == [1000, 1]


def test_text_is_split_at_paragraphs_lines_and_sentences_before_words() -> None:
    assert list(parts("one two three.\n\nfour five", 20)) == ["one two three.", "four five"]
    assert list(parts("one two three\nfour five", 20)) == ["one two three", "four five"]
    assert list(parts("Two by two. Three four", 18)) == ["Two by two.", "Three four"]
    assert list(parts("onetwothreefourfive", 10)) == ["onetwothre", "efourfive"]


def test_a_code_block_that_fits_a_part_stays_whole() -> None:
    block = "```py\n" + "x = 1\n" * 200 + "```"
    assert list(parts("word " * 300 + block)) == [("word " * 300).strip(), block]
    assert list(parts("word " * 200 + block)) == [("word " * 200).strip(), block]


def test_a_code_block_that_exceeds_a_part_is_closed_and_reopened_with_its_language() -> None:
    found = list(parts(f"Look:\n```python\n{CODE}\n```\nThat was it."))
    assert all(utf16_size(part) <= LIMIT and fences(part) == 2 for part in found)
    assert found[0].startswith("Look:\n```python\n    line(0)\n")
    assert all(part.startswith("```python\n    line(") for part in found[1:])
    assert found[-1].endswith("```\nThat was it.")
    assert re.findall(r"line\(\d+\)", "".join(found)) == [f"line({number})" for number in range(400)]


def test_a_code_block_in_the_second_half_of_a_part_starts_the_next_part() -> None:
    found = list(parts("word " * 300 + f"```\n{CODE}\n```"))
    assert found[0] == ("word " * 300).strip()
    assert found[1].startswith("```\n    line(0)")


def test_text_after_a_code_block_continues_the_part_or_starts_the_next() -> None:
    short, long = "```\n" + "x\n" * 100 + "```", "```\n" + "x\n" * 900 + "```"
    assert next(parts(f"{short}\n{'word ' * 500}")).startswith(f"{short}\nword")
    assert list(parts(f"{long}\n{'word ' * 100}")) == [long, ("word " * 100).strip()]


def test_a_long_line_of_code_is_split_at_the_limit() -> None:
    found = list(parts("```\n" + "🐼" * 1500 + "\n```"))
    assert all(utf16_size(part) <= LIMIT and fences(part) == 2 for part in found)
    assert "".join(found).count("🐼") == 1500


def test_a_code_block_on_one_line_has_no_language() -> None:
    found = list(parts(f"```{'a b ' * 700}```"))
    assert [part[:5] for part in found] == ["```a ", "```\na"] or all(fences(part) == 2 for part in found)


@pytest.mark.parametrize("limit", range(40, 60))
def test_no_escape_and_no_mention_is_cut_in_two(limit: int) -> None:
    text = "\\*" * 30 + "<@1100000000000000050>" * 3 + "\\\\" * 30
    found = list(parts(text, limit))
    assert "".join(found) == text
    for part in found:
        assert not re.search(r"(?<!\\)(\\\\)*\\$", part)
        assert part.count("<") == part.count(">")


@settings(max_examples=200)
@given(st.text(st.sampled_from("ab*`\\<@1> \n。🐼"), max_size=600), st.integers(40, 200))
def test_only_white_space_is_lost_and_no_part_exceeds_the_limit(text: str, limit: int) -> None:
    found = list(parts(escape(text), limit))
    assert all(0 < utf16_size(part) <= limit for part in found)
    assert re.sub(r"[\s\\]", "", "".join(found)) == re.sub(r"[\s\\]", "", text)


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "py", "c++", "x y"]), st.text(st.sampled_from("ab(){}; \n🐼"), max_size=300)),
        max_size=6,
    ),
    st.text(st.sampled_from("ab. \n"), max_size=100),
    st.integers(60, 200),
)
def test_code_blocks_are_never_left_open(blocks: list[tuple[str, str]], words: str, limit: int) -> None:
    text = words.join(f"```{language}\n{code}```" for language, code in blocks)
    for part in parts(text, limit):
        assert utf16_size(part) <= limit
        assert fences(part) % 2 == 0


def test_long_white_space_is_shortened_and_separates_the_words() -> None:
    assert list(parts("hello" + "\n" * 2100 + "world")) == ["hello\n\nworld"]
    assert list(parts("hello" + " \n" * 2100 + "world")) == ["hello\n\nworld"]
    assert list(parts("hello" + "\u3000" * 2100 + "world")) == ["hello world"]
    assert list(parts("hello" + "\n" * 200 + "world")) == ["hello" + "\n" * 200 + "world"]


@pytest.mark.parametrize("mark", ["# a", "## a", "-# a", "> a", ">a", "- a", "+ a", "1. a", "12) a"])
@pytest.mark.parametrize("before", ["word " * 398 + "abcd ", "x" * 1990 + " "])
def test_a_cut_does_not_make_a_heading_quote_or_list_of_a_line(mark: str, before: str) -> None:
    for pad in range(12):
        first, *others = parts(escape("y" * pad + before + f"{mark} " + "b " * 1000))
        assert others
        assert not any(re.match(r"#{1,3}\s|-#\s|>|[-+]\s|\d+[.)]\s", part) for part in (first, *others))


def test_a_line_that_begins_with_a_mark_keeps_it_after_a_cut() -> None:
    assert list(parts("word " * 399 + "\n# Title\n" + "b " * 200))[1].startswith("# Title")
