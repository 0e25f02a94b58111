"""The parts of a reply for the page: a client that shows every segment."""

from collections.abc import Iterator, Mapping
from typing import Any

from playground.platforms.buttons import find_number
from playground.platforms.errors import NotFoundError
from playground.platforms.model import NamedButton, Part

_MEDIA = {"image": "image", "file": "file", "audio": "file", "video": "file"}


def parts_of(reply: Mapping[str, Any]) -> list[Part]:
    """The parts of a reply. Texts, mentions and links that follow each other are one text."""
    parts: list[Part] = []
    number = 0
    for segment in reply.get("segments", ()):
        found = list(_parts(segment, number))
        number += len(elements([segment]))
        if found and parts and found[0]["kind"] == parts[-1]["kind"] == "text":
            parts[-1] = {"kind": "text", "text": parts[-1]["text"] + found[0]["text"]}
            continue
        parts += found
    return parts


def elements(segments: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What a person can press in `segments`, in order: menus, forms, buttons. Each has its number on the page."""
    cards = [segment for segment in segments if segment["type"] == "card"]
    return [
        each
        for card in cards
        for each in (*card.get("selects", ()), *filter(None, [card.get("form")]), *card.get("buttons", ()))
    ]


def find_element(reply: Mapping[str, Any], wanted: NamedButton) -> Mapping[str, Any] | None:
    """The element with that id, label or number. A button with an address is none."""
    listed = elements(reply.get("segments", []))
    number = find_number(
        wanted, [(each["id"], str(each.get("label") or each.get("submit") or "OK")) for each in listed]
    )
    return listed[number] if number is not None and not listed[number].get("url") else None


def filled_in(element: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """The inputs of a form as the client sends them, also the empty ones. Empty for any other element. Raises
    NotFoundError for values that this client does not send.
    """
    inputs = {each["id"]: each for each in element.get("inputs", ())}
    unknown = given.keys() - inputs.keys()
    if unknown:
        raise NotFoundError(f"the form has no input {min(unknown)!r}; it has {', '.join(inputs)}")
    return {name: _filled(each, str(given.get(name, each.get("value", "")))) for name, each in inputs.items()}


def _filled(field: Mapping[str, Any], value: str) -> str:
    offered = [str(choice["value"]) for choice in field.get("choices", ())]
    if not value and field.get("required", True):
        raise NotFoundError(f"the form requires {field['id']}")
    if value and offered and value not in offered:
        raise NotFoundError(f"{field['id']} offers {', '.join(offered)}")
    return value


def _parts(segment: Mapping[str, Any], number: int) -> Iterator[Part]:
    match segment["type"]:
        case "text":
            yield {"kind": "text", "text": segment["text"]}
        case "markdown":
            yield _markdown(segment["text"])
        case "mention":
            yield {"kind": "text", "text": f"@{segment.get('name') or segment['id']}"}
        case "image" | "file" | "audio" | "video":
            yield _media(segment)
        case "location":
            where = f"{segment['latitude']}, {segment['longitude']}"
            yield {"kind": "text", "text": f"📍 {segment.get('name', '')} ({where})"}
        case "link":
            yield {"kind": "text", "text": f"{segment.get('title', '')} {segment['url']}".strip()}
        case "quote":
            yield {"kind": "text", "text": f"> {segment.get('text', '')}\n", "small": True}
        case "card":
            yield _card(segment, number)
        case _:
            yield {"kind": "text", "text": segment.get("text") or f"[{segment.get('name')}]"}


def _markdown(text: str) -> Part:
    return {"kind": "markdown", "text": text, "source": text}


def _media(segment: Mapping[str, Any]) -> Part:
    name = str(segment.get("name") or "")
    if segment.get("stored"):
        shown = {"kind": _MEDIA[segment["type"]], "key": segment["stored"], "name": name, "alt": name}
        return shown if segment["type"] == "image" or name else {**shown, "name": segment["type"]}
    text = segment.get("url") or segment.get("text") or f"[{name or segment['type']}]"
    return {"kind": "text", "text": f"{name} {text}".strip() if segment.get("url") else text}


def _card(card: Mapping[str, Any], number: int) -> Part:
    names = " ".join(f"@{mention.get('name') or mention['id']}" for mention in card.get("mentions", ()))
    blocks: list[Part] = [{"kind": "text", "text": names}] if names else []
    blocks += [_media(image) for image in card.get("images", ())]
    words = {"kind": "text", "text": card.get("text")} if card.get("literal") else _markdown(card.get("text", ""))
    blocks += [words] if card.get("text") else []
    for field in card.get("fields", ()):
        blocks.append({"kind": "text", "text": ": ".join(filter(None, (field["label"], field.get("value", ""))))})
    for select in card.get("selects", ()):
        blocks.append(_select(select, number))
        number += 1
    if card.get("form"):
        blocks.append(_form(card["form"], number))
        number += 1
    if card.get("buttons"):
        blocks.append({"kind": "buttons", "buttons": [_button(b, number + at) for at, b in enumerate(card["buttons"])]})
    return {"kind": "card", "title": card.get("title", ""), "color": "", "blocks": blocks}


def _button(button: Mapping[str, Any], number: int) -> Part:
    return {
        "id": number,
        "label": button["label"],
        "style": button.get("style", "default"),
        "url": button.get("url", ""),
        "disabled": False,
    }


def _select(select: Mapping[str, Any], number: int) -> Part:
    options = [{"label": choice["label"], "value": str(choice["value"])} for choice in select["choices"]]
    return {
        "kind": "select",
        "id": number,
        "placeholder": select["label"],
        "options": options,
        "disabled": False,
        "text": f"▾ {select['label']}: {' / '.join(option['label'] for option in options)}",
    }


def _form(form: Mapping[str, Any], number: int) -> Part:
    inputs = [
        {
            "id": each["id"],
            "label": each["label"],
            "kind": each.get("kind", "line"),
            "placeholder": each.get("placeholder", ""),
            "value": each.get("value", ""),
            "required": each.get("required", True),
            "max_length": each.get("max_length", 0),
            "options": [{"label": one["label"], "value": str(one["value"])} for one in each.get("choices", ())],
        }
        for each in form["inputs"]
    ]
    lines = [form["title"], *(f"{each['label']}: [{each['id']}]" for each in inputs)]
    submit = form.get("submit", "OK")
    return {
        "kind": "form",
        "id": number,
        "title": form["title"],
        "inputs": inputs,
        "submit": submit,
        "text": "\n".join(lines),
    }
