"""Reading and writing the XML (or JSON) that both platforms speak.

Everything that is read becomes strings: ids have more digits than a float holds, and XML knows no numbers anyway.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast
from xml.parsers.expat import ExpatError

import msgspec
import xmltodict

Fields = dict[str, Any]
"""Values are strings, nested `Fields`, or lists of both."""

MAX_SIZE = 262_144
"""Bytes. A message is a few hundred, an event of a large batch job a few thousand."""
MAX_DEPTH = 20
_MAX_TAGS = 10_000
"""Parsing takes 5 us a tag, for whoever sends it, and nothing is believed yet."""
_PROLOG = re.compile(r"\s*(?:<\?xml\s([^<>]*)\?>)?\s*")
_ENCODING = re.compile(r"\bencoding\s*=\s*[\"']([^\"']*)[\"']")
_DOCTYPE = re.compile(r"<!DOCTYPE", re.IGNORECASE)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_parse = cast("Callable[..., Any]", xmltodict.parse)


def is_json(data: bytes) -> bool:
    """Whether the account's data format is JSON: told by the first byte that is not blank."""
    return data.lstrip()[:1] == b"{"


def read(data: bytes) -> Fields:
    """The fields of a body or a decrypted message. Raises ValueError, whose message says what is wrong with it."""
    if len(data) > MAX_SIZE:
        raise ValueError(f"larger than {MAX_SIZE} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    return _json(text) if is_json(data) else _xml(text)


def parsed_or_none(data: bytes) -> Fields | None:
    """`read`, for where a body that cannot be read is as good as none."""
    try:
        return read(data)
    except ValueError:
        return None


def _json(text: str) -> Fields:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error
    return _cleaned(value, 0)


def _xml(text: str) -> Fields:
    _check_prolog(text)
    if text.count("<") > _MAX_TAGS:
        raise ValueError("too many elements")
    try:
        # White space is the person's own within a field; between fields it is dropped below.
        value = _parse(text, disable_entities=True, xml_attribs=False, strip_whitespace=False)
    except (ExpatError, ValueError) as error:
        raise ValueError("not well-formed XML") from error
    if not inner(value, "xml"):
        raise ValueError("not an <xml> element with fields")
    return _cleaned(value["xml"], 0)


def _check_prolog(text: str) -> None:
    """Nothing but an XML declaration may stand before the root: no document type, so no entities to expand."""
    prolog = _PROLOG.match(text)
    rest = text[prolog.end() :] if prolog else text
    if _DOCTYPE.match(rest):
        raise ValueError("a DOCTYPE is not allowed")
    declared = _ENCODING.search(prolog[1] or "") if prolog else None
    if declared and declared[1].lower() not in {"utf-8", "utf8"}:
        raise ValueError("declares another encoding than UTF-8")
    if not re.match(r"<[A-Za-z]", rest):
        raise ValueError("neither XML nor JSON")


def _cleaned(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict():
            inner = cast("dict[str, Any]", value)
            return {name: _cleaned(part, depth + 1) for name, part in inner.items() if name != "#text"}
        case list():
            return [_cleaned(part, depth + 1) for part in cast("list[Any]", value)]
        case _:
            return str(value)


def text(fields: Fields, name: str) -> str:
    """The field `name` if it is there once, as text; else an empty string."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def inner(fields: Fields, name: str) -> Fields:
    """The fields within `name`; none where it has none."""
    value = fields.get(name)
    return cast("Fields", value) if isinstance(value, dict) else {}


def each(fields: Fields, name: str) -> list[Any]:
    """The values of `name`: XML shows a list of one like a single value."""
    value = fields.get(name)
    if isinstance(value, list):
        return cast("list[Any]", value)
    return [] if value is None or value == "" else [value]


def integer(value: str) -> int | None:
    """`value` as a number of at most 15 digits, which every JSON reader holds; None where it is none."""
    digits = value.strip()
    return int(digits) if re.fullmatch(r"[0-9]{1,15}", digits) else None


def degrees(value: str) -> float | None:
    """A latitude or longitude; None where it is none, infinities among them."""
    digits = value.strip()
    return float(digits) if re.fullmatch(r"[+-]?[0-9]{1,3}(\.[0-9]{0,20})?", digits) else None


def write_xml(fields: Mapping[str, Any]) -> str:
    """`fields` within `<xml>`: text as CDATA, numbers bare, a list as an element repeated."""
    return f"<xml>{_elements(fields)}</xml>"


def _elements(fields: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for name, value in fields.items():
        values = cast("list[Any]", value) if isinstance(value, list) else [value]
        parts.extend(f"<{name}>{_content(one)}</{name}>" for one in values)
    return "".join(parts)


def _content(value: Any) -> str:
    if isinstance(value, Mapping):
        return _elements(cast("Mapping[str, Any]", value))
    if isinstance(value, int):
        return str(value)
    # A CDATA section ends at its first `]]>`, so that one inside is spread over two sections.
    clean = _NOT_XML.sub("\ufffd", str(value)).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{clean}]]>"
