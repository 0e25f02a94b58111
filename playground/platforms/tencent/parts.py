"""The parts of WeCom's and WeChat's messages for the page."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playground.platforms.model import Message, Part

_ANCHOR = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.DOTALL)
_ALONE = re.compile(r'^<a href="[^"]*">[^\n]*?</a>$\n?', re.MULTILINE)
_MENU = "weixin://bizmsgmenu"
_STYLES = {1: "primary", 2: "danger"}


def of_person(message: Message) -> list[Part]:
    """The parts of a person's message."""
    content: Mapping[str, Any] = message.content
    match message.type:
        case "text":
            return [_text(str(content["Content"]))]
        case "image" if content.get("MediaId"):
            return [{"kind": "image", "key": content["MediaId"]}]
        case "voice" | "video" | "shortvideo" | "file" if content.get("MediaId"):
            name = str(content.get("Title") or message.type)
            return [{"kind": "file", "key": content["MediaId"], "name": name, "type": message.type}]
        case "location":
            where = f"{content.get('Location_X')}, {content.get('Location_Y')}"
            return [_text(f"📍 {content.get('Label') or ''} ({where})")]
        case "link":
            return [_text(f"{content.get('Title') or ''} {content.get('Url') or ''}".strip())]
        case kind:
            return [_text(f"[{kind}]", small=True)]


def of_app(kind: str, content: Mapping[str, Any]) -> list[Part]:
    """The parts of an app's message. `content` has the form of the message API."""
    match kind:
        case "text":
            return _text_with_links(str(content["content"]), content.get("mentioned_list") or ())
        case "markdown":
            return [{"kind": "markdown", "text": str(content["content"]), "dialect": "wecom"}]
        case "image":
            return [{"kind": "image", "key": content["media_id"]}]
        case "voice" | "video" | "file":
            name = str(content.get("title") or kind)
            return [{"kind": "file", "key": content["media_id"], "name": name, "type": kind}]
        case "news":
            return [_card(a["title"], [a.get("description", "")], [_link(a)]) for a in content["articles"]]
        case "textcard":
            return [_card(content["title"], [content["description"]], [_link(content, content.get("btntxt") or "")])]
        case "template_card":
            return [_template_card(content)]
        case "msgmenu":
            buttons = [_button(number, item["content"]) for number, item in enumerate(content["list"])]
            return [_card("", [content.get("head_content", ""), content.get("tail_content", "")], buttons)]
        case "template" | "subscription":
            rows = [f"{name}: {item.get('value', '')}" for name, item in (content.get("data") or {}).items()]
            return [_card(str(content.get("template_id", "")), rows, [])]
        case _:
            return [_text(f"[{kind}] {content.get('title') or ''}".strip(), small=True)]


def links(text: str) -> Iterator[tuple[str, str, str]]:
    """Label, URL and id of the links in a text. A menu link has an id and no URL, any other has a URL and no id."""
    for url, label in _ANCHOR.findall(text):
        if url.startswith(_MENU):
            query = parse_qs(urlsplit(url).query, keep_blank_values=True)
            yield query.get("msgmenucontent", [label])[0], "", query.get("msgmenuid", [""])[0]
        else:
            yield label, url, ""


def _text(text: str, *, small: bool = False) -> Part:
    return {"kind": "text", "text": text} | ({"small": True} if small else {})


def _text_with_links(text: str, mentioned: Any = ()) -> list[Part]:
    """A text, and its links as buttons. A link that is alone on its line is only among the buttons.

    The real client shows the links within the text. `within` of the buttons is this: texts and buttons in order.
    """
    names = "".join(f" @{str(one).lstrip('@')}" for one in mentioned)
    words = _ANCHOR.sub(r"\2", _ALONE.sub("", text)).rstrip("\n") + names
    parts = [_text(words)] if words else []
    buttons = [_button(number, label) | {"url": url} for number, (label, url, _) in enumerate(links(text))]
    if not buttons:
        return parts
    within: list[Any] = []
    for number, between in enumerate(_ANCHOR.sub("\0", text + names).split("\0")):
        within += [between, buttons[number]] if number < len(buttons) else [between]
    return [*parts, {"kind": "buttons", "buttons": buttons, "within": within}]


def _card(title: str, texts: list[str], buttons: list[Part]) -> Part:
    blocks: list[Part] = [part for text in texts if text for part in _text_with_links(text)]
    blocks += [{"kind": "buttons", "buttons": buttons}] if buttons else []
    return {"kind": "card", "title": title, "color": "", "blocks": blocks}


def _template_card(card: Mapping[str, Any]) -> Part:
    main = card.get("main_title") or {}
    buttons = [
        _button(number, item["text"])
        | {"style": _STYLES.get(item.get("style", 0), "default"), "url": item.get("url", "")}
        | {"disabled": bool(card.get("pressed"))}
        for number, item in enumerate(card.get("button_list") or ())
    ]
    part = _card(str(main.get("title") or ""), [main.get("desc", ""), card.get("sub_title_text", "")], [])
    part["blocks"] += [*_facts(card), *_menus(card, len(buttons))]
    buttons += [_button(0, item["title"]) | {"url": item.get("url", "")} for item in card.get("jump_list") or ()]
    part["blocks"] += [{"kind": "buttons", "buttons": buttons}] if buttons else []
    return part


def _facts(card: Mapping[str, Any]) -> list[Part]:
    facts = card.get("horizontal_content_list") or []
    return [_text("\n".join(f"{fact['keyname']}: {fact.get('value', '')}" for fact in facts))] if facts else []


def _menus(card: Mapping[str, Any], number: int) -> list[Part]:
    """A vote as a menu, or several menus as a form. `number`: that of the button that submits it."""
    if vote := card.get("checkbox"):
        options = _options(vote)
        title = str(card["main_title"].get("desc") or card["main_title"]["title"])
        words = " / ".join(option["label"] for option in options)
        menu = {"kind": "select", "id": number, "placeholder": title, "options": options, "text": f"▾ {title}: {words}"}
        return [menu | {"disabled": bool(card.get("pressed"))}]
    inputs = [
        {
            "id": menu["question_key"],
            "label": menu.get("title") or menu["question_key"],
            "kind": "choice",
            "required": True,
            "placeholder": "",
            "value": menu.get("selected_id", ""),
            "max_length": 0,
            "options": _options(menu),
        }
        for menu in card.get("select_list") or ()
    ]
    words = "\n".join(f"{each['label']}: [{each['id']}]" for each in inputs)
    form = {"kind": "form", "id": number, "title": "", "inputs": inputs, "text": words}
    return [form | {"submit": card["submit_button"]["text"]}] if inputs else []


def _options(menu: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"label": str(option["text"]), "value": str(option["id"])} for option in menu["option_list"]]


def _button(number: int, label: str) -> Part:
    return {"id": number, "label": label, "style": "default", "url": "", "disabled": False}


def _link(article: Mapping[str, Any], label: str = "") -> Part:
    url = str(article.get("url") or "")
    return _button(0, label or url) | {"url": url}
