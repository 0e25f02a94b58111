"""The bodies of control API requests: their fields, with their types checked."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from playground import sample_image
from playground.platforms.model import NamedButton, NewMessage, Press

_MAX_BYTES = 32 * 1024 * 1024


class BadRequestError(Exception):
    """The request is invalid. The text says why."""


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises BadRequestError."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise BadRequestError("the body must be JSON, with Content-Type: application/json")
    size = request.headers.get("content-length", "")
    if size.isdigit() and int(size) > _MAX_BYTES:
        raise BadRequestError(f"the body has more than {_MAX_BYTES} bytes")
    try:
        value = await request.json()
    except ValueError as error:
        raise BadRequestError(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRequestError("the body must be a JSON object")
    return value


def string(body: Mapping[str, Any], name: str) -> str:
    """The field `name`; empty if it is missing. Raises BadRequestError."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequestError(f"{name} must be a string, not {value!r}")
    return value


def _strings(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The list `name`; empty if it is missing. Raises BadRequestError."""
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadRequestError(f"{name} must be a list of strings, not {value!r}")
    return tuple(value)


def whole_number(body: Mapping[str, Any], name: str, default: int, most: int) -> int:
    """The field `name`, from 1 to `most`. Raises BadRequestError."""
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise BadRequestError(f"{name} must be a whole number from 1 to {most}, not {value!r}")
    return value


def new_message(body: Mapping[str, Any]) -> NewMessage:
    """The message of a person. Raises BadRequestError."""
    message = NewMessage(
        text=string(body, "text"),
        mention=_optional(body, "mention", bool),
        reply_to=string(body, "reply_to"),
        forwards=_strings(body, "forwards"),
        thread=body.get("thread") or "",
        image=_image(body.get("image")),
        file=_file(body.get("file")),
        native=_native(body.get("native")),
        deliver=body.get("deliver") is not False,
    )
    if not (message.text or message.image or message.file or message.native or message.forwards):
        raise BadRequestError("the message is empty: give text, image, file, native or forwards")
    return message


def press(body: Mapping[str, Any]) -> Press:
    """The press of a button. Raises BadRequestError."""
    return Press(
        button=_button(body.get("button")),
        form=_optional(body, "form", dict) or {},
        options=tuple(map(str, body.get("options") or ())),
    )


def _button(value: Any) -> NamedButton:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadRequestError(f"button must be an id, a label or a number, not {value!r}")
    return value


def _optional(body: Mapping[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise BadRequestError(f"{name} must be of type {kind.__name__}, not {value!r}")
    return value


def _image(value: Any) -> bytes:
    """True: the sample image; a string: Base64."""
    if not value:
        return b""
    return sample_image.png() if value is True else _base64(value, "image")


def _file(value: Any) -> tuple[str, bytes] | None:
    if not value:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise BadRequestError("file must be {name, data}, data in Base64")
    return value["name"], _base64(value.get("data"), "file.data")


def _native(value: Any) -> tuple[str, Any] | None:
    if not value:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str) or "content" not in value:
        raise BadRequestError("native must be {type, content}")
    return value["type"], value["content"]


def _base64(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadRequestError(f"{name} must be Base64") from error
