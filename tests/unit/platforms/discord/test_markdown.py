"""Escaping of plain text for Discord's markdown, and conversion of its tokens to segments."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.model import Mention, Other, Text, plain_text
from parley.platforms.discord.markdown import escape, segments_of
from parley.platforms.discord.resolved import Resolved

NO_USERS = Resolved.of({})


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("2 * 3 * 4", r"2 \* 3 \* 4"),
        ("snake_case and ~~no~~", r"snake\_case and \~\~no\~\~"),
        ("||secret|| `code`", r"\|\|secret\|\| \`code\`"),
        ("[a](b)", r"\[a](b)"),
        ("a \\ b", r"a \\ b"),
        ("<@123> <#5> <:x:1>", r"\<@123> \<#5> \<:x:1>"),
        ("> quote\n>>> more", "\\> quote\n\\>>> more"),
        ("# head\n  - item\n-# small", "\\# head\n  \\- item\n\\-# small"),
        ("1. one\n 22. two", "1\\. one\n 22\\. two"),
        ("1.5 and 3-4 # no", "1.5 and 3-4 # no"),
        ("see https://a.b/c_d*e and x_y", r"see https://a.b/c_d*e and x\_y"),
        ("中文，好。", "中文，好。"),
        ("", ""),
    ],
)
def test_plain_text_is_escaped(plain: str, escaped: str) -> None:
    assert escape(plain) == escaped


@given(st.text(st.sampled_from("a1.*_~|`[]()<>#-+\\ \n@!中🐼"), max_size=40))
def test_removing_the_backslashes_restores_the_text(plain: str) -> None:
    assert re.sub(r"\\([^0-9A-Za-z\s])", r"\1", escape(plain)) == plain


@given(st.text(st.sampled_from("a*_~|`<\\ \n"), max_size=40))
def test_no_markdown_character_is_left_unescaped(plain: str) -> None:
    bare = re.sub(r"\\[^0-9A-Za-z\s]", "", escape(plain))
    assert not re.search(r"[*_~|`<\\]", bare)


def test_tokens_become_mentions_or_readable_text() -> None:
    known = Resolved.of(
        {
            "resolved": {
                "users": {"1": {"username": "kai", "bot": True}},
                "roles": {"2": {"name": "editors"}},
                "channels": {"3": {"name": "general"}},
            }
        }
    )
    segments = tuple(segments_of("hi <@1>, <@!1> <@&2> in <#3>: </doc file:4> <a:wave:5><:ok:6> <t:1:R> <@x>", known))
    assert [s for s in segments if isinstance(s, Mention)] == [Mention(id="1", name="kai", bot=True)] * 2
    assert [s.data for s in segments if isinstance(s, Other)] == [{"id": "2"}, {"id": "3"}]
    assert plain_text(segments) == "hi @kai, @kai @editors in #general: /doc file :wave::ok: <t:1:R> <@x>"


def test_text_without_tokens_is_one_segment_and_empty_text_is_none() -> None:
    assert tuple(segments_of("a < b", NO_USERS)) == (Text(text="a < b"),)
    assert tuple(segments_of("", NO_USERS)) == ()
