"""Makes the XML of callbacks well-formed where a person's text breaks it.

The platforms put a person's text into CDATA sections. A control character, or a `]]>` that is not spread over two
sections, makes the document malformed: the person would read that the account is out of order. Worse, a text such as
`x]]></Content><bizmsgmenuid>...` could pass for further fields.

`repaired` reads a field to its own end tag. In an ordinary message no field is repeated and none is nested, so the last
such tag is the field's own. In an event, lists repeat a tag, so the first one is. So it is in the header, which comes
before every text of a person. The work is linear in the size.
"""

import re
from bisect import bisect_left

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that XML cannot hold, also not as a reference."""
HEADER = ("ToUserName", "FromUserName", "CreateTime", "MsgType")
_NAME = r"([A-Za-z_][\w.-]{0,99})"
_FIELD = re.compile(rf"<{_NAME}>\s*<!\[CDATA\[")
_END = re.compile(rf"\]\]>\s*</{_NAME}>")
_TYPE = re.compile(r"<MsgType>\s*(?:<!\[CDATA\[)?\s*([a-z_]+)")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,8}));")
_SPREAD = "]]]]><![CDATA[>"
"""A `]]>` within CDATA, spread over two sections."""


def repaired(document: str) -> str:
    """`document`, so that it is well-formed as far as its texts are concerned.

    Characters that XML cannot hold become U+FFFD. White space around a CDATA section is dropped.
    """
    document = NOT_XML.sub("\ufffd", document)
    ends = _ends(document)
    # The first MsgType is the one in the header.
    found = _TYPE.search(document)
    is_flat = found is not None and found[1] != "event"
    parts: list[str] = []
    place = 0
    while (field := _FIELD.search(document, place)) is not None:
        parts.append(_markup(document[place : field.start()]))
        end = _end(ends.get(field[1], []), field.end(), is_last=is_flat and field[1] not in HEADER)
        if end is None:
            place = document.find("]]>", field.end()) + 3
            place = place if place >= 3 else len(document)
            parts.append(document[field.start() : place])
            continue
        text = document[field.end() : end[0]].replace("]]><![CDATA[", "").replace("]]>", _SPREAD)
        parts.append(f"<{field[1]}><![CDATA[{text}]]></{field[1]}>")
        place = end[1]
    parts.append(_markup(document[place:]))
    return "".join(parts)


def _ends(document: str) -> dict[str, list[tuple[int, int]]]:
    """For each name, the start and end of each `]]></name>`, in order."""
    ends: dict[str, list[tuple[int, int]]] = {}
    for match in _END.finditer(document):
        ends.setdefault(match[1], []).append(match.span())
    return ends


def _end(ends: list[tuple[int, int]], start: int, *, is_last: bool) -> tuple[int, int] | None:
    """The last or the first of `ends` that does not begin before `start`."""
    if is_last:
        return ends[-1] if ends and ends[-1][0] >= start else None
    place = bisect_left(ends, (start, 0))
    return ends[place] if place < len(ends) else None


def _markup(part: str) -> str:
    """The document between two fields, with the text of fields that have no CDATA."""
    if "<![CDATA[" not in part:
        part = part.replace("]]>", "]]&gt;")
    return _REFERENCE.sub(_reference, part) if "&#" in part else part


def _reference(match: re.Match[str]) -> str:
    number = int(match[1], 16) if match[1] else int(match[2])
    is_character = number <= 0x10FFFF and not NOT_XML.match(chr(number))
    return match[0] if is_character else "\ufffd"
