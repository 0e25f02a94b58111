"""The parts of messages with a smart bot for the page."""

from collections.abc import Mapping
from typing import Any

from playground.platforms.media import Blob
from playground.platforms.model import Part
from playground.platforms.tencent.parts import of_app


def of_bot(kind: str, content: Mapping[str, Any]) -> list[Part]:
    """The parts of a message of the bot."""
    if kind == "template_card":
        return of_app(kind, content)
    words: list[Part] = [{"kind": "markdown", "text": str(content["content"])}] if content["content"] else []
    return words + [{"kind": "image", "key": key} for key in content.get("images") or ()]


def of_person(kind: str, content: Mapping[str, Any], blobs: Mapping[str, Blob]) -> list[Part]:
    """The parts of a person's message."""
    match kind:
        case "text" | "press" | "notice":
            return [{"kind": "text", "text": str(content.get("content") or content.get("text") or "")}]
        case "image":
            return [{"kind": "image", "key": _key(content)}]
        case "file":
            return [{"kind": "file", "key": _key(content), "name": blobs[_key(content)].name, "type": "file"}]
        case "mixed":
            items = [(str(item["msgtype"]), item[item["msgtype"]]) for item in content["msg_item"]]
            return [part for sort, each in items for part in of_person(sort, each, blobs)]
        case _:
            return [{"kind": "text", "text": f"[{kind}]", "small": True}]


def _key(content: Mapping[str, Any]) -> str:
    return str(content["url"]).rpartition("/")[2]
