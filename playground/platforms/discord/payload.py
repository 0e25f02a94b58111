"""Validation of messages. Facts: Discord docs, Message › Create Message, Embed Limits, Allowed Mentions; Components."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.multipart import FormPart, parse_multipart
from playground.platforms.discord.errors import DiscordError, invalid
from playground.platforms.exchange import Request

CONTENT, EMBEDS, EMBED_TOTAL, ROWS, PER_ROW, FILES = 2000, 10, 6000, 5, 5, 10
FILE_BYTES, REQUEST_BYTES = 10 * 1024 * 1024, 25 * 1024 * 1024
EPHEMERAL, LOADING, COMPONENTS_V2 = 64, 128, 32768
FIELDS, OPTIONS, _OPTION, _PLACEHOLDER, _STRING_SELECT = 25, 25, 100, 150, 3
_FIELD = {"name": 256, "value": 1024}
_EMBED = {"title": 256, "description": 4096}
_BUTTON, _SELECTS, _ROW, _LINK = 2, (3, 5, 6, 7, 8), 1, 5


@dataclass(frozen=True, slots=True)
class Payload:
    """The JSON of a message and its files, by number."""

    json: dict[str, Any]
    files: Mapping[str, FormPart] = field(default_factory=dict[str, FormPart])


def read(request: Request) -> Payload:
    """The body of `request`. Raises DiscordError."""
    kind = request.headers.get("content-type", "")
    if len(request.body) > REQUEST_BYTES:
        raise DiscordError(413, 40005, "Request entity too large")
    if kind.startswith("multipart/form-data"):
        parts = parse_multipart(kind, request.body)
        if parts is None:
            raise invalid("", "CONTENT_TYPE_INVALID", "The body is no complete form.")
        named = {part.name: part for part in parts}
        files = {name[6:-1]: part for name, part in named.items() if name.startswith("files[") and name.endswith("]")}
        if any(len(part.data) > FILE_BYTES for part in files.values()):
            raise DiscordError(413, 40005, "Request entity too large")
        return Payload(_object(named["payload_json"].text if "payload_json" in named else "{}"), files)
    if not kind.startswith("application/json"):
        raise invalid(
            "", "CONTENT_TYPE_INVALID", f'Expected "Content-Type" header to be "application/json", not {kind}.'
        )
    return Payload(_object(request.body.decode("utf-8", "replace")))


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise DiscordError(400, 50109, "The request body contains invalid JSON.") from None
    if not isinstance(value, dict):
        raise invalid("", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    return value


def check(payload: Payload, *, may_be_empty: bool = False) -> dict[str, Any]:
    """The message in `payload`. `may_be_empty`: for edits, which omit fields that stay. Raises DiscordError."""
    body = payload.json
    content = body.get("content") or ""
    if not isinstance(content, str):
        raise invalid("content", "BASE_TYPE_BAD_TYPE", "Must be a string.")
    if len(content) > CONTENT:
        raise invalid("content", "BASE_TYPE_MAX_LENGTH", f"Must be {CONTENT} or fewer in length.")
    if int(body.get("flags") or 0) & COMPONENTS_V2 and (content or body.get("embeds") or body.get("poll")):
        message = "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
        raise invalid("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", message)
    _check_embeds(body.get("embeds") or [])
    _check_components(body.get("components") or [])
    _check_mentions(body.get("allowed_mentions"))
    _check_attachments(body.get("attachments") or [], payload.files)
    has_content = content.strip() or body.get("embeds") or body.get("components") or payload.files
    if not (may_be_empty or has_content):
        raise DiscordError(400, 50006, "Cannot send an empty message")
    nonce = body.get("nonce")
    if nonce is not None and (not isinstance(nonce, str | int) or len(str(nonce)) > 25):
        raise invalid("nonce", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    return body


def _check_embeds(embeds: Any) -> None:
    if not isinstance(embeds, list) or len(embeds) > EMBEDS:
        raise invalid("embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {EMBEDS} or fewer in length.")
    total = 0
    for number, embed in enumerate(embeds):
        for name, limit in _EMBED.items():
            words = embed.get(name) or ""
            total += len(words)
            if len(words) > limit:
                raise invalid(f"embeds.{number}.{name}", "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")
        total += _check_fields(embed.get("fields") or [], f"embeds.{number}.fields")
        url = str(embed.get("url") or "https://x")
        if not url.startswith(("http://", "https://")):
            raise invalid(f"embeds.{number}.url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
        for name in ("image", "thumbnail"):
            picture = str((embed.get(name) or {}).get("url") or "https://x")
            if not picture.startswith(("http://", "https://", "attachment://")):
                raise invalid(f"embeds.{number}.{name}.url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    if total > EMBED_TOTAL:
        raise invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_TOTAL}")


def _check_fields(fields: list[dict[str, Any]], where: str) -> int:
    """The characters of the fields of an embed. Raises DiscordError."""
    if len(fields) > FIELDS:
        raise invalid(where, "BASE_TYPE_MAX_LENGTH", f"Must be {FIELDS} or fewer in length.")
    for number, each in enumerate(fields):
        for name, limit in _FIELD.items():
            if not 1 <= len(str(each.get(name) or "")) <= limit:
                raise invalid(f"{where}.{number}.{name}", "BASE_TYPE_BAD_LENGTH", f"Must be 1 to {limit} in length.")
    return sum(len(each[name]) for each in fields for name in _FIELD)


def _check_options(select: dict[str, Any], where: str) -> None:
    options = select.get("options") or []
    values = {str(option.get("value") or "") for option in options}
    texts = [*values, *(str(option.get("label") or "") for option in options)]
    if not 1 <= len(options) <= OPTIONS or not all(1 <= len(text) <= _OPTION for text in texts):
        raise invalid(f"{where}.options", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {OPTIONS} in length.")
    if len(values) < len(options):
        raise invalid(f"{where}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified value is used.")
    if len(str(select.get("placeholder") or "")) > _PLACEHOLDER:
        raise invalid(f"{where}.placeholder", "BASE_TYPE_MAX_LENGTH", f"Must be {_PLACEHOLDER} or fewer in length.")


def _check_components(rows: Any) -> None:
    if not isinstance(rows, list) or len(rows) > ROWS:
        raise invalid("components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {ROWS} in length.")
    seen: set[str] = set()
    for number, row in enumerate(rows):
        inner = row.get("components") if isinstance(row, dict) and row.get("type") == _ROW else None
        if not isinstance(inner, list) or not 1 <= len(inner) <= PER_ROW:
            raise invalid(f"components.{number}", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {PER_ROW} in length.")
        if len(inner) > 1 and any(component.get("type") in _SELECTS for component in inner):
            raise invalid(f"components.{number}", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "A select fills its row.")
        for each, component in enumerate(inner):
            _check_component(component, f"components.{number}.components.{each}", seen)


def _check_component(component: dict[str, Any], where: str, seen: set[str]) -> None:
    kind = component.get("type")
    if kind != _BUTTON and kind not in _SELECTS:
        raise invalid(f"{where}.type", "UNION_TYPE_CHOICES", "Value of field 'type' must be one of (2, 3, 5, 6, 7, 8).")
    if len(str(component.get("label") or "")) > 80:
        raise invalid(f"{where}.label", "BASE_TYPE_MAX_LENGTH", "Must be 80 or fewer in length.")
    if kind == _BUTTON and not str(component.get("label") or "").strip() and not component.get("emoji"):
        raise invalid(f"{where}.label", "BASE_TYPE_REQUIRED", "A button needs a label or an emoji.")
    if kind == _BUTTON and component.get("style") == _LINK:
        if not str(component.get("url") or "").startswith(("http://", "https://", "discord://")):
            raise invalid(f"{where}.url", "URL_TYPE_INVALID_SCHEME", "Scheme must be one of http, https, discord.")
        if not 1 <= len(str(component.get("url") or "")) <= 512:
            raise invalid(f"{where}.url", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 512 in length.")
        return
    if kind == _STRING_SELECT:
        _check_options(component, where)
    id_ = component.get("custom_id")
    if not isinstance(id_, str) or not 1 <= len(id_) <= 100:
        raise invalid(f"{where}.custom_id", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if id_ in seen:
        raise invalid(f"{where}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Custom id cannot be duplicated")
    seen.add(id_)


def _check_mentions(allowed: Any) -> None:
    if allowed is None:
        return
    parse = allowed.get("parse") or []
    for name in ("users", "roles"):
        if name in parse and allowed.get(name):
            message = f"parse:[{name!r}] and {name}: [ids...] are mutually exclusive."
            raise invalid("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)


def _check_attachments(attachments: Any, files: Mapping[str, FormPart]) -> None:
    if len(attachments) > FILES or len(files) > FILES:
        raise DiscordError(400, 30015, "Maximum number of attachments in a message reached (10)")
    for number, attachment in enumerate(attachments):
        id_ = str(attachment.get("id"))
        if len(id_) < 10 and id_ not in files:
            raise invalid(f"attachments.{number}.id", "ATTACHMENT_NOT_FOUND", f"There is no files[{id_}].")
