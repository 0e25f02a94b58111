"""The fields of a callback, in XML or JSON. The account's data format decides which.

All values are read as text: ids have more digits than a float holds, and XML has no numbers.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from parley.platforms.tencent.repair import HEADER, NOT_XML, repaired
from parley.untrusted import decode_json, decode_xml

Fields = dict[str, Any]
"""Values are strings, nested `Fields`, or lists of both."""

MAX_SIZE = 262_144
"""Bytes. A message has a few hundred, an event of a large batch job a few thousand."""
MAX_DEPTH = 20
_FIRST = (*HEADER, "Event", "EventKey", "ChangeType", "InfoType")
"""Fields before every text of a person. Of a repeated one the first is the platform's own."""
_LAST = ("MsgId", "AgentID")
"""Fields after every text of a person. Of a repeated one the last is the platform's own."""
_COMMAND = ("InfoType", "TimeStamp", "SuiteId", "AuthCorpId", "SuiteTicket")
_TRIMMED = frozenset(("Encrypt", "Event", "ChangeType", *HEADER, *_LAST, *_COMMAND))
"""Fields around whose values white space has no meaning. It stays around `EventKey`: the bot chooses a button's id."""
_OWN = dict.fromkeys(_FIRST, 0) | dict.fromkeys(_LAST, -1)
"""The place of the platform's own value among those of a repeated field."""

_MAX_FLAT = 1000
"""Fields of a document that needs no parser. The parser refuses a document with too many."""
_FLAT_FIELD = re.compile(r"<([A-Za-z_][\w.-]{0,99})>(?:<!\[CDATA\[([^\]]*)\]\]>|([^\]<>&]*))</\1>")


def is_json(data: bytes) -> bool:
    """Whether the first character that is not white space opens a JSON object."""
    return data.lstrip()[:1] == b"{"


def read(data: bytes) -> Fields:
    """The fields of a body or of decrypted content. Raises ValueError, which says what is wrong with the data."""
    if len(data) > MAX_SIZE:
        raise ValueError(f"larger than {MAX_SIZE} bytes")
    if is_json(data):
        return _settled(_as_text(decode_json(data, MAX_DEPTH)))
    try:
        document = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    return _settled(flat(document) or decode_xml(repaired(document).encode(), "xml", MAX_DEPTH))


def flat(document: str) -> Fields | None:
    """The fields of a document that needs no parser: no field is nested or repeated, no value could end one, and
    nothing is around the fields. None for any other document.

    Most callbacks are such documents. This takes a tenth of a parser's time.
    """
    if not document.startswith("<xml>") or "\r" in document or NOT_XML.search(document):
        return None
    fields: Fields = {}
    place = len("<xml>")
    for match in _FLAT_FIELD.finditer(document, place):
        if match.start() != place or match[1] in fields or len(fields) == _MAX_FLAT:
            return None
        fields[match[1]] = match[3] if match[2] is None else match[2]
        place = match.end()
    return fields if document[place:].strip() == "</xml>" else None


def _settled(fields: Fields) -> Fields:
    """`fields` with one value, without white space around it, for each field that decides what the callback is."""
    for name, value in fields.items():
        if isinstance(value, list) and value and name in _OWN:
            fields[name] = value = value[_OWN[name]]  # noqa: PLW2901  # pyright: ignore[reportUnknownVariableType]
        if name in _TRIMMED and isinstance(value, str):
            fields[name] = value.strip()
    return fields


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
    clean = NOT_XML.sub("\ufffd", str(value)).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{clean}]]>"
