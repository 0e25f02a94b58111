"""Writes docs/openapi.yaml, the description of the HTTP channel for generators of clients and for gateways.

    python -m tools.make_openapi

The schemas are those of the structs in the code. `tests/unit/test_openapi.py` fails if the document differs from the
code or from the template, and `tests/integration/test_openapi.py` drives the deployed API from it.
"""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import yaml

from parley.platforms.http.bodies import MediaRequest, MediaUpload, Posted
from parley.platforms.http.inbound import CURSOR, ID, KEY, MAX_WAIT
from parley.platforms.http.persons import DIRECT, ROOM
from parley.platforms.http.problems import CONTENT_TYPE, Problem
from parley.platforms.http.replies import MessageState, Page
from parley.platforms.http.sockets import Ticket
from tools.make_schema import without_indentation

FILE = Path(__file__).resolve().parents[1] / "docs" / "openapi.yaml"
Document = dict[str, Any]
PROBLEMS: dict[int, tuple[str, ...]] = {
    400: ("malformed",),
    401: ("forged", "stale"),
    403: ("not_allowed", "other_address"),
    404: ("unknown_app", "not_found"),
    413: ("too_large",),
    422: ("key_reused",),
    429: ("too_many",),
    503: ("unavailable",),
}
"""The codes `error` of the problem documents, by status."""
_EVERYWHERE = (400, 401, 403, 404, 503)
_CONNECTING = (*_EVERYWHERE, 429)
_UPLOADING = (*_CONNECTING, 413)
_STORING = (*_UPLOADING, 422)
_REFS = "#/components/schemas/{name}"
_PRIVATE = "source"
"""A field of media that no client sees."""
_MEANINGS = {
    400: "The request is malformed; `detail` names the field or header",
    401: "There is no token, or it is not valid here, or it has expired",
    403: "The token does not name the room, or the app has no sockets, or the address may not call",
    404: "There is no such app, or the person has sent no such message, or the deployment takes no media",
    413: "The body is too large",
    422: "The `Idempotency-Key` was used for another request; nothing is stored",
    429: "The person makes too many requests; nothing is stored",
    503: "Nothing is stored, or a service is not available; send the same request again",
}


class _Plain(yaml.SafeDumper):
    """Writes equal parts in full."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the name is that of the base
        """Always."""
        return True


def document() -> Document:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley: HTTP channel",
            "version": "1",
            "description": "Clients of the team's own talk to the bot. docs/connect-http.md explains it. "
            "Errors of API Gateway itself, such as 429 above `ThrottleRate`, have a `message` and no `error`.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com/{stage}",
                "description": "The output `ApiUrl` of the stack",
                "variables": {
                    "api": {"default": "id"},
                    "region": {"default": "us-east-1"},
                    "stage": {"default": "prod"},
                },
            }
        ],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": _schemas(),
        },
    }


def text() -> str:
    """The text of the file."""
    dumped = yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    return f"# Made by `python -m tools.make_openapi`. Do not edit.\n{dumped}"


# --- paths ------------------------------------------------------------------------------------------------------------


def _paths() -> Document:
    app = _parameter("app", "path", "The name of the app", {"type": "string", "minLength": 1}, example="web")
    wait = _parameter(
        "wait",
        "query",
        "Seconds to wait for replies",
        {"type": "integer", "minimum": 0, "maximum": int(MAX_WAIT), "default": 0},
    )
    return {
        "/v1/{app}/messages": {"parameters": [app], "post": _post(wait)},
        "/v1/{app}/media": {"parameters": [app], "post": _upload()},
        "/v1/{app}/tickets": {"parameters": [app], "post": _ticket()},
        "/v1/{app}/messages/{id}": {"parameters": [app], "get": _message(wait)},
        "/v1/{app}/conversations/{room}/replies": {"parameters": [app], "get": _replies(wait)},
    }


def _key() -> Document:
    return _parameter(
        "Idempotency-Key",
        "header",
        "New for each message and upload. The same request with the same key has no further effect",
        {"type": "string", "pattern": _anchored(KEY.pattern)},
        example="5f0c7b1e",
    )


def _upload() -> Document:
    return {
        "operationId": "uploadMedia",
        "summary": "Ask where to upload media",
        "parameters": [_key()],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _ref("MediaRequest"), "example": {"type": "image/png", "size": 1024}}
            },
        },
        "responses": {"201": _json("Upload them there", "MediaUpload"), **_problems(_UPLOADING)},
    }


def _ticket() -> Document:
    return {
        "operationId": "createTicket",
        "summary": "Get a ticket for a WebSocket",
        "responses": {"201": _json("Connect with it", "Ticket"), **_problems(_CONNECTING)},
    }


def _post(wait: Document) -> Document:
    location = {"Location": {"description": "Where the state of the message is read", "schema": {"type": "string"}}}
    return {
        "operationId": "postMessage",
        "summary": "Send a message to the bot",
        "parameters": [_key(), wait],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("Posted"), "example": {"text": "/help"}}},
        },
        "responses": {
            "200": {**_json("All replies are there", "MessageState"), "headers": location},
            "202": {**_json("The message is stored, and the bot will get it", "MessageState"), "headers": location},
            **_problems(_STORING),
        },
    }


def _message(wait: Document) -> Document:
    id_ = _parameter(
        "id", "path", "The id of the message", {"type": "string", "pattern": _anchored(ID.pattern)}, example="0" * 48
    )
    return {
        "operationId": "getMessage",
        "summary": "The state of a message of the person, and the replies to it",
        "parameters": [id_, wait],
        "responses": {"200": _json("The state", "MessageState"), **_problems(_EVERYWHERE)},
    }


def _replies(wait: Document) -> Document:
    room = _parameter(
        "room",
        "path",
        f"The room, which the token has to name; `{DIRECT}`: the direct chat",
        {"type": "string", "pattern": _anchored(ROOM.pattern)},
        example=DIRECT,
    )
    after = _parameter(
        "after",
        "query",
        "The cursor of the page before. Without it: the last replies",
        {"type": "string", "pattern": _anchored(CURSOR.pattern)},
        required=False,
    )
    return {
        "operationId": "listReplies",
        "summary": "The replies in a conversation after a cursor",
        "parameters": [room, after, wait],
        "responses": {"200": _json("The next replies", "Page"), **_problems(_EVERYWHERE)},
    }


def _parameter(
    name: str, where: str, meaning: str, schema: Document, *, required: bool | None = None, example: str = ""
) -> Document:
    needed = "default" not in schema if required is None else required
    found: Document = {"name": name, "in": where, "description": meaning, "required": needed, "schema": schema}
    return found | ({"example": example} if example else {})


def _anchored(pattern: str) -> str:
    return f"^({pattern})$"


# --- responses --------------------------------------------------------------------------------------------------------


def _json(meaning: str, name: str) -> Document:
    return {"description": meaning, "content": {"application/json": {"schema": _ref(name)}}}


def _problems(statuses: tuple[int, ...]) -> Document:
    return {str(status): _problem(status) for status in sorted(statuses)}


def _problem(status: int) -> Document:
    narrowed = {"status": {"const": status}, "error": {"enum": list(PROBLEMS[status])}}
    schema = {"allOf": [_ref("Problem"), {"type": "object", "properties": narrowed}]}
    found: Document = {"description": _MEANINGS[status], "content": {CONTENT_TYPE: {"schema": schema}}}
    if status == HTTPStatus.UNAUTHORIZED:
        found["headers"] = {"WWW-Authenticate": _header("RFC 6750", {"type": "string"})}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        found["headers"] = {"Retry-After": _header("Seconds", {"type": "integer", "minimum": 1})}
    return found


def _header(meaning: str, schema: Document) -> Document:
    return {"description": meaning, "required": True, "schema": schema}


# --- schemas ----------------------------------------------------------------------------------------------------------


def _ref(name: str) -> Document:
    return {"$ref": _REFS.format(name=name)}


def _schemas() -> Document:
    """The schemas of the structs, as clients see them."""
    kinds = (Posted, MediaRequest, MediaUpload, MessageState, Page, Ticket, Problem)
    _, found = msgspec.json.schema_components(kinds, ref_template=_REFS)
    schemas: Document = without_indentation(found)
    del schemas["Source"]
    for schema in schemas.values():
        schema.get("properties", {}).pop(_PRIVATE, None)
    # Either of the two, which the struct cannot say.
    schemas["Posted"]["oneOf"] = [
        {
            "properties": {"action": {"type": "null"}},
            "anyOf": [
                {"required": ["text"], "properties": {"text": {"pattern": r"\S"}}},
                {"required": ["media"], "properties": {"media": {"minItems": 1}}},
            ],
        },
        {
            "required": ["action"],
            "properties": {"text": {"maxLength": 0}, "media": {"maxItems": 0}, "action": {"type": "object"}},
        },
    ]
    return dict(sorted(schemas.items()))


def main() -> None:
    """Write the file, and print its name."""
    FILE.write_text(text())
    print(FILE.relative_to(FILE.parents[1]))


if __name__ == "__main__":
    main()
