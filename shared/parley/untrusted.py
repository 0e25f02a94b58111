"""Reads JSON and XML that come from outside and may have any shape.

`decode_json` and `decode_xml` raise ValueError. The other functions never raise: a value of the wrong type reads as the
empty value of the type that is asked for, and so does None, which is what `dict.get` returns for a missing field.
"""

import re
from collections.abc import Callable
from typing import Any, cast

import msgspec

MAX_DEPTH = 100
"""Levels of nesting. Messages of the platforms have far fewer; a much deeper value overflows an encoder's stack."""

MAX_ELEMENTS = 10_000
"""Elements of an XML document. Parsing takes 5 us for each, before the sender has been authenticated."""
_PROLOG = re.compile(r"\s*(?:<\?xml\s([^<>]*)\?>)?\s*")
_ENCODING = re.compile(r"\bencoding\s*=\s*[\"']([^\"']*)[\"']")
_DOCTYPE = re.compile(r"<!DOCTYPE", re.IGNORECASE)
_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def decode_json(data: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Decode strict JSON: UTF-8, no NaN, nothing after the value, at most `max_depth` levels of nesting.

    A lone surrogate, which is half of an emoji, becomes U+FFFD. Raises ValueError.
    """
    try:
        value = msgspec.json.decode(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except ValueError:
        repaired = _LONE_SURROGATE.sub(rb"\\ufffd", data)
        if repaired == data:
            raise
        return decode_json(repaired, max_depth)
    if data.count(b"[") + data.count(b"{") > max_depth and _is_deeper(value, max_depth):
        raise ValueError("nested too deep")
    return value


def decode_xml(data: bytes, root: str, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Decode the element `root`: its fields are text, nested fields, or lists of both if an element is repeated.

    Attributes and comments are ignored. White space is kept in a text and dropped between elements. Refused are a
    document type, whose entities could expand; other encodings than UTF-8; more than `MAX_ELEMENTS` elements; and more
    than `max_depth` levels of nesting. Raises ValueError.
    """
    # Only platforms that send XML load the parser.
    from xml.parsers.expat import ExpatError  # noqa: PLC0415

    import xmltodict  # noqa: PLC0415

    parse = cast("Callable[..., Any]", xmltodict.parse)
    document = _xml_text(data)
    try:
        value = parse(document, disable_entities=True, xml_attribs=False, strip_whitespace=False)
    except (ExpatError, ValueError) as error:
        raise ValueError("not well-formed XML") from error
    fields = mapping(mapping(value).get(root))
    if not fields:
        raise ValueError(f"not an <{root}> element with fields")
    if _is_deeper(fields, max_depth):
        raise ValueError("nested too deep")
    return _without_blanks(fields)


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty dictionary."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def array(value: Any) -> list[Any]:
    """`value` if it is an array, else an empty list."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def mappings(value: Any) -> list[dict[str, Any]]:
    """The objects of an array. Empty objects and values of other types are left out."""
    return [item for item in array(value) if item and isinstance(item, dict)]


def text(value: Any) -> str:
    """`value` if it is a string, else an empty string."""
    return value if isinstance(value, str) else ""


def scalar(value: Any) -> str:
    """`value` as text if it is a string or a number, else an empty string. A boolean is no number."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def texts(value: Any) -> tuple[str, ...]:
    """The strings of an array. Values of other types are left out."""
    return tuple(item for item in array(value) if isinstance(item, str))


def integer(value: Any) -> int | None:
    """`value` if it is an integer, else None. A boolean is no integer."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parse_integer(value: Any) -> int | None:
    """The number in a text of 1 to 15 digits, which every JSON reader holds exactly. None for any other value."""
    digits = text(value).strip()
    return int(digits) if re.fullmatch(r"[0-9]{1,15}", digits) else None


def _is_deeper(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else array(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _xml_text(data: bytes) -> str:
    """The text of an XML document. Only an XML declaration may precede the root. Raises ValueError."""
    try:
        document = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    prolog = _PROLOG.match(document)
    rest = document[prolog.end() :] if prolog else document
    if _DOCTYPE.match(rest):
        raise ValueError("a DOCTYPE is not allowed")
    declared = _ENCODING.search(prolog[1] or "") if prolog else None
    if declared and declared[1].lower() not in {"utf-8", "utf8"}:
        raise ValueError("declares another encoding than UTF-8")
    if not re.match(r"<[A-Za-z]", rest):
        raise ValueError("not XML")
    if document.count("<") > MAX_ELEMENTS:
        raise ValueError("too many elements")
    return document


def _without_blanks(value: Any) -> Any:
    """`value` with an empty text for an empty element, and without the text between elements."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: _without_blanks(part) for name, part in fields.items() if name != "#text"}
    if isinstance(value, list):
        return [_without_blanks(part) for part in cast("list[Any]", value)]
    return "" if value is None else value
