"""The parts of Feishu's messages for the page."""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

from playground.platforms.feishu.cards import card_part
from playground.platforms.model import Part

NameOf = Callable[[str], str]
"""The name of the person or bot with that open_id."""
_MARKUP = re.compile(r"[*_~`\[\]<>&#|]|(?m:^)[-+\d]")
_AT = re.compile(r'<at\s+(?:user_)?id="?([^">\s]+)"?\s*>(.*?)</at>', re.DOTALL)


def parts_of(
    msg_type: str, content: Mapping[str, Any], mentions: list[dict[str, Any]], name_of: NameOf, *, person: bool = False
) -> list[Part]:
    """The parts of a message. A type that the page cannot draw is shown as its name. `person`: a person has sent it;
    only the texts of apps have markup."""
    match msg_type:
        case "text":
            text = _mentioned(_named(str(content["text"]), name_of), mentions)
            return [{"kind": "text", "text": text, "dialect": "plain" if person else "feishu_text"}]
        case "post":
            return _post(content, mentions, name_of)
        case "image":
            return [{"kind": "image", "key": content["image_key"]}]
        case "file" | "audio" | "media" | "folder":
            part = {"kind": "file", "key": content["file_key"], "name": content.get("file_name") or msg_type}
            return [part | {"type": msg_type}]
        case "interactive":
            return [_named_in(card_part(dict(content)), name_of)]
        case "location":
            where = f"{content.get('latitude')}, {content.get('longitude')}"
            return [{"kind": "text", "text": f"📍 {content.get('name')} ({where})"}]
        case _:
            return [{"kind": "text", "text": f"[{msg_type}]", "small": True}]


def _post(content: Mapping[str, Any], mentions: list[dict[str, Any]], name_of: NameOf) -> list[Part]:
    body = content if "content" in content else next(iter(content.values()))
    parts: list[Part] = [_markdown(f"**{_literal(str(body['title']))}**")] if body.get("title") else []
    for row in body["content"]:
        line = ""
        for element in row:
            if element["tag"] == "img":
                parts += [_markdown(line)] if line else []
                parts.append({"kind": "image", "key": element["image_key"]})
                line = ""
            else:
                line += _inline(element, mentions, name_of)
        parts += [_markdown(line)] if line else []
    return parts


def _markdown(source: str) -> Part:
    """Feishu's markdown. `text` is without its character references."""
    return {"kind": "markdown", "text": html.unescape(source), "source": source, "dialect": "feishu"}


def _inline(element: Mapping[str, Any], mentions: list[dict[str, Any]], name_of: NameOf) -> str:
    match element["tag"]:
        case "text":
            return _styled(_literal(str(element["text"])), element.get("style") or ())
        case "md":
            return _named(str(element["text"]), name_of)
        case "a":
            return f"[{_literal(str(element['text']))}]({element['href']})"
        case "at":
            user = element["user_id"]
            name = next((m["name"] for m in mentions if m["key"] == user), None)
            return f"@{name or element.get('user_name') or name_of(user)}"
        case "code_block":
            return f"\n```\n{element['text']}\n```\n"
        case "hr":
            return "\n---\n"
        case tag:
            return f"[{tag}]"


def _literal(text: str) -> str:
    """`text` as markdown that is shown as `text`."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", text)


def _styled(text: str, style: Any) -> str:
    marks = [mark for name, mark in (("bold", "**"), ("italic", "*"), ("lineThrough", "~~")) if name in style]
    return "".join(marks) + text + "".join(reversed(marks))


def _named(text: str, name_of: NameOf) -> str:
    return _AT.sub(lambda found: f"@{found[2] or name_of(found[1])}", text)


def _named_in(part: Part, name_of: NameOf) -> Part:
    for block in part["blocks"]:
        if block["kind"] == "markdown":
            block.update(_markdown(_named(block["source"], name_of)))
    return part


def _mentioned(text: str, mentions: list[dict[str, Any]]) -> str:
    for mention in sorted(mentions, key=lambda m: -len(m["key"])):
        text = text.replace(mention["key"], f"@{mention['name']}")
    return text
