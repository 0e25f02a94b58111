"""The words of a received card. Feishu delivers cards in several forms, so all forms are read in one way.

* simplified: `{"title": "...", "elements": [[{"tag": "text", "text": "..."}]]}`;
* as they were sent: `header` and `elements`, in JSON 2.0 under `body`, with columns, fields and actions;
* the same as JSON text in `json_card` or `user_dsl`.

Which form arrives depends on the sender and the permissions of the app (unverified).
"""

from typing import Any

from parley.platforms.feishu.values import Object
from parley.untrusted import array, decode_json, mapping, mappings, scalar

_WORDS = ("title", "subtitle", "text", "content", "label", "alt", "placeholder", "display_name")
"""Fields that hold words, or an object with words, in reading order."""
_PARTS = (
    "header",
    "text_tag_list",
    "fields",
    "columns",
    "body",
    "elements",
    "actions",
    "extra",
    "options",
    "i18n_elements",
)
"""Fields that hold further parts, in reading order."""
_ADDRESSES = ("href", "url", "default_url")
_SOURCES = ("json_card", "user_dsl")


def card_text(fields: Object) -> str:
    """The words of the card, one line for each element, with the addresses of its links."""
    found: list[str] = []
    level: list[Any] = [_source(fields)]
    while level:
        part = level.pop()
        if isinstance(part, list):
            level.extend(reversed(array(part)))
        elif isinstance(part, dict):
            element = mapping(part)
            found.append(_own_words(element))
            level.extend(_parts(element))
    return "\n".join(filter(None, found))


def _parts(element: Object) -> list[Any]:
    """The parts of `element`, the last first. Of translations, the first language stands for all."""
    parts: list[Any] = []
    for name in reversed(_PARTS):
        part = element.get(name)
        if name == "i18n_elements":
            part = None if "elements" in element else next(iter(mapping(part).values()), None)
        if isinstance(part, dict | list):
            parts.append(part)
    return parts


def _source(fields: Object) -> Object:
    for name in _SOURCES:
        try:
            value = decode_json(scalar(fields.get(name)).encode())
        except ValueError:
            continue
        if isinstance(value, dict):
            return mapping(value)
    return fields


def _own_words(element: Object) -> str:
    """The words of `element` without those of its parts, and the addresses that it opens."""
    if element.get("tag") == "at":
        name = scalar(element.get("user_name")) or scalar(element.get("user_id"))
        return f"@{name}" if name else ""
    words = "\n".join(filter(None, (_words(element.get(name)) for name in _WORDS)))
    if element.get("tag") == "table":
        rows = (" ".join(filter(None, map(_words, row.values()))) for row in mappings(element.get("rows")))
        words = "\n".join(filter(None, (words, *rows)))
    return " ".join(filter(None, (words, *_addresses(element))))


def _words(value: Any) -> str:
    """`value` if it is a text, the text of an object such as `{"tag": "plain_text", "content": "..."}`."""
    if isinstance(value, dict):
        inner = mapping(value)
        return scalar(inner.get("content")) or scalar(inner.get("text"))
    return scalar(value)


def _addresses(element: Object) -> list[str]:
    """The http(s) addresses of a link or button that its words do not show."""
    shown = _words(element.get("text"))
    opened = (mapping(behavior).get("default_url") for behavior in array(element.get("behaviors")))
    links = (*(element.get(name) for name in _ADDRESSES), *opened)
    links += tuple(mapping(element.get(name)).get("url") for name in ("multi_url", "card_link"))
    found = dict.fromkeys(link for link in map(scalar, links) if link.startswith(("http://", "https://")))
    return [link for link in found if link != shown]
