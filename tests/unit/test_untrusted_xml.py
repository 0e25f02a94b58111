"""Untrusted XML: what is decoded, and what is refused with which reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.untrusted import decode_xml, parse_integer


def read(data: bytes) -> dict:
    return decode_xml(data, "xml", 20)


def test_fields_are_text_nested_fields_and_lists() -> None:
    assert read(b"<xml><A>1</A><B><C> x </C></B><D>1</D><D>2</D><E/></xml>") == {
        "A": "1",
        "B": {"C": " x "},
        "D": ["1", "2"],
        "E": "",
    }


def test_white_space_is_dropped_between_fields_and_kept_in_them() -> None:
    assert read(b"\n <xml>\n <A>\n <B> x </B>\n</A>\n</xml>\n") == {"A": {"B": " x "}}


def test_a_cdata_end_that_is_spread_over_two_sections_is_joined() -> None:
    assert read(b"<xml><A><![CDATA[a]]]]><![CDATA[>b]]></A></xml>") == {"A": "a]]>b"}


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0" encoding="UTF-8"?><xml><A>1</A></xml>',
        b"<?xml version='1.0' encoding='utf-8' ?>\n<xml><A>1</A></xml>",
        b"\xef\xbb\xbf<xml><A>1</A></xml>",
        b"<?xml version='1.0'?><xml><A>1</A></xml>",
        b'<xml><A b="ignored">1</A></xml>',
        b"<xml><!-- ignored --><A>1</A></xml>",
    ],
)
def test_declarations_attributes_and_comments_make_no_difference(data: bytes) -> None:
    assert read(data) == {"A": "1"}


def test_a_doctype_within_a_text_is_text() -> None:
    assert read(b"<xml><A><![CDATA[<!DOCTYPE html>]]></A></xml>") == {"A": "<!DOCTYPE html>"}


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><xml><A>&b;</A></xml>'
REFUSED: dict[str, tuple[bytes, str]] = {
    "an entity bomb": (BOMB, "a DOCTYPE is not allowed"),
    "an entity bomb after a declaration": (b"<?xml version='1.0'?>\n" + BOMB, "a DOCTYPE is not allowed"),
    "an external entity": (b'<!doctype x SYSTEM "file:///etc/passwd"><xml/>', "a DOCTYPE is not allowed"),
    "a DOCTYPE after a comment": (b"<!-- --><!DOCTYPE x><xml><A/></xml>", "not XML"),
    "an undeclared entity": (b"<xml><A>&a;</A></xml>", "not well-formed XML"),
    "a DOCTYPE inside the root": (b"<xml><!DOCTYPE x></xml>", "not well-formed XML"),
    "GBK bytes": ("<xml><A>你好</A></xml>".encode("gbk"), "not UTF-8"),
    "a GBK declaration": (b"<?xml version='1.0' encoding='gb2312'?><xml><A/></xml>", "another encoding"),
    "UTF-16": ("<xml><A>1</A></xml>".encode("utf-16"), "not UTF-8"),
    "UTF-16 without a byte order mark": ("<xml><A>1</A></xml>".encode("utf-16-le"), "not XML"),
    "UTF-7": (b"<?xml version='1.0' encoding='utf-7'?><xml>+ADw-</xml>", "another encoding"),
    "deep nesting": (b"<xml>" + b"<a>" * 25 + b"</a>" * 25 + b"</xml>", "nested too deep"),
    "very deep nesting": (b"<xml>" + b"<a>" * 4900 + b"</a>" * 4900 + b"</xml>", "nested too deep"),
    "too many elements": (b"<xml>" + b"<a/>" * 10_000 + b"</xml>", "too many elements"),
    "another root": (b"<soap><A/></soap>", "not an <xml> element with fields"),
    "text only": (b"<xml>text</xml>", "not an <xml> element with fields"),
    "an empty root": (b"<xml/>", "not an <xml> element with fields"),
    "no data": (b"", "not XML"),
    "an open element": (b"<xml><A>", "not well-formed XML"),
    "two roots": (b"<xml><A/></xml><xml/>", "not well-formed XML"),
    "a control character": (b"<xml><A>\x00</A></xml>", "not well-formed XML"),
    "a lone surrogate": (b"<xml><A>\xed\xa0\x80</A></xml>", "not UTF-8"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(data)


@settings(max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=100).map(lambda text: f"<xml><A>{text}</A></xml>".encode("utf-8", "surrogatepass")),
    )
)
def test_any_data_is_decoded_or_raises_value_error(data: bytes) -> None:
    try:
        fields = read(data)
    except ValueError:
        return
    assert isinstance(fields, dict)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1718000100", 1718000100),
        (" 7 ", 7),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("１２", None),
        ("9" * 16, None),
        (7, None),
        (None, None),
    ],
)
def test_only_a_text_of_1_to_15_digits_is_parsed_as_an_integer(value: object, number: int | None) -> None:
    assert parse_integer(value) == number
