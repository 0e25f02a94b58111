"""Fields of callbacks: the same from XML and JSON, refused with a reason, and written as XML."""

import pytest
import xmltodict
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.platforms.tencent.fields import MAX_SIZE, flat, is_json, read, repeated, write_xml
from parley.platforms.tencent.repair import repaired
from parley.untrusted import decode_xml


def test_every_value_is_read_as_text() -> None:
    assert read(b"<xml><MsgId>24567890123456789</MsgId><A><![CDATA[ b ]]></A><C/></xml>") == {
        "MsgId": "24567890123456789",
        "A": " b ",
        "C": "",
    }
    assert read(b'{"MsgId":24567890123456789,"A":" b ","C":null,"D":true,"E":1.5,"F":false,"G":[1,{"H":2}]}') == {
        "MsgId": "24567890123456789",
        "A": " b ",
        "C": "",
        "D": "true",
        "E": "1.5",
        "F": "false",
        "G": ["1", {"H": "2"}],
    }


def test_a_repeated_element_is_a_list_whether_there_are_none_one_or_several() -> None:
    one, two = read(b"<xml><A>1</A></xml>"), read(b"<xml><A>1</A><A>2</A></xml>")
    empty = read(b"<xml><A/></xml>")
    lists = [repeated(value) for value in (one.get("A"), two.get("A"), one.get("B"), empty.get("A"))]
    assert lists == [["1"], ["1", "2"], [], []]


REFUSED: dict[str, tuple[bytes, str]] = {
    "too large": (b"<xml><A>" + b"x" * MAX_SIZE + b"</A></xml>", "larger than"),
    "XML with a DOCTYPE": (b"<!DOCTYPE x><xml><A/></xml>", "a DOCTYPE is not allowed"),
    "XML with another root": (b"<soap><A/></soap>", "not an <xml> element with fields"),
    "XML with deep nesting": (b"<xml>" + b"<a>" * 25 + b"</a>" * 25 + b"</xml>", "nested too deep"),
    "neither XML nor JSON": (b"text", "not XML"),
    "truncated JSON": (b'{"A":', "truncated"),
    "JSON with deep nesting": (b'{"A":' + b"[" * 25 + b"]" * 25 + b"}", "nested too deep"),
    "JSON with very deep nesting": (b'{"A":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested too deep"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(data)


@settings(max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=100).map(lambda text: f'{{"A":{text}}}'.encode("utf-8", "surrogatepass")),
    )
)
def test_any_data_is_read_as_fields_or_raises_value_error(data: bytes) -> None:
    try:
        fields = read(data)
    except ValueError:
        return
    assert isinstance(fields, dict)


@settings(max_examples=150)
@given(st.text(max_size=100))
def test_another_parser_reads_the_text_that_was_written(text: str) -> None:
    written = write_xml({"A": text, "N": 7, "B": {"C": ["x", "y"]}})
    found = xmltodict.parse(written, strip_whitespace=False)["xml"]
    expected = "".join(
        char if char in "\t\n\r" or 0x20 <= ord(char) < 0xD800 or ord(char) > 0xDFFF else "\ufffd" for char in text
    )
    expected = expected.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    expected = expected.replace("\r\n", "\n").replace("\r", "\n")
    assert (found["A"] or "") == expected
    assert (found["N"], found["B"]["C"]) == ("7", ["x", "y"])


PIECES = [
    "<A>",
    "</A>",
    "<B>",
    "</B>",
    "<![CDATA[",
    "]]>",
    "x",
    "]",
    "&amp;",
    " ",
    "\n",
    "\r",
    "\x1d",
    "<C/>",
    "<",
    "é",
]


@settings(max_examples=500)
@given(
    st.one_of(
        st.lists(st.sampled_from(PIECES), max_size=10).map("".join),
        st.dictionaries(st.sampled_from("ABCDE"), st.text(alphabet="x]<>& \r\n\x1d你", max_size=8)).map(
            lambda fields: write_xml(fields)[5:-6]
        ),
    )
)
def test_a_document_that_needs_no_parser_is_read_as_the_parser_reads_it(content: str) -> None:
    document = f"<xml>{content}</xml>"
    if fields := flat(document):
        assert fields == decode_xml(repaired(document).encode(), "xml", 20)


def test_the_documents_of_the_platforms_need_no_parser() -> None:
    assert flat("<xml><A><![CDATA[x y]]></A><N>7</N><E></E><F><![CDATA[]]></F></xml>\n") == {
        "A": "x y",
        "N": "7",
        "E": "",
        "F": "",
    }
    for other in (
        "<A>1</A><A>2</A>",
        "<A><B>1</B></A>",
        " <A>1</A>",
        "<A>&lt;</A>",
        "<A>1</A>x",
        "<A><![CDATA[]]]></A>",
    ):
        assert flat(f"<xml>{other}</xml>") is None
    assert flat("<xml></xml>") == {}


def test_the_data_format_is_json_if_the_first_character_opens_an_object() -> None:
    assert is_json(b' \n{"a":1}')
    assert not is_json(b"<xml/>")
    assert not is_json(b"")
