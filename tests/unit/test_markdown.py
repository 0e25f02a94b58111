"""Blocks of markdown that a platform lacks are written in a form that it has; all else stays as it is."""

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.markdown import LONGEST, Dialect, in_dialect, rewritten, without_pictures
from parley.model import Card, Markdown, Text
from tests.linear import assert_linear

FULL = Dialect()
CODE = Dialect(headings=3, tables="code", rules=False, pictures=False)
LINES = Dialect(tables="lines", code_blocks=False, rules=False, pictures=False)
PIECES = [*"#|-=~`*_> 1.\n\t\\[]()!<a咖", "```", "    ", "|-|", "\n---\n", "\r\n"]
EVIL = ["#### a\n", "a|b\n-|-\n\n", "~~~\na\n", "> a\n", "- a\n", "---\n\n", "    a\n\n", "![a](", "a\n==\n"]
TABLE = "| 名 | n |\n|---|--:|\n| tea \\| x | 1 |\n| 咖啡 | |"


@pytest.mark.parametrize(
    ("text", "dialect", "expected"),
    [
        ("# a\n\n#### b", CODE, "# a\n\n**b**"),
        ("#### b **c**", CODE, "b **c**"),
        ("#### b **c**", FULL, "#### b **c**"),
        ("A\n===\n\nB\nC\n---\nd", FULL, "# A\n\n## B C\nd"),
        ("a\n\n---\n\nb", CODE, "a\n\n──────────\n\nb"),
        ("a\n\n* * *\n\nb", FULL, "a\n\n* * *\n\nb"),
        ("~~~py\na\n~~~", CODE, "```py\na\n```"),
        ("    a\n    b\n\nc", CODE, "```\na\nb\n```\n\nc"),
        ("~~~\n```\n~~~", CODE, "~~~\n```\n~~~"),
        ("```py\na\n```\nb", LINES, "`a`\nb"),
        ("```\n# a\n\n  **b**\nc `d`\n```", LINES, "`# a`\n\n`  **b**`\nc `d`"),
        ("```a", LINES, "a"),
        ("~~~a\n\n~~~\nb", LINES, "a\nb"),
        ("```a b\nc\n```", LINES, "a b\n`c`"),
        (TABLE, CODE, "```\n名       n\n-------  -\ntea | x  1\n咖啡\n```"),
        (TABLE, LINES, "名 | n\ntea | x | 1\n咖啡"),
        (TABLE, FULL, TABLE),
        (f"a\n\n{TABLE}\n\nb", LINES, "a\n\n名 | n\ntea | x | 1\n咖啡\n\nb"),
        ("| a |\n|---|\n| c | d |", CODE, "| a |\n|---|\n| c | d |"),
        ("| a | b |\n|---|\n| c |", CODE, "| a | b |\n|---|\n| c |"),
        ("a | b", CODE, "a | b"),
        ("> # a\n\n- #### b\n\n<b>c</b>\n\n[a]: x", CODE, "> # a\n\n- #### b\n\n<b>c</b>\n\n[a]: x"),
        ("", CODE, ""),
    ],
)
def test_a_block_is_written_as_the_platform_has_it(text: str, dialect: Dialect, expected: str):
    assert rewritten(text, dialect).replace("  \n", "\n") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a ![b](https://e.example/c.png) d", "a [b](https://e.example/c.png) d"),
        ("`![b](https://e.example)` ```\n![b](https://e.example)\n```", None),
        ("![b](img_v3_01) !", None),
        ("![b] (https://e.example)", None),
    ],
)
def test_a_picture_by_its_address_is_a_link(text: str, expected: str | None):
    assert without_pictures(text) == (text if expected is None else expected)


ADDRESSES = "https://a.example/b www.a.example [x](https://a.example)"
BROKEN = "https:\u200b//a.example/b www\u200b.a.example [x]\u200b(https:\u200b//a.example)"


@pytest.mark.parametrize(
    ("text", "blocks", "all_code"),
    [
        (ADDRESSES, ADDRESSES, ADDRESSES),
        (f"`{ADDRESSES}` a", f"`{ADDRESSES}` a", f"`{BROKEN}` a"),
        (f"```sh\n{ADDRESSES}\n```", f"`{BROKEN}`", f"```sh\n{BROKEN}\n```"),
        (f"~~~sh\n{ADDRESSES}\n~~~", f"`{BROKEN}`", f"```sh\n{BROKEN}\n```"),
        (f"    {ADDRESSES}", f"`{BROKEN}`", f"```\n{BROKEN}\n```"),
        (f"``` {ADDRESSES}\na\n```", f"{BROKEN}\n`a`", f"``` {BROKEN}\na\n```"),
        (f"- ```\n  {ADDRESSES}\n  ```", f"- ```\n  {BROKEN}\n  ```", f"- ```\n  {BROKEN}\n  ```"),
        ("```\na://b x[1](2)\n```", "`a:\u200b//b x[1]\u200b(2)`", "```\na:\u200b//b x[1]\u200b(2)\n```"),
    ],
)
def test_code_that_is_shown_as_text_has_no_links(text: str, blocks: str, all_code: str):
    for dialect, expected in ((LINES, blocks), (Dialect(code=False), all_code)):
        (shown,) = in_dialect((Markdown(text=text),), dialect)
        assert isinstance(shown, Markdown)
        assert shown.text == expected


def test_code_in_a_long_text_has_no_links_either():
    text = "x" * LONGEST + "\n```\n{}\n```"
    for dialect in (LINES, Dialect(code=False)):
        assert in_dialect((Markdown(text=text.format(ADDRESSES)),), dialect) == (Markdown(text=text.format(BROKEN)),)


def test_segments_without_such_blocks_are_the_same_objects():
    segments = (Text(text="# a"), Markdown(text="a **b** - c"), Card(title="# a", text="- a\n- b"))
    for before, after in zip(segments, in_dialect(segments, CODE), strict=True):
        assert before is after


def test_the_text_of_a_card_is_markdown_too():
    (card,) = in_dialect((Card(title="T", text="#### a"),), CODE)
    assert card == Card(title="T", text="**a**")


def test_a_text_that_is_too_long_stays_as_it_is():
    text = "#### a\n" + "x" * LONGEST
    assert in_dialect((Markdown(text=text),), CODE) == (Markdown(text=text),)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_no_text_is_lost_and_a_second_run_changes_nothing(text: str):
    # Without code blocks, the language of one is lost: these texts have no letters after a fence.
    without_languages = re.sub(r"(?<=[`~])[^\r\n]*", lambda rest: re.sub("[a咖]", "", rest[0]), text)
    for dialect, source in ((FULL, text), (CODE, text), (LINES, without_languages)):
        once = rewritten(source, dialect)
        letters = [each for each in source if each in "a咖"]
        assert [each for each in once if each in "a咖"] == letters
        if dialect is CODE:
            assert rewritten(once, dialect) == rewritten(rewritten(once, dialect), dialect)


@pytest.mark.parametrize("text", EVIL)
def test_the_time_is_linear(text: str):
    def run(source: str) -> None:
        in_dialect((Markdown(text=source),), CODE)
        rewritten(source, LINES)

    assert_linear(run, lambda size: text * (size // len(text)), small=2000, large=16_000, least=0.02)


@pytest.mark.parametrize(("text", "imported"), [("a **b** `c` [d](https://e.example)\n- e", False), ("# a", True)])
def test_the_library_is_imported_for_a_block_only(text: str, imported: bool):
    code = f"""
import sys
from parley.markdown import Dialect, in_dialect
from parley.model import Markdown
in_dialect([Markdown(text={text!r})], Dialect())
print("markdown_it" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(imported)
