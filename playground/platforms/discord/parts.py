"""The parts of Discord's messages for the page."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from parley.platforms.discord.custom_id import part
from playground.platforms.buttons import find_number
from playground.platforms.model import NamedButton, Part

_USER = re.compile(r"<@!?(\d{1,20})>")
_ESCAPED = re.compile(r"\\(?P<character>[^0-9A-Za-z\s])|(?P<code>```[\s\S]*?```|`[^`\n]+`)")
"""An escaped character, or code, in which a backslash escapes nothing."""
_STYLES = {1: "primary", 3: "primary", 4: "danger"}
_LINK, _BUTTON = 5, 2
_EPHEMERAL = 64


def parts_of(content: Mapping[str, Any], name_of: Callable[[str], str], visible_to: str) -> list[Part]:
    """The parts of a message. `visible_to`: the name of the only person who sees an ephemeral message."""
    parts: list[Part] = []
    if content.get("flags", 0) & _EPHEMERAL:
        parts.append({"kind": "text", "text": f"👁 {visible_to}", "small": True})
    if content.get("content"):
        parts.append(_markdown(content["content"], name_of))
    parts += (_file(attachment) for attachment in content.get("attachments", ()))
    parts += (_embed(embed, name_of) for embed in content.get("embeds", ()))
    rows = list(_rows(content))
    if rows and parts and parts[-1]["kind"] == "card":
        parts[-1]["blocks"] += rows
    else:
        parts += rows
    return parts


def components(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The buttons and selects of a message, in order."""
    return [component for row in content.get("components") or () for component in row.get("components") or ()]


def find_component(content: Mapping[str, Any], wanted: NamedButton) -> dict[str, Any] | None:
    """The button or select with that id, label, `custom_id` or number. A link has none of them."""
    listed = components(content)
    number = find_number(wanted, map(_names, listed))
    return listed[number] if number is not None and _names(listed[number]) else None


def _names(component: Mapping[str, Any]) -> tuple[str, ...]:
    key = str(component.get("custom_id") or "")
    return (part(key)[0], str(component.get("label") or component.get("placeholder") or ""), key) if key else ()


def _rows(content: Mapping[str, Any]) -> Iterator[Part]:
    number = 0
    for row in content.get("components") or ():
        buttons: list[Part] = []
        for component in row.get("components") or ():
            if component["type"] == _BUTTON:
                buttons.append(_button(component, number))
            else:
                yield _select(component, number)
            number += 1
        if buttons:
            yield {"kind": "buttons", "buttons": buttons}


def _select(component: Mapping[str, Any], number: int) -> Part:
    options = [{"label": option["label"], "value": option["value"]} for option in component.get("options") or ()]
    placeholder = str(component.get("placeholder") or "…")
    return {
        "kind": "select",
        "id": number,
        "placeholder": placeholder,
        "options": options,
        "disabled": bool(component.get("disabled")),
        "text": f"▾ {placeholder}: {' / '.join(option['label'] for option in options)}",
    }


def _button(component: Mapping[str, Any], number: int) -> Part:
    return {
        "id": number,
        "label": str(component.get("label") or f"#{number}"),
        "style": _STYLES.get(component.get("style", 2), "default"),
        "url": str(component.get("url") or "") if component.get("style") == _LINK else "",
        "disabled": bool(component.get("disabled")),
    }


def _file(attachment: Mapping[str, Any]) -> Part:
    image = str(attachment.get("content_type") or "").startswith("image/")
    kind = "image" if image else "file"
    return {"kind": kind, "key": attachment["id"], "name": attachment["filename"], "alt": attachment["filename"]}


def _embed(embed: Mapping[str, Any], name_of: Callable[[str], str]) -> Part:
    text = str(embed.get("description") or "")
    blocks: list[Part] = [_markdown(text, name_of)] if text else []
    if embed.get("url"):
        blocks.append(_markdown(f"[{embed['url']}]({embed['url']})", name_of))
    for field in embed.get("fields") or ():
        name, value = (str(field[key]).replace("\u200b", "") for key in ("name", "value"))
        blocks.append(_markdown(": ".join(filter(None, (name, value))), name_of))
    return {"kind": "card", "title": _ESCAPED.sub(r"\1", str(embed.get("title") or "")), "color": "", "blocks": blocks}


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: found["character"] or found["code"], text)


def _markdown(text: str, name_of: Callable[[str], str]) -> Part:
    """`text` with names in place of ids. `source` still has the backslashes that escape characters."""
    source = _USER.sub(lambda found: f"@{name_of(found[1])}", text)
    return {"kind": "markdown", "text": _unescaped(source), "source": source, "dialect": "discord"}
