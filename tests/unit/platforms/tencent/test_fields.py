"""XML and JSON as fields: what is read, what is refused and why, and what is written."""

import pytest
import xmltodict
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.platforms.tencent.fields import (
    MAX_SIZE,
    degrees,
    each,
    inner,
    integer,
    is_json,
    parsed_or_none,
    read,
    text,
    write_xml,
)


def test_fields_are_text_whatever_they_were() -> None:
    assert read(b"<xml><MsgId>24567890123456789</MsgId><A><![CDATA[ b ]]></A><C/></xml>") == {
        "MsgId": "24567890123456789",
        "A": " b ",
        "C": "",
    }
    assert read(b'{"MsgId":24567890123456789,"A":" b ","C":null,"D":true,"E":1.5,"F":false}') == {
        "MsgId": "24567890123456789",
        "A": " b ",
        "C": "",
        "D": "true",
        "E": "1.5",
        "F": "false",
    }


def test_white_space_between_fields_is_dropped_and_within_them_kept() -> None:
    assert read(b"\n <xml>\n <A>\n <B> x </B>\n</A>\n</xml>\n") == {"A": {"B": " x "}}


def test_a_cdata_end_spread_over_two_sections_is_put_together() -> None:
    assert read(b"<xml><A><![CDATA[a]]]]><![CDATA[>b]]></A></xml>") == {"A": "a]]>b"}


def test_one_and_several_are_told_alike() -> None:
    one, two = read(b"<xml><A>1</A></xml>"), read(b"<xml><A>1</A><A>2</A></xml>")
    assert (each(one, "A"), each(two, "A"), each(one, "B"), each(read(b"<xml><A/></xml>"), "A")) == (
        ["1"],
        ["1", "2"],
        [],
        [],
    )
    assert text(two, "A") == ""
    assert inner(one, "A") == {}


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0" encoding="UTF-8"?><xml><A>1</A></xml>',
        b"<?xml version='1.0' encoding='utf-8' ?>\n<xml><A>1</A></xml>",
        b"\xef\xbb\xbf<xml><A>1</A></xml>",
        b"<?xml version='1.0'?><xml><A>1</A></xml>",
        b'<xml><A b="attributes are nothing">1</A></xml>',
        b"<xml><!-- neither are comments --><A>1</A></xml>",
    ],
)
def test_forms_of_the_same_xml(body: bytes) -> None:
    assert read(body) == {"A": "1"}


def test_what_looks_like_a_doctype_within_a_text_is_a_text() -> None:
    assert read(b"<xml><A><![CDATA[<!DOCTYPE html>]]></A></xml>") == {"A": "<!DOCTYPE html>"}


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><xml><A>&b;</A></xml>'
REFUSED: dict[str, tuple[bytes, str]] = {
    "a bomb": (BOMB, "a DOCTYPE is not allowed"),
    "a bomb behind a declaration": (b"<?xml version='1.0'?>\n" + BOMB, "a DOCTYPE is not allowed"),
    "an external entity": (b'<!doctype x SYSTEM "file:///etc/passwd"><xml/>', "a DOCTYPE is not allowed"),
    "a DOCTYPE behind a comment": (b"<!-- --><!DOCTYPE x><xml><A/></xml>", "neither XML nor JSON"),
    "an entity nobody declared": (b"<xml><A>&a;</A></xml>", "not well-formed XML"),
    "a DOCTYPE inside": (b"<xml><!DOCTYPE x></xml>", "not well-formed XML"),
    "GBK by its bytes": ("<xml><A>你好</A></xml>".encode("gbk"), "not UTF-8"),
    "GBK by its declaration": (b"<?xml version='1.0' encoding='gb2312'?><xml><A/></xml>", "another encoding"),
    "UTF-16": ("<xml><A>1</A></xml>".encode("utf-16"), "not UTF-8"),
    "UTF-16 without a mark": ("<xml><A>1</A></xml>".encode("utf-16-le"), "neither XML nor JSON"),
    "UTF-7": (b"<?xml version='1.0' encoding='utf-7'?><xml>+ADw-</xml>", "another encoding"),
    "nested deep": (b"<xml>" + b"<a>" * 25 + b"</a>" * 25 + b"</xml>", "nested too deep"),
    "nested very deep": (b"<xml>" + b"<a>" * 4900 + b"</a>" * 4900 + b"</xml>", "nested too deep"),
    "a crowd": (b"<xml>" + b"<a/>" * 10_000 + b"</xml>", "too many elements"),
    "too large": (b"<xml><A>" + b"x" * MAX_SIZE + b"</A></xml>", "larger than"),
    "another root": (b"<soap><A/></soap>", "not an <xml> element with fields"),
    "no fields": (b"<xml>text</xml>", "not an <xml> element with fields"),
    "an empty root": (b"<xml/>", "not an <xml> element with fields"),
    "nothing": (b"", "neither XML nor JSON"),
    "not closed": (b"<xml><A>", "not well-formed XML"),
    "two roots": (b"<xml><A/></xml><xml/>", "not well-formed XML"),
    "a control character": (b"<xml><A>\x00</A></xml>", "not well-formed XML"),
    "half a character": (b"<xml><A>\xed\xa0\x80</A></xml>", "not UTF-8"),
    "JSON cut off": (b'{"A":', "not JSON"),
    "JSON nested deep": (b'{"A":' + b"[" * 25 + b"]" * 25 + b"}", "nested too deep"),
    "JSON nested very deep": (b'{"A":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "not JSON"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(body)
    assert parsed_or_none(body) is None


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=100).map(lambda said: f"<xml><A>{said}</A></xml>".encode("utf-8", "surrogatepass")),
    )
)
def test_anything_is_fields_or_a_value_error(body: bytes) -> None:
    try:
        fields = read(body)
    except ValueError:
        return
    assert isinstance(fields, dict)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=100))
def test_any_text_that_is_written_is_read_by_another_parser(said: str) -> None:
    written = write_xml({"A": said, "N": 7, "B": {"C": ["x", "y"]}})
    found = xmltodict.parse(written, strip_whitespace=False)["xml"]
    kept = "".join(
        one if one in "\t\n\r" or 0x20 <= ord(one) < 0xD800 or ord(one) > 0xDFFF else "\ufffd" for one in said
    )
    kept = kept.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    assert (found["A"] or "") == kept
    assert (found["N"], found["B"]["C"]) == ("7", ["x", "y"])


@pytest.mark.parametrize(
    ("value", "number"),
    [("1718000100", 1718000100), (" 7 ", 7), ("", None), ("-1", None), ("1.5", None), ("１２", None), ("9" * 16, None)],
)
def test_numbers(value: str, number: int | None) -> None:
    assert integer(value) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [("39.9", 39.9), ("-116", -116.0), ("+1.", 1.0), ("nan", None), ("inf", None), ("1e5", None), ("", None)],
)
def test_degrees(value: str, number: float | None) -> None:
    assert degrees(value) == number


def test_the_data_format_is_told_by_the_first_byte() -> None:
    assert is_json(b' \n{"a":1}')
    assert not is_json(b"<xml/>")
    assert not is_json(b"")
