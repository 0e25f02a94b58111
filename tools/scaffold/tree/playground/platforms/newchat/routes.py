"""The API of NewChat: access tokens and messages."""

# Next: Write a route for each API that a bot calls, with the checks and the errors of NewChat.

from typing import TYPE_CHECKING, Any

from playground.platforms.errors import ApiError
from playground.platforms.exchange import Request, Response
from playground.platforms.model import Message, Room
from playground.platforms.routing import Router, route

if TYPE_CHECKING:
    from playground.platforms.newchat import Account, Newchat


class NewchatError(ApiError):
    """NewChat rejects a call. `fields`: further fields of the response."""

    def __init__(self, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(message, {"error": message, **fields}, status)


def token(newchat: "Newchat", request: Request) -> Response:
    """`POST /token`: a new access token for the id and the secret of an app."""
    body = _body(request)
    for account in newchat.accounts.values():
        if (body.get("app_id"), body.get("app_secret")) == (account.id, account.secret):
            newchat.note_call(app=account.name)
            issued = newchat.tokens.issue(account.name, "app", newchat.clock())
            return Response.of({"access_token": issued.value, "expires_in": int(newchat.tokens.lifetime)})
    raise NewchatError("app_id or app_secret is wrong", 401)


def send(newchat: "Newchat", account: "Account", request: Request) -> Response:
    """`POST /messages`: a message to a room or a person. A repeated `key` returns the first message."""
    body = _body(request)
    room, text, key = _room(newchat, account, body), str(body.get("text") or ""), str(body.get("key") or "")
    if not text:
        raise NewchatError("text is empty")
    made = newchat.sent.get((account.name, key), newchat.clock()) if key else None
    if made is None:
        buttons = body.get("buttons") or []
        kind, content = "card" if buttons else "text", {"text": text, "buttons": buttons}
        name, now = account.name, newchat.clock()
        made = newchat.put_message(Message(newchat.hex(16), room.id, name, "bot", kind, content, now, name))
        newchat.sent.put((name, key), made, now)
    newchat.note_call(room=room.id, message_id=made.id, key=key)
    return Response.of({"id": made.id})


def _room(newchat: "Newchat", account: "Account", body: dict[str, Any]) -> Room:
    person = newchat.persons.get(str(body.get("user")))
    found = newchat.room("", account.name, person) if person else newchat.rooms.get(str(body.get("room")))
    if found is None:
        raise NewchatError("there is no such room or user")
    return found


def _body(request: Request) -> dict[str, Any]:
    body = request.json()
    if not isinstance(body, dict):
        raise NewchatError("the body is not a JSON object")
    return body


ROUTER = Router(
    route("POST", "/token", token, authenticated=False),
    route("POST", "/messages", send),
)
