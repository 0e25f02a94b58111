"""The fields of a callback, in XML or JSON. The account's data format decides which.

All values are read as text: ids have more digits than a float holds, and XML has no numbers.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from parley.untrusted import decode_json, decode_xml

Fields = dict[str, Any]
"""Values are strings, nested `Fields`, or lists of both."""

MAX_SIZE = 262_144
"""Bytes. A message has a few hundred, an event of a large batch job a few thousand."""
MAX_DEPTH = 20
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_json(data: bytes) -> bool:
    """Whether the first character that is not white space opens a JSON object."""
    return data.lstrip()[:1] == b"{"


def read(data: bytes) -> Fields:
    """The fields of a body or of decrypted content. Raises ValueError, which says what is wrong with the data."""
    if len(data) > MAX_SIZE:
        raise ValueError(f"larger than {MAX_SIZE} bytes")
    return _as_text(decode_json(data, MAX_DEPTH)) if is_json(data) else decode_xml(data, "xml", MAX_DEPTH)


def _as_text(value: Any) -> Any:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict():
            return {name: _as_text(part) for name, part in cast("Fields", value).items()}
        case list():
            return [_as_text(part) for part in cast("list[Any]", value)]
        case _:
            return str(value)


def repeated(value: Any) -> list[Any]:
    """The values of an element that may be repeated. XML does not distinguish a list of one from a single value."""
    if isinstance(value, list):
        return cast("list[Any]", value)
    return [] if value is None or value == "" else [value]


def write_xml(fields: Mapping[str, Any]) -> str:
    """`fields` within `<xml>`: text as CDATA, numbers without it, a list as a repeated element."""
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
    # A CDATA section ends at its first `]]>`, so a `]]>` in the text is spread over two sections.
    clean = _NOT_XML.sub("\ufffd", str(value)).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{clean}]]>"
