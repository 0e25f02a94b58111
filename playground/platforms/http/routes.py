"""The address of the client that gets the replies."""

import base64
from typing import TYPE_CHECKING, Any

from playground.platforms.errors import ApiError
from playground.platforms.exchange import Request, Response
from playground.platforms.http import wire
from playground.platforms.media import Blob
from playground.platforms.model import Message
from playground.platforms.routing import Router, route

if TYPE_CHECKING:
    from playground.platforms.http import Account, Http


class WebhookError(ApiError):
    """The client refuses a push. With 410 it does not want it again; with any other status it is pushed again."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message, {"error": message}, status)


def push(http: "Http", request: Request, app: str) -> Response:
    """`POST /webhooks/APP`: a reply. A repeated `webhook-id` has no further effect.

    The client takes what it cannot show, as Standard Webhooks asks for: an error would hold up the conversation.
    """
    account = http.accounts.get(app)
    if account is None or not wire.is_signed(account.webhook_secret, request.headers, request.body):
        raise WebhookError("the signature is wrong", 401)
    id_, body = request.headers["webhook-id"], request.json()
    http.note_call(app=app, key=id_)
    reply = body["data"]
    if id_ in http.pushed:
        return Response(204)
    show(http, account, reply)
    http.pushed.add(id_)
    return Response(204)


def show(http: "Http", account: "Account", reply: dict[str, Any]) -> None:
    """Show a reply that the client has got: an edit of a message that it does not know as a new one, and nothing in
    place of a reaction to such a message, or its recall.
    """
    place, op = http.place_of(account, reply), reply["op"]
    target = http.messages.get(reply.get("target", "") or reply.get("reply_to", ""))
    if op == "send" or (op == "edit" and target is None):
        kind = "card" if any(segment["type"] == "card" for segment in reply["segments"]) else "text"
        made = Message(reply["id"], place.id, account.name, "bot", kind, {}, http.clock(), account.name)
        made.content = _stored(http, reply)
        made.reply_to = reply.get("reply_to", "")
        http.note_call(room=place.id, message_id=made.id)
        http.put_message(made)
        return
    if target is None:
        http.note_call(room=place.id)
        return
    match op:
        case "edit":
            target.content = _stored(http, reply)
            target.edited, target.edits = http.clock(), target.edits + 1
        case "recall":
            target.recalled = True
        case _:
            if not any(each["emoji"] == reply["emoji"] for each in target.reactions):
                target.reactions.append({"emoji": reply["emoji"]})
    http.note_call(room=place.id, message_id=target.id)
    http.put_message(target)


def show_read(http: "Http", app: str, reply: dict[str, Any]) -> None:
    """Show a reply that a client without a webhook has got. One that it gets twice is seen twice."""
    if reply["id"] in http.pushed:
        reply = {**reply, "id": f"{reply['id']}-again"}
    http.pushed.add(reply["id"])
    show(http, http.account(app), reply)


def _stored(http: "Http", reply: dict[str, Any]) -> dict[str, Any]:
    """`reply` with the keys of its media in the store of the page."""
    for number, segment in enumerate(reply.get("segments", ())):
        for place, media in enumerate([segment, *segment.get("images", ())]):
            if media.get("data"):
                key = f"{reply['id']}-{number}-{place}"
                data, mime = base64.b64decode(media["data"]), media.get("mime") or "application/octet-stream"
                http.put_blob(Blob(key, "media", data, mime, media.get("name", "")))
                media["stored"] = key
                del media["data"]
    return reply


ROUTER = Router(route("POST", "/webhooks/{app}", push, authenticated=False))
