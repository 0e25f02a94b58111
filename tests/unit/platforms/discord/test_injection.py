"""A person's text never becomes a mention, tag, link or heading that the bot did not write."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.model import AnySegment, Card, Link, Markdown, Mention, Quote, Text
from parley.platforms.discord.render import Part, render
from parley.platforms.discord.split import parts
from tests.linear import assert_linear

TOKENS = (
    "<@5> <@!5> <@&5> <#5> </cmd:5> <:a:5> <t:5:R> <id:home> @everyone @here [a](https://evil.example) ](https://e.example)"
    " <https://evil.example> ** __ || ``` ` ~~ \\ < > ( ) [ ] # ## -# - + 1. https:// https://x.example/a_b evil"
).split()
PIECES = st.lists(
    st.sampled_from([*TOKENS, " ", "\n", "\u3000" * 700, " " * 1990, "\n" * 150, "\u2028", "\0", "word " * 395])
    | st.text(max_size=5),
    max_size=14,
).map("".join)
PASSIVE = re.compile(r"\\[^0-9A-Za-z\s]|https?://[^\s<]+")
"""What Discord reads as a whole: an escaped character, and an address, which ends at white space or `<` only."""


def active(content: str) -> str:
    """`content` with a dot for each escaped character and each address."""
    return PASSIVE.sub("·", content)


def check(found: tuple[Part, ...], *, mentions: int = 0) -> None:
    for part in found:
        body = part.body()
        assert set(body["allowed_mentions"]["parse"]) <= {"everyone"}
        assert "roles" not in body["allowed_mentions"]
        texts = [part.content] if part.embed is None else [part.content, part.embed.get("title", "")]
        for text in texts:
            left = active(text)
            assert not re.search(r"<[@#:/ait]", left.replace("<@1>", "", mentions)), text
            assert not re.search(r"\[[^\]]*\]\(", left), text
            assert not re.search(r"\*\*|\|\||```|~~|__", left)
            assert not re.search(r"^(?:#{1,3}\s|-#\s|>{1,3}\s|[-+]\s|\d+\.\s)", left, re.MULTILINE), text
            assert len(text.encode("utf-16-le", "surrogatepass")) // 2 <= 2000


@settings(max_examples=300)
@given(st.lists(PIECES, min_size=1, max_size=4))
def test_texts_stay_text_however_they_are_joined_and_cut(pieces: list[str]) -> None:
    check(render(tuple(Text(text=piece) for piece in pieces), allow_everyone=True))


@settings(max_examples=200)
@given(PIECES, PIECES, PIECES)
def test_names_titles_and_quotes_stay_text(name: str, title: str, quoted: str) -> None:
    segments: tuple[AnySegment, ...] = (
        Text(text=title),
        Mention(id="x y", name=name),
        Card(title=title),
        Link(url=f"x{name}", title=title),
        Text(text=quoted),
    )
    check(render(segments, allow_everyone=True))
    for part in render((Quote(message_id="", text=quoted),)):
        assert part.body()["allowed_mentions"] == {"parse": [], "users": []}


@settings(max_examples=200)
@given(PIECES)
def test_of_a_mention_only_the_person_is_notified(text: str) -> None:
    found = render((Mention(id="1"), Text(text=f" {text}")))
    check(found, mentions=1)
    assert {user for part in found for user in part.body()["allowed_mentions"]["users"]} <= {"1"}
    assert all(not part.everyone for part in found)


def test_a_cut_is_no_quadratic_work() -> None:
    for hostile in ("> " * 100_000, "\u3000" * 200_000 + "x", "# " * 100_000, "\\" * 200_000, "<@" * 100_000):
        assert sum(1 for _ in parts(hostile)) <= 200


@pytest.mark.parametrize(
    "piece", ["**a ", "`a ", "```", "[a](", "<@", "||", "> ", "\\", "*", "_a_", " \n", "a", "\u200b", "\u0301"]
)
def test_the_time_grows_with_the_length_and_no_faster(piece: str) -> None:
    def rendered(text: str) -> list[object]:
        segments = (Text(text=text), Markdown(text=text), Card(title="t", text=text))
        return [render((segment,)) for segment in segments]

    assert_linear(rendered, lambda size: piece * (size // len(piece)), small=20_000, large=100_000, least=0.02)
