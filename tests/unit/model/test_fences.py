"""Splitting markdown: code blocks that are cut are closed, and opened again."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.fences import split_markdown
from parley.text import split, utf8_size
from tests.linear import assert_linear

CODE = "".join(f"    line_{number} = {number}\n" for number in range(40))
LONG = f"See:\n\n```python\n{CODE}```\n\nThat is all."

words = st.text(st.sampled_from("ab 中文。\n`~\té"), max_size=200) | st.lists(
    st.sampled_from(["```", "```py", "````", "  ```", "code", "    x = 1", "text `a` b", "", "```x```"]), max_size=30
).map("\n".join)


def is_whole(part: str) -> bool:
    """Whether each code block of `part` has an end, as CommonMark reads it."""
    opened = 0
    for line in part.split("\n"):
        ticks = re.match(r"[ \t]*(`{3,})([^`]*)$", line)
        if ticks and not opened:
            opened = len(ticks[1])
        elif ticks and len(ticks[1]) >= opened and not ticks[2].strip():
            opened = 0
    return not opened


def test_a_code_block_goes_on_in_the_next_part_with_its_language_and_its_indentation() -> None:
    first, *others = split_markdown(LONG, 200)
    *middle, last = others
    assert first.startswith("See:\n\n```python\n    line_0")
    assert all(part.startswith("```python\n    line_") for part in others)
    assert all(part.endswith("\n```") for part in (first, *middle))
    assert last.endswith("That is all.")
    code = "\n".join(re.sub(r"(?m)^(```.*|See:|That is all[.]|)\n?", "", part).strip("\n") for part in (first, *others))
    assert code == CODE.strip("\n")


def test_a_cut_at_a_fence_leaves_no_empty_block() -> None:
    text = f"{'word ' * 10}\n```\n{'a' * 30}\n```\nThe end."
    for limit in range(40, 100):
        parts = list(split_markdown(text, limit))
        assert all(is_whole(part) for part in parts), limit
        assert not any(re.search(r"```\n\s*```", part) for part in parts), (limit, parts)


@pytest.mark.parametrize("size", [len, utf8_size])
@given(text=words, limit=st.integers(24, 80))
def test_every_part_is_within_the_limit_and_all_but_the_last_are_whole(
    text: str, limit: int, size: Callable[[str], int]
) -> None:
    *parts, last = list(split_markdown(text, limit, size)) or [""]
    assert all(size(part) <= limit for part in (*parts, last))
    assert all(is_whole(part) for part in parts)
    kept = "".join("".join(part.split()) for part in (*parts, last))
    assert kept.replace("`", "").replace("py", "") == "".join(text.split()).replace("`", "").replace("py", "")


@given(text=st.text(st.sampled_from("ab 中文，。!?\n\t😀é;"), max_size=200), limit=st.integers(8, 40))
def test_a_text_without_code_is_split_as_any_other(text: str, limit: int) -> None:
    assert list(split_markdown(text, limit)) == list(split(text, limit))


def test_the_time_grows_with_the_text() -> None:
    assert_linear(
        lambda text: list(split_markdown(text, 2000)),
        lambda size: LONG * (size // len(LONG)),
        small=50_000,
        large=200_000,
    )
